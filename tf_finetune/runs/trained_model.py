"""A finished run's model, loaded to score and to predict."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.batch import Inputs, PackedTexts, Texts, Tokens, text_rows
from tf_finetune.data.batches import evaluation_batches
from tf_finetune.data.texts_of_rows import texts_of_rows
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.encoders.token_rows import TokenRows, token_rows
from tf_finetune.encoders.tokenizers import gives_types, load_tokenizer, whole_texts
from tf_finetune.methods.full import Full
from tf_finetune.models.building import build
from tf_finetune.models.classifier import Classifier
from tf_finetune.models.spec import Spec, spec_of
from tf_finetune.models.weights import OfRun
from tf_finetune.sources.records import Record
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.task_rows import TaskRow
from tf_finetune.training.batch_shapes import evaluation_shape
from tf_finetune.training.compiling import compile_fine_tuner
from tf_finetune.training.fine_tuner import FineTuner
from tf_finetune.training.pipeline import BatchShape
from tf_finetune.training.strategy import ChosenStrategy

if TYPE_CHECKING:
    from tf_finetune.evaluation.explanation.explainer import Explainer

# To trace the forward pass takes as long as about twenty batches without a trace.
_MOST_UNTRACED_BATCHES = 8


@dataclass(frozen=True)
class TrainedModel:
    """A model with all that is needed to use it.

    Attributes:
        spec: What it is, with the run's configuration.
        classifier: The model.
        tokenizer: The tokenizer it was trained with.
        chosen: The strategy it was built under.
    """

    spec: Spec
    classifier: Classifier
    tokenizer: Any
    chosen: ChosenStrategy

    @property
    def labels(self) -> LabelSpace:
        """What its outputs mean."""
        return self.spec.labels

    @property
    def config(self) -> ExperimentConfig:
        """The run's configuration."""
        return self.spec.config

    @property
    def max_length(self) -> int:
        """Longest text in tokens."""
        return self.config.data.max_length

    @cached_property
    def model(self) -> FineTuner:
        """The model compiled, for `predict_logits`."""
        return compile_fine_tuner(self.classifier, self.spec, self.chosen)

    @property
    def scoring_shape(self) -> BatchShape:
        """How batches of whole splits are cut for `model`."""
        config = self.config
        return evaluation_shape(config.evaluation, config.training, self.max_length, self.chosen)

    @cached_property
    def _traced(self) -> Callable[..., tf.Tensor]:
        """The traced forward pass; one trace serves batches of any size and length."""
        return self._traced_of(self._forward)

    @cached_property
    def _traced_vectors(self) -> Callable[..., tf.Tensor]:
        """The same, up to the vectors that the head answers from."""
        return self._traced_of(self.classifier.head_vectors)

    def _traced_of(self, forward: Callable[[Inputs], tf.Tensor]) -> Callable[..., tf.Tensor]:
        tokens = tf.TensorSpec([None, None], tf.int32)
        texts = PackedTexts(*[tokens] * 3) if self.labels.several_texts else Texts(tokens, tokens)
        inputs = Inputs(Tokens(tokens, tokens), texts)
        traced = tf.function(forward, input_signature=[inputs], autograph=False)
        # The function itself would count traces of other models, and warn of them.
        return traced.get_concrete_function()

    def _forward(self, inputs: Inputs) -> tf.Tensor:
        return self.classifier(inputs, training=False)

    def _inputs(self, tokens: TokenRows, places: list[int]) -> Inputs:
        ids, types, mask = tokens.padded(places)
        reads = tokens.padded_reads(places)
        inputs = text_rows(ids, types, mask, reads)
        if self.labels.several_texts:
            found = texts_of_rows(reads, mask.sum(axis=1), mask.shape[1])
            inputs = inputs._replace(texts=PackedTexts(*found, reads))
        return inputs

    @cached_property
    def explainer(self) -> "Explainer":
        """Says what words contributed to an output; its trace serves every text too."""
        from tf_finetune.evaluation.explanation.explainer import (
            Explainer,  # loads scikit-learn, for its reports
        )

        return Explainer(self.classifier, self.tokenizer, self.labels, self.max_length)

    def rows_of(self, records: Sequence[Record]) -> list[TaskRow]:
        """The rows of some examples, where the task makes them; else none."""
        if not self.labels.makes_rows:
            return []
        return list(self.labels.rows(records, self._backend, self.max_length))

    @cached_property
    def _backend(self) -> Any:
        return whole_texts(self.tokenizer.backend_tokenizer)

    def _tokens_of(self, records: Sequence[Record], rows: Sequence[TaskRow]) -> TokenRows:
        if self.labels.makes_rows:
            ids = [row.ids for row in rows]
            typed = gives_types(self.tokenizer)
            types = [row.types if typed and row.types else [0] * len(row.ids) for row in rows]
            fill = self.tokenizer.pad_token_id or 0
            return TokenRows(ids, types, fill, [row.reads for row in rows])
        pairs = [r.text_pair or "" for r in records] if records[0].text_pair is not None else None
        return token_rows(self.tokenizer, [r.text for r in records], pairs, self.max_length)

    def logits_of(
        self,
        records: Sequence[Record],
        batch_size: int,
        *,
        traced: bool | None = None,
        rows: Sequence[TaskRow] = (),
    ) -> np.ndarray:
        """Logits of some texts in their order, float32 [n, labels].

        Of a task that makes its rows those of the rows, [rows, r * labels].

        Args:
            records: The texts.
            batch_size: Texts a forward pass.
            traced: Whether the forward pass is a traced graph: it takes seconds to make, and
                then computes a small batch ten times as fast. The two differ by rounding. None:
                where there are many batches, so that the answer is a function of the texts,
                whatever the model has answered before.
            rows: Of a task that makes its rows, from `rows_of`.
        """
        tokens = self._tokens_of(records, rows)
        batches = evaluation_batches(tokens.lengths, batch_size)
        if traced is None:
            traced = len(batches) > _MOST_UNTRACED_BATCHES
        forward = self._traced if traced else self._forward
        logits = self._by_read(tokens, batches, forward, self.labels.num_outputs)
        return logits.reshape(len(logits), -1)

    def vectors_of(
        self, records: Sequence[Record], batch_size: int, *, rows: Sequence[TaskRow] = ()
    ) -> np.ndarray:
        """What the head reads of some examples, the mean of all that it reads of one.

        The arguments are those of `logits_of`.

        Returns:
            float32 [n, hidden].
        """
        tokens = self._tokens_of(records, rows)
        batches = evaluation_batches(tokens.lengths, batch_size)
        many, width = len(batches) > _MOST_UNTRACED_BATCHES, self.classifier.files.sizes.hidden
        forward = self._traced_vectors if many else self.classifier.head_vectors
        of_reads = self._by_read(tokens, batches, forward, width)
        examples = [row.example for row in rows] or np.arange(len(records))
        sums = np.zeros((len(records), width), np.float32)
        np.add.at(sums, examples, of_reads.sum(axis=1))
        counts = np.bincount(examples, tokens.is_read().sum(axis=1), minlength=len(records))
        return sums / np.maximum(counts, 1)[:, None].astype(np.float32)

    def _by_read(
        self,
        tokens: TokenRows,
        batches: Sequence[np.ndarray],
        forward: Callable[[Inputs], tf.Tensor],
        width: int,
    ) -> np.ndarray:
        """What is computed of each read of rows, float32 [n, r, width]; 0 where there is none."""
        is_read = tokens.is_read()
        values = np.zeros((*is_read.shape, width), np.float32)
        for places in batches:
            inputs = self._inputs(tokens, places.tolist())
            found = forward(tf.nest.map_structure(tf.constant, inputs)).numpy()
            by_read = found.reshape(len(places), -1, width)
            values[places, : by_read.shape[1]] = by_read
        # Places without a read were computed all the same, of the first token.
        values[~is_read] = 0.0
        return values


def load_trained_model(
    files: EncoderFiles,
    labels: LabelSpace,
    config: ExperimentConfig,
    chosen: ChosenStrategy,
    *,
    precision: str | None = None,
) -> TrainedModel:
    """Loads the model folder of a run.

    Args:
        files: The checked model folder.
        labels: From its config.json.
        config: The run's configuration.
        chosen: The strategy to build under.
        precision: What it computes in; None: what it was trained in.
    """
    if config.method.merges:  # its weights hold all of it
        config = config.model_copy(update={"method": Full()})
    spec = spec_of(config, files, labels, precision=precision)
    classifier = build(spec, OfRun(), chosen.strategy)
    return TrainedModel(spec, classifier, load_tokenizer(files), chosen)
