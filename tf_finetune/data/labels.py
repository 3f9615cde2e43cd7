"""What the labels mean: the task, the names of the classes, and labels as numbers."""

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tf_finetune.data.sources.problems import Problems, show

Task = Literal["single_label", "multi_label", "regression"]

_NAMES_SHOWN = 10
_LARGEST = float(np.finfo(np.float32).max)
# Not "01", which is a code: its zero must stay.
_INTEGER = re.compile(r"([+-]?(?:0|[1-9]\d{0,17}))(?:\.0*)?", re.ASCII)


@dataclass(frozen=True, eq=False)
class RawLabels:
    """Labels as a source gave them.

    Attributes:
        source: Name of the source, for messages.
        values: `string`, `list<string>` or `double`, a pyarrow chunked array `[n]`.
        rows: Row numbers in the source, for messages, int64 `[n]`.
    """

    source: str
    values: pa.ChunkedArray
    rows: np.ndarray

    def are_lists(self) -> bool:
        """Whether each text has a list of labels."""
        return bool(pa.types.is_list(self.values.type))

    def distinct(self) -> tuple[list[str], np.ndarray, np.ndarray]:
        """The distinct labels, and which one stands where.

        Returns:
            The distinct labels as strings; for each of m labels its index among them, int64
            `[m]`, and its text, int64 `[m]`. m is n unless texts have lists of labels.
        """
        values = self.values.combine_chunks()
        texts = np.arange(len(values))
        if self.are_lists():
            texts = pc.list_parent_indices(values).to_numpy().astype(np.int64)
            values = values.flatten()
        encoded = values.dictionary_encode()
        names = [_as_text(value) for value in encoded.dictionary.to_pylist()]
        return names, encoded.indices.to_numpy().astype(np.int64), texts


@dataclass(frozen=True)
class LabelSpace:
    """The meaning of the model's outputs.

    A label is a name, or an integer that indexes into the names. Where a name is itself an
    integer, labels are always names: with `("1", "2", "3")`, "1" is the first class.

    Attributes:
        task: What is predicted.
        names: Names of the classes in the order of the outputs; empty for regression.
    """

    task: Task
    names: tuple[str, ...] = ()

    @property
    def num_outputs(self) -> int:
        """Number of outputs of the model: one a class, or 1."""
        return 1 if self.task == "regression" else len(self.names)

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
        distinct, which, texts = raw.distinct()
        if raw.are_lists() and self.task != "multi_label":
            problems.add(
                f"{raw.source}, row {raw.rows[0]}: received a list of labels; accepted: one "
                f"label a text, as data.task is {self.task}"
            )
            return np.zeros(len(raw.rows), np.float32)
        values = self._values(distinct)
        _, first, count = np.unique(which, return_index=True, return_counts=True)
        for index, value in enumerate(values):
            if value is None:
                more = f" (and {count[index] - 1:,} more)" if count[index] > 1 else ""
                problems.add(
                    f"{raw.source}, row {raw.rows[texts[first[index]]]}{more}: received the label "
                    f"{show(distinct[index])}; accepted: {self._accepted()}"
                )
        numbers = np.array([value or 0 for value in values], np.float64)[which]
        if self.task == "regression":
            return numbers.astype(np.float32)
        if self.task == "single_label":
            return numbers.astype(np.int32)
        multi_hot = np.zeros((len(raw.rows), len(self.names)), np.float32)
        multi_hot[texts, numbers.astype(np.int64)] = 1.0
        return multi_hot

    def _values(self, labels: list[str]) -> list[float | None]:
        """The target or class index of each label; None where there is none."""
        if self.task == "regression":
            numbers = map(as_number, labels)
            # Too large for float32 counts as infinite; a comparison with NaN is false.
            return [n if n is not None and abs(n) <= _LARGEST else None for n in numbers]
        places: dict[str, int] = {name: index for index, name in enumerate(self.names)}
        if not self._has_integer_names():
            places = {str(index): index for index in range(len(self.names))} | places
        return [places.get(label, places.get(_canonical(label))) for label in labels]

    def _has_integer_names(self) -> bool:
        return any(as_integer(name) is not None for name in self.names)

    def _accepted(self) -> str:
        if self.task == "regression":
            return "a finite number"
        shown = ", ".join(map(show, self.names[:_NAMES_SHOWN]))
        if len(self.names) > _NAMES_SHOWN:
            shown += f" and {len(self.names) - _NAMES_SHOWN} more"
        if not self._has_integer_names():
            shown += f", or their index 0 to {len(self.names) - 1}"
        return f"the labels of the training examples, or of data.label_names: {shown}"


def as_number(label: str) -> float | None:
    """The number a label spells, NaN and infinity included; None if it spells none."""
    try:
        # float() takes Python's 1_000 too.
        return None if "_" in label else float(label)
    except ValueError:
        return None


def as_integer(label: str) -> int | None:
    """The integer a label spells, as "3" or "3.0"; None if it spells none."""
    match = _INTEGER.fullmatch(label)
    return int(match[1]) if match else None


def _canonical(label: str) -> str:
    integer = as_integer(label)
    return label if integer is None else str(integer)


def _as_text(label: str | float) -> str:
    if isinstance(label, str):
        return label
    return str(int(label)) if label.is_integer() else repr(label)
