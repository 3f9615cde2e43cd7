"""The model as a SavedModel that takes texts, or token ids, and names its answers."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tf_finetune.export.graph_tokenizer import GraphTokenizer
from tf_finetune.export.litert_inputs import READS
from tf_finetune.export.row_function import Outputs, row_function
from tf_finetune.export.serving_warmup import write_warm_up
from tf_finetune.models.classifier import Classifier
from tf_finetune.tasks.labels import LabelSpace

TEXTS, TOKENS = "serving_default", "token_ids"


class ServableModel(tf.Module):
    """A trained classifier with the tokenizer in front of it and names behind.

    Args:
        classifier: The trained model.
        tokenizer: The tokenizer as a graph; None: the model takes token ids alone.
        labels: What the outputs mean.
        pairs: Whether the model takes two texts.
    """

    def __init__(
        self,
        classifier: Classifier,
        tokenizer: GraphTokenizer | None,
        labels: LabelSpace,
        *,
        pairs: bool,
    ):
        super().__init__(name="servable")
        # Not the Keras model itself: every layer of it would be traced and saved once more.
        self.pairs = pairs
        self.weights = list(classifier.by_path.values())
        self.labels, self.tokenizer = labels, tokenizer
        texts = [tf.TensorSpec([None], tf.string)] * (2 if pairs else 1)
        self.of_tokens = row_function(classifier, labels, partial(answers, labels))
        self.of_texts: Any = None
        if tokenizer is None:
            return
        if pairs:

            def of_texts(text: tf.Tensor, text_pair: tf.Tensor) -> Outputs:
                return self.of_tokens(**tokenizer(text, text_pair))
        else:

            def of_texts(text: tf.Tensor) -> Outputs:  # type: ignore[misc]
                return self.of_tokens(**tokenizer(text))

        self.of_texts = tf.function(of_texts, texts, autograph=False)

    @property
    def signatures(self) -> dict[str, Any]:
        """Functions by name; the usual one takes token ids where nothing takes texts."""
        return {TEXTS: self.of_texts or self.of_tokens, TOKENS: self.of_tokens}


def answers(labels: LabelSpace, logits: tf.Tensor) -> Outputs:
    """What a signature returns, every output with one row a text.

    Args:
        labels: What the outputs mean, C of them.
        logits: float32 [n, C], or [n, r, C] where several states of a row are read.

    Returns:
        Where words are answered `logits` and `probabilities` float32 [n, r, C], and `tag` string
        [n, r], "" in places without a word. Where questions are answered `logits` float32 [n, r, 2]
        and of them `start_logits` and `end_logits`, [n, r] each. Otherwise
        `logits` float32 [n, C]. For a number also `value` float32 [n]; otherwise
        `probabilities` float32 [n, C] and `label_names` string [n, C], and for a single label
        `label` string [n], the likeliest, for several `applies` bool [n, C], the probabilities
        that are above the threshold.
    """
    return {"logits": logits, **labels.graph_outputs(logits)}


def write_saved_model(folder: Path, model: ServableModel, tokenizer: Any, max_length: int) -> None:
    """Writes a SavedModel with warm-up requests for TensorFlow Serving.

    Args:
        folder: Made, or filled, by this.
        model: The model.
        tokenizer: The fast tokenizer.
        max_length: Longest text in tokens.
    """
    tf.saved_model.save(model, str(folder), signatures=model.signatures)
    texts = warm_up_texts(tokenizer, max_length)
    requests = []
    for batch in (texts[:1], texts):
        if model.tokenizer is None:
            tokens = _token_ids(batch, tokenizer, max_length)
            if model.labels.reads_several():
                tokens[READS] = np.ones((len(batch), 1), np.int32)
            if model.labels.several_texts:
                count = model.labels.num_logits
                tokens = {n: np.repeat(v[:, None], count, axis=1) for n, v in tokens.items()}
            requests += [(name, tokens) for name in model.signatures]
            continue
        names = ("text", "text_pair") if model.pairs else ("text",)
        column = np.array([text.encode() for text in batch], np.object_)
        requests.append((TEXTS, dict.fromkeys(names, column)))
        found = model.tokenizer(*[tf.constant(batch)] * len(names))
        requests.append((TOKENS, {name: value.numpy() for name, value in found.items()}))
    write_warm_up(folder, requests)


def _token_ids(texts: list[str], tokenizer: Any, max_length: int) -> dict[str, np.ndarray]:
    """Single texts as `of_tokens` takes them."""
    encoded = tokenizer(texts, truncation=True, max_length=max_length)["input_ids"]
    lengths = np.array([len(ids) for ids in encoded])
    mask = (np.arange(lengths.max()) < lengths[:, None]).astype(np.int32)
    token_ids = np.full(mask.shape, tokenizer.pad_token_id, np.int32)
    token_ids[mask == 1] = np.concatenate(encoded)
    return {"token_ids": token_ids, "token_type_ids": 0 * mask, "attention_mask": mask}


def warm_up_texts(tokenizer: Any, max_length: int) -> list[str]:
    """Texts of several lengths, made of words of the vocabulary: nobody's own texts."""
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    words = [piece for piece, _ in vocabulary if piece.isalpha()] or ["a"]
    lengths = sorted({1, max_length // 8, max_length // 4, max_length // 2, max_length})
    return [
        " ".join(words[(7 * i) % len(words)] for i in range(length)) for length in lengths if length
    ]
