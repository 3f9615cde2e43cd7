"""Texts and batches of the PyTorch loop, the way its users write them: lists and NumPy."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np

MAX_LENGTH = 128
# The target of a piece that has none, as in PyTorch's cross-entropy.
IGNORED = -100
# Length grouping as in the Trainer of transformers: sort inside shuffled stretches of batches.
BATCHES_A_STRETCH = 50


@dataclasses.dataclass(frozen=True)
class TokenisedTexts:
    """Tokenised, labelled texts, not padded.

    Attributes:
        token_ids: One list of ids a text, special tokens included, at most MAX_LENGTH.
        labels: int64 [n], or a list of one label a piece for each text.
    """

    token_ids: list[list[int]]
    labels: np.ndarray | list[list[int]]

    def __len__(self) -> int:
        return len(self.token_ids)

    def lengths(self) -> np.ndarray:
        """Tokens of each text: int64 [n]."""
        return np.array([len(ids) for ids in self.token_ids], np.int64)

    def collate(self, rows: np.ndarray, pad_to: int | None) -> dict[str, np.ndarray]:
        """Pads texts to one length: their longest, or `pad_to`.

        Args:
            rows: Which texts, int64 [b].
            pad_to: Length in tokens; None takes the longest of them.

        Returns:
            `input_ids`, `attention_mask` int64 [b, t] and `labels` int64 [b], or [b, t] with
            `IGNORED` where a piece has none.
        """
        texts = [self.token_ids[row] for row in rows]
        width = pad_to or max(len(ids) for ids in texts)
        input_ids = np.zeros((len(texts), width), np.int64)
        mask = np.zeros((len(texts), width), np.int64)
        for i, ids in enumerate(texts):
            input_ids[i, : len(ids)] = ids
            mask[i, : len(ids)] = 1
        return {
            "input_ids": input_ids,
            "attention_mask": mask,
            "labels": self._targets(rows, width),
        }

    def _targets(self, rows: np.ndarray, width: int) -> np.ndarray:
        if isinstance(self.labels, np.ndarray):
            return self.labels[rows]
        targets = np.full((len(rows), width), IGNORED, np.int64)
        for i, row in enumerate(rows):
            targets[i, : len(self.labels[row])] = self.labels[row]
        return targets


def read_labelled_tsv(path: Path) -> tuple[list[str], list[str]]:
    """Reads a TSV file with the columns `text` and `label`, without quoting.

    Returns:
        The texts and their labels.

    Raises:
        ValueError: If the header or a row is not as expected.
    """
    header, *rows = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    if header.split("\t") != ["text", "label"]:
        raise ValueError(f"{path}, row 1: expected the columns text and label, got {header!r}")
    fields = [row.split("\t") for row in rows]
    for number, row in enumerate(fields, start=2):
        if len(row) != 2:
            raise ValueError(f"{path}, row {number}: expected 2 fields, got {len(row)}")
    return [text for text, _ in fields], [label for _, label in fields]


def read_conll(path: Path) -> list[tuple[list[str], list[str]]]:
    """Reads a word and its tag a line, parted by a tab; a blank line ends a sentence.

    Returns:
        The words and the tags of each sentence.
    """
    sentences = []
    for block in path.read_text(encoding="utf-8").strip("\n").split("\n\n"):
        pairs = [line.split("\t") for line in block.split("\n")]
        sentences.append(([word for word, _ in pairs], [tag for _, tag in pairs]))
    return sentences


def shuffled_batches(n: int, batch_size: int, generator: np.random.Generator) -> list[np.ndarray]:
    """Cuts a random order into batches; the last one may be smaller."""
    order = generator.permutation(n)
    return [order[start : start + batch_size] for start in range(0, n, batch_size)]


def length_grouped_batches(
    lengths: np.ndarray, batch_size: int, generator: np.random.Generator
) -> list[np.ndarray]:
    """Batches of texts of like length, in random order.

    Args:
        lengths: Tokens of each text, int64 [n].
        batch_size: Examples a batch.
        generator: Source of the order.

    Returns:
        Row numbers of each batch.
    """
    batches: list[np.ndarray] = []
    for stretch in shuffled_batches(len(lengths), batch_size * BATCHES_A_STRETCH, generator):
        ordered = stretch[np.argsort(-lengths[stretch], kind="stable")]
        batches += [ordered[i : i + batch_size] for i in range(0, len(ordered), batch_size)]
    return [batches[i] for i in generator.permutation(len(batches))]


def sorted_batches(lengths: np.ndarray, batch_size: int) -> Iterator[np.ndarray]:
    """Batches for evaluation, where the order does not matter: sorted by length."""
    order = np.argsort(-lengths, kind="stable")
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]
