"""What the labels mean: the task, the names of the classes, and labels as numbers."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from tf_finetune.errors import UserError
from tf_finetune.sources.numbers import (
    DecimalMark,
    as_flag,
    as_integer,
    as_number,
    canonical,
    is_missing,
)
from tf_finetune.sources.problems import Problems, show
from tf_finetune.tasks.look_alikes import look
from tf_finetune.tasks.raw_labels import RawLabels

Task = Literal["single_label", "multi_label", "regression"]

_NAMES_SHOWN = 10
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class LabelSpace:
    """The meaning of the model's outputs.

    A label is a name, or an integer that indexes into the names. Where a name is itself an
    integer, labels are always names: with `("1", "2", "3")`, "1" is the first class. Lists of
    one length that hold only zeros and ones say by their places which names are meant.

    Attributes:
        task: What is predicted.
        names: Names of the classes in the order of the outputs; empty for regression.
        decimal_mark: What begins the decimals of labels that are numbers.
        threshold: Probability above which a label applies, where a text has several.
    """

    task: Task
    names: tuple[str, ...] = ()
    decimal_mark: DecimalMark = "point"
    threshold: float = 0.5

    @property
    def num_outputs(self) -> int:
        """Number of outputs of the model: one a class, or 1."""
        return 1 if self.task == "regression" else len(self.names)

    def decided_at(self, threshold: float | Literal["auto"]) -> "LabelSpace":
        """The same space with the threshold that an option gives; "auto" leaves it as it is.

        Raises:
            UserError: A threshold that is not 0.5 is given for a task that has none.
        """
        if self.task != "multi_label" and threshold != 0.5:
            raise UserError(
                f"evaluation.threshold: received {threshold} for a {self.task} task; accepted: "
                "0.5, because only with several labels a text there is one to decide at"
            )
        return self if threshold == "auto" else replace(self, threshold=threshold)

    def encode(self, raw: RawLabels) -> np.ndarray:
        """Labels as training targets.

        Returns:
            Class indices int32 `[n]`, multi-hot rows float32 `[n, num_outputs]`, or targets
            float32 `[n]`.

        Raises:
            UserError: If labels are not of this space; names file, row and value.
        """
        problems = Problems()
        encoded = self.encode_collecting(raw, problems)
        problems.check()
        return encoded

    def encode_collecting(self, raw: RawLabels, problems: Problems) -> np.ndarray:
        """As `encode`, but adds what is wrong to `problems` instead of raising it."""
        if self.task == "single_label":
            raw = raw.parted(self.names)
        before = problems.count
        if raw.are_lists():
            self._check_lists(raw, problems)
        if problems.count > before:
            return np.zeros(len(raw.rows), np.float32)
        if raw.width is not None:
            flags = raw.flags()
            single = self.task == "single_label"
            return flags.argmax(axis=1).astype(np.int32) if single else flags.astype(np.float32)
        return self._encode_names(raw, problems)

    def _encode_names(self, raw: RawLabels, problems: Problems) -> np.ndarray:
        distinct, which, texts = raw.distinct
        values = self._values(distinct)
        if None in values:
            self._add_unknown(raw, values, problems)
        numbers = np.array([value or 0 for value in values], np.float64)[which]
        if self.task == "regression":
            return numbers.astype(np.float32)
        if self.task == "single_label":
            return numbers.astype(np.int32)
        multi_hot = np.zeros((len(raw.rows), len(self.names)), np.float32)
        multi_hot[texts, numbers.astype(np.int64)] = 1.0
        return multi_hot

    def _add_unknown(self, raw: RawLabels, values: list[float | None], problems: Problems) -> None:
        distinct, which, texts = raw.distinct
        known = {look(name): name for name in reversed(self.names)}
        _, first, count = np.unique(which, return_index=True, return_counts=True)
        for index, value in enumerate(values):
            if value is not None:
                continue
            label = distinct[index]
            more = f" (and {count[index] - 1:,} more)" if count[index] > 1 else ""
            missing = ", which says that it is missing" if is_missing(label) else ""
            alike = known.get(look(label))
            advice = f"; it looks like {show(alike)}" if alike is not None else ""
            problems.add(
                f"{raw.source}, row {raw.rows[texts[first[index]]]}{more}: received the label "
                f"{show(label)}{missing}; accepted: {self._accepted()}{advice}"
            )

    def _check_lists(self, raw: RawLabels, problems: Problems) -> None:
        """Notes lists that cannot be meant as the labels of this space."""
        if self.task == "regression":
            problems.add(
                f"{raw.source}, row {raw.rows[0]}: received a list of labels; accepted: one "
                "number a text, as data.task is regression"
            )
        elif raw.width is not None and raw.width != len(self.names):
            problems.add(
                f"{raw.source}, row {raw.rows[0]}: received lists of {raw.width} zeros and ones; "
                f"accepted: {len(self.names)}, one for each label: {_shown(self.names)}"
            )
        elif raw.width is None and raw.hold_flags() and raw.repeat_in_lists():
            usual = int(np.bincount(raw.lengths).argmax())
            _add_rows(raw, raw.lengths != usual, f"lists of {usual} zeros and ones", problems)
        elif self.task == "single_label":
            counts = raw.lengths if raw.width is None else raw.flags().sum(axis=1)
            accepted = "one label a text, as data.task is single_label"
            _add_rows(raw, counts != 1, accepted, problems)

    def _values(self, labels: list[str]) -> list[float | None]:
        """The target or class index of each label; None where there is none."""
        if self.task == "regression":
            numbers = (as_number(label, self.decimal_mark) for label in labels)
            # Too large for float32 counts as infinite; a comparison with NaN is false.
            return [n if n is not None and abs(n) <= _LARGEST else None for n in numbers]
        places: dict[str, int] = {name: index for index, name in enumerate(self.names)}
        if not self._has_integer_names():
            places = {str(index): index for index in range(len(self.names))} | places
        return [places.get(label, places.get(self._plain(label))) for label in labels]

    def _plain(self, label: str) -> str:
        if set(self.names) == {"0", "1"} and (flag := as_flag(label)) is not None:
            return str(int(flag))
        return canonical(label, self.decimal_mark)

    def _has_integer_names(self) -> bool:
        return any(as_integer(name) is not None for name in self.names)

    def _accepted(self) -> str:
        if self.task == "regression":
            return "a finite number such as 3 or -0.5"
        shown = _shown(self.names)
        if not self._has_integer_names():
            shown += f", or their index 0 to {len(self.names) - 1}"
        return f"the labels of the training examples, or of data.label_names: {shown}"


def unnamed_labels(task: Task, count: int) -> LabelSpace:
    """So many outputs whose names are not known."""
    return LabelSpace(task, () if task == "regression" else tuple(map(str, range(count))))


def _shown(names: tuple[str, ...]) -> str:
    shown = ", ".join(map(show, names[:_NAMES_SHOWN]))
    more = len(names) - _NAMES_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def _add_rows(raw: RawLabels, wrong: np.ndarray, accepted: str, problems: Problems) -> None:
    """Notes the rows whose list is not as the others are."""
    for index in np.flatnonzero(wrong):
        labels = raw.values[int(index)].as_py()
        problems.add(
            f"{raw.source}, row {raw.rows[index]}: received the list {show(labels)}; accepted: "
            f"{accepted}"
        )
