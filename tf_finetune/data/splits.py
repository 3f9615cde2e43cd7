"""Training, validation and test examples, and how they are made from one source."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from tf_finetune.data.stratification import strata_of, take_folds, take_parts, take_sample
from tf_finetune.data.texts_of_rows import TextsOfRows, texts_of_rows
from tf_finetune.data.token_store import TokenBatch, TokenStore
from tf_finetune.data.whole_examples import put_together
from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.problems import Problems, show
from tf_finetune.sources.records import Record
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.labels import LabelSpace

_ROWS_SHOWN = 3


@dataclass(frozen=True, eq=False)
class Split:
    """Some rows of one store, with their targets.

    Attributes:
        name: `train`, `validation` or `test`.
        store: The tokens.
        rows: Rows of the store, int64 `[n]`, ascending.
        labels: What `LabelSpace.encode` gives for these rows, `[n, ...]`.
        task: What they are labels of.
    """

    name: str
    store: TokenStore
    rows: np.ndarray
    labels: np.ndarray
    task: type[LabelSpace] = Classes

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each example, int32 `[n]`."""
        return self.store.lengths[self.rows]

    @cached_property
    def _reads(self) -> np.ndarray:
        return self.store.reads(self.rows)

    @cached_property
    def reads(self) -> np.ndarray:
        """Positions in each text whose final states the head needs, int32 `[n, r]`.

        A row with fewer reads its first token in their place; see `is_read`.
        """
        return np.maximum(self._reads, 0)

    @cached_property
    def is_read(self) -> np.ndarray:
        """Which of the reads there are, bool `[n, r]`."""
        return self._reads >= 0

    @cached_property
    def read_counts(self) -> np.ndarray:
        """Up to which of its reads each row has any, at least 1, int64 `[n]`."""
        width = self.is_read.shape[1]
        last = width - np.argmax(self.is_read[:, ::-1], axis=1)
        return np.where(self.is_read.any(axis=1), last, 1)

    @cached_property
    def examples(self) -> np.ndarray:
        """Which example each row is of, counted from 0 without gaps, int64 `[n]`."""
        return np.unique(self.store.examples[self.rows], return_inverse=True)[1].reshape(-1)

    @property
    def num_examples(self) -> int:
        """Examples, of which a long text is one whatever number of rows it has."""
        return int(self.examples.max(initial=-1)) + 1

    @property
    def mean_length(self) -> int:
        """Mean number of tokens of a text, rounded."""
        return round(float(self.lengths.mean()))

    @property
    def source_rows(self) -> np.ndarray:
        """The 1-based line or row of each example in its source, int64 `[n]`."""
        return self.store.source_rows[self.rows]

    def gather(self, indices: np.ndarray, pad_to: int | None = None) -> TokenBatch:
        """Padded tokens of some examples; `indices` count inside the split."""
        return self.store.gather(self.rows[indices], pad_to)

    def texts(self, indices: np.ndarray) -> list[tuple[str, str | None]]:
        """Text and second text of some examples; `indices` count inside the split."""
        return self.store.texts(self.rows[indices])

    def records(self, indices: np.ndarray) -> list[Record]:
        """The examples that some rows are of, whole and without labels.

        Args:
            indices: Rows, counted inside the split.
        """
        numbers = self.source_rows[indices].tolist()
        if not self.task.makes_rows:
            texts = self.texts(indices)
            return [Record(n, *both, None) for n, both in zip(numbers, texts, strict=True)]
        of = self.examples[indices]
        borders = zip(*(np.searchsorted(self.examples, of + more) for more in (0, 1)), strict=True)
        return [
            put_together(self.store, self.rows[first:after], number)
            for number, (first, after) in zip(numbers, borders, strict=True)
        ]

    def texts_of_rows(self, indices: np.ndarray, width: int) -> TextsOfRows:
        """Of tokens of rows that hold several texts, padded to a width; see `texts_of_rows`."""
        return texts_of_rows(self.reads[indices], self.lengths[indices], width)

    def select(self, indices: np.ndarray) -> "Split":
        """The split of some examples; `indices` (or a mask) count inside the split."""
        labels = self.labels[indices]
        return Split(self.name, self.store, self.rows[indices], labels, self.task)


def whole_split(name: str, store: TokenStore, labels: LabelSpace) -> Split:
    """All rows of a store as a split.

    Raises:
        UserError: If a label of the store is not in `labels`.
    """
    texts = store.reads(np.arange(1)).shape[1]
    if labels.several_texts and texts != labels.num_logits:
        raise UserError(
            f"{store.source}: received examples with {texts} choices; accepted: "
            f"{labels.num_logits}, as in training"
        )
    targets = labels.encode(store.raw_labels)
    return Split(name, store, np.arange(len(store)), targets, type(labels))


