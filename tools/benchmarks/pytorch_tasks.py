"""What the PyTorch loop reads and trains for each task of the epoch suite."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import transformers

from tools.benchmarks import pytorch_data, pytorch_training
from tools.benchmarks.pytorch_data import IGNORED, MAX_LENGTH, TokenisedTexts

LoadTexts = Callable[
    [Path, transformers.PreTrainedTokenizerBase, list[str] | None],
    tuple[TokenisedTexts, list[str]],
]


class PyTorchTask(NamedTuple):
    """A task as users of PyTorch write it.

    Attributes:
        load_texts: Reads and tokenises a file; classes are named by the training file.
        model: Class of transformers.
    """

    load_texts: LoadTexts
    model: type[transformers.PreTrainedModel]


def load_tagged_words(
    path: Path, tokenizer: transformers.PreTrainedTokenizerBase, names: list[str] | None
) -> tuple[TokenisedTexts, list[str]]:
    """Reads a word and a tag a line; a word's first piece carries its tag."""
    sentences = pytorch_data.read_conll(path)
    names = names or _tag_set(sentences)
    number = {name: index for index, name in enumerate(names)}
    unseen = len(names)  # a tag that only the other file has: no prediction is right
    encoded = tokenizer(
        [words for words, _ in sentences],
        is_split_into_words=True,
        truncation=True,
        padding=False,
        max_length=MAX_LENGTH,
    )
    targets = []
    for row, (_, tags) in enumerate(sentences):
        of_pieces, before = [], None
        for word in encoded.word_ids(row):
            first = word is not None and word != before
            of_pieces.append(number.get(tags[word], unseen) if first else IGNORED)
            before = word
        targets.append(of_pieces)
    return TokenisedTexts(encoded["input_ids"], targets), names


def _tag_set(sentences: list[tuple[list[str], list[str]]]) -> list[str]:
    """The tags of every kind that occurs, whether or not both of them do."""
    kinds = {tag.partition("-")[2] for _, tags in sentences for tag in tags if tag != "O"}
    return ["O", *(f"{border}-{kind}" for kind in sorted(kinds) for border in "BI")]


PYTORCH_TASKS = {
    "single_label": PyTorchTask(
        pytorch_training.load_texts, transformers.BertForSequenceClassification
    ),
    "token_classification": PyTorchTask(load_tagged_words, transformers.BertForTokenClassification),
}