def divide(config: DataConfig, labels: LabelSpace, examples: Split) -> dict[str, Split]:
    """Divide the training source into training examples and the splits that are not given.

    Rows with the same text go into the same split, so that none is tested on what it was
    trained on; shares are shares of the distinct texts. The division is stratified, see
    `strata_of`, and decided by `data.split_seed` alone.

    Args:
        config: The `data` section.
        labels: Meaning of the labels.
        examples: All examples of the training source.

    Returns:
        `train`, and `test` and `validation` where they are made.

    Raises:
        UserError: If there are too few examples, or too few of a class.
    """
    validation_fraction = 0.0 if config.folds else config.validation_fraction
    shares = {"test": config.test_fraction, "validation": validation_fraction}
    given = {"test": config.test, "validation": config.validation}
    shares = {name: share for name, share in shares.items() if share and given[name] is None}
    if not shares:
        return {"train": examples}
    first, text = distinct_texts(examples)
    _check_divisible(shares, labels, examples, first)
    sizes = [max(round(share * len(first)), 1) for share in shares.values()]
    strata = strata_of(labels, examples.labels[first], most=min(sizes))
    parts = take_parts(strata, sizes, config.split_seed)[text]
    return {
        name: replace(examples.select(parts == i), name=name)
        for i, name in enumerate([*shares, "train"])
    }


def assign_folds(config: DataConfig, labels: LabelSpace, train: Split) -> np.ndarray | None:
    """Divide the training examples into the folds that `data.folds` asks for.

    As in `divide`, the same texts are in the same fold, and the division is stratified and
    decided by `data.split_seed` alone.

    Args:
        config: The `data` section.
        labels: Meaning of the labels.
        train: The training examples.

    Returns:
        The fold of each example, int64 `[n]`, from 0; None without folds.

    Raises:
        UserError: If there are fewer distinct texts than folds, or fewer of a class.
    """
    folds = config.folds
    if folds is None:
        return None
    first, text = distinct_texts(train)
    problems = Problems()
    _add_too_few(problems, labels, train, first, folds, f"for {folds} folds", "one for each fold")
    _check(problems, "Add examples, leave out the class, or set data.folds to fewer.")
    strata = strata_of(labels, train.labels[first], most=len(first) // folds)
    return take_folds(strata, folds, config.split_seed, 2)[text]


def limit_training(config: DataConfig, labels: LabelSpace, train: Split) -> Split:
    """The sample of the training examples that `data.train_limit` asks for.

    Raises:
        UserError: If the limit is smaller than the number of classes.
    """
    size = config.train_limit
    if size is None or size >= train.num_examples:
        return train
    first = np.unique(train.examples, return_index=True)[1]
    strata = strata_of(labels, train.labels[first], most=size)
    classes = strata.max() + 1
    if size < classes:
        raise UserError(
            f"data.train_limit: received {size}, fewer than the {classes} classes; accepted: "
            f"at least {classes}, or null"
        )
    taken = take_sample(strata, size, config.split_seed, 1)
    return train.select(taken[train.examples])


def _check_divisible(
    shares: dict[str, float], labels: LabelSpace, examples: Split, first: np.ndarray
) -> None:
    """Check that every split can get an example of every class; `first`: distinct texts."""
    problems = Problems()
    if sum(shares.values()) >= 1:
        problems.add(
            f"data.validation_fraction and data.test_fraction: received "
            f"{sum(shares.values()):g} in sum; accepted: less than 1"
        )
    parts = f"for train and {' and '.join(shares)}"
    _add_too_few(problems, labels, examples, first, len(shares) + 1, parts, f"one each {parts}")
    _check(
        problems,
        "Add examples, leave out the class, give data.validation and data.test, or set "
        "data.validation_fraction or data.test_fraction to 0 to go without that split.",
    )


def distinct_texts(examples: Split) -> tuple[np.ndarray, np.ndarray]:
    """The first example of each distinct text, and which text each example has."""
    hashes = examples.store.text_hashes[examples.rows]
    _, first, text = np.unique(hashes, return_index=True, return_inverse=True)
    return first, text


def _add_too_few(
    problems: Problems,
    labels: LabelSpace,
    examples: Split,
    first: np.ndarray,
    fewest: int,
    why: str,
    why_of_class: str,
) -> None:
    """Add a problem where there are fewer distinct texts, or fewer of a class; see `first`."""
    source = examples.store.source
    if len(first) < fewest:
        problems.add(f"{source}: received {_texts(len(first))}; accepted: at least {fewest}, {why}")
    classes = labels.sole_classes(examples.labels)
    if classes is not None:
        rows = np.bincount(classes, minlength=len(labels.names))
        texts = np.bincount(classes[first], minlength=len(labels.names))
        for index in np.flatnonzero((rows > 0) & (texts < fewest)):
            numbers = examples.source_rows[classes == index][:_ROWS_SHOWN].tolist()
            problems.add(
                f"{source}, row {' and '.join(map(str, numbers))}: received the class "
                f"{show(labels.names[index])} with {_texts(texts[index])}; accepted: at least "
                f"{fewest}, {why_of_class}"
            )


def _check(problems: Problems, hint: str) -> None:
    try:
        problems.check()
    except UserError as error:
        raise UserError(error.problems, hint=hint) from None


def _texts(count: int) -> str:
    return "1 distinct text" if count == 1 else f"{count:,} distinct texts"
