"""Labels as numbers: what a source's labels mean, and how examples are spread and weighed."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from typing_extensions import Self  # of typing since Python 3.11

from tf_finetune.errors import UserError
from tf_finetune.sources.numbers import DecimalMark, is_missing
from tf_finetune.sources.problems import Problems, show
from tf_finetune.sources.records import Record
from tf_finetune.tasks.look_alikes import look
from tf_finetune.tasks.raw_labels import RawLabels

if TYPE_CHECKING:
    from tf_finetune.tasks.task_rows import TaskRow

# How labels are written in sources.
Written = Literal[
    "single_label",
    "multi_label",
    "regression",
    "token_classification",
    "relation",
    "multiple_choice",
    "span",
]


@dataclass(frozen=True)
class LabelEncoding(ABC):
    """The side of a task that faces the data.

    Targets are encoded labels of n examples, shaped as the task likes.

    Attributes:
        names: Names of the classes in the order of the outputs; empty for numbers.
        decimal_mark: What begins the decimals of labels that are numbers.
        task: The name that `data.task` takes.
        read_as: How labels are written in sources: names, sets of names, numbers, names of texts
            with two marked entities, numbers of choices, or answers with their places.
        fewest_names: How many names there must be; 0 where labels are no names.
        makes_rows: Whether it makes the rows of examples itself, with `rows`.
        answers_each_read: Whether each state that is read of a row is answered for itself, so that
            a row has as many targets; otherwise it has one.
        several_texts: Whether a row holds several texts that do not see each other, whose outputs
            together are its answer; `reads` of its rows are then where they begin.
        joins_reads: Whether all that is read of a row is answered together: the loss of its one
            target takes the outputs of all its reads, [b, r * C].
    """

    names: tuple[str, ...] = ()
    decimal_mark: DecimalMark = "point"

    task: ClassVar[str]
    read_as: ClassVar[Written]
    fewest_names: ClassVar[int] = 0
    makes_rows: ClassVar[bool] = False
    answers_each_read: ClassVar[bool] = False
    several_texts: ClassVar[bool] = False
    joins_reads: ClassVar[bool] = False

    @classmethod
    def reads_several(cls) -> bool:
        """Whether rows have several states that are read, whose outputs stand side by side."""
        return cls.answers_each_read or cls.joins_reads

    @classmethod
    def rows(cls, records: Sequence[Record], backend: Any, max_length: int) -> Iterator["TaskRow"]:
        """The rows of examples, in their order, where the task `makes_rows`.

        Args:
            records: The examples.
            backend: Of a fast tokenizer; it neither pads nor cuts.
            max_length: Tokens of a row at most.
        """
        raise ValueError(f"a {cls.task} task reads a text as it is")

    @staticmethod
    def answer_targets(targets: np.ndarray, reads: int) -> np.ndarray:
        """Targets of rows as a batch has them: of each answer, [b, s, ...].

        Args:
            targets: Of b rows.
            reads: States that are read of each.
        """
        return targets[:, None]

    @staticmethod
    def answer_weights(weights: np.ndarray, is_read: np.ndarray) -> np.ndarray:
        """Weights of the answers in the loss, float32 [b, s].

        Args:
            weights: Of b rows, float32 [b].
            is_read: Which of its reads each row has, bool [b, r].
        """
        return weights[:, None]

    @staticmethod
    def joined_targets(*targets: np.ndarray) -> np.ndarray:
        """Targets of several splits, one after the other."""
        return np.concatenate(targets)

    @staticmethod
    def most_reads(length: int) -> int:
        """States that are read of a row at most.

        Args:
            length: Tokens of the row.
        """
        return 1

    @staticmethod
    def examples_of(targets: np.ndarray) -> np.ndarray:
        """Which example each row with these targets is of, counted from 0, int64 [n]."""
        return np.arange(len(targets))

    @classmethod
    def example_count(cls, targets: np.ndarray) -> int:
        """How many examples rows with these targets are of."""
        return int(cls.examples_of(targets).max(initial=-1)) + 1

    @classmethod
    def arranged(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        """The names of the outputs, from those that labels hold or options give."""
        return names

    @classmethod
    def names_of(cls, texts: int) -> tuple[str, ...] | None:
        """The names that the number of a row's texts gives; None where labels give them."""
        return None

    @property
    def num_outputs(self) -> int:
        """Number of outputs of the model for each row that it reads."""
        return len(self.names)

    @property
    def num_logits(self) -> int:
        """C, the number of logits of an example, which may be several rows."""
        return self.num_outputs

    @property
    def threshold(self) -> float | None:
        """Probability above which a label applies; None where nothing is decided by one."""
        return None

    def decided_at(self, threshold: float | Literal["auto"]) -> Self:
        """The same space with the threshold that an option gives; "auto" leaves it as it is.

        Raises:
            UserError: A threshold that is not 0.5 is given for a task that has none.
        """
        if threshold != 0.5:
            raise UserError(
                f"evaluation.threshold: received {threshold} for a {self.task} task; accepted: "
                "0.5, because only with several labels a text, or where questions may have no "
                "answer, there is one to decide at"
            )
        return self

    def fitted(self, targets: np.ndarray) -> Self:
        """The same space with what training targets say beside the names."""
        return self

    def encode(self, raw: RawLabels) -> np.ndarray:
        """Labels as training targets.

        Raises:
            UserError: If labels are not of this space; names file, row and value.
        """
        problems = Problems()
        encoded = self.encode_collecting(raw, problems)
        problems.check()
        return encoded

    def encode_collecting(self, raw: RawLabels, problems: Problems) -> np.ndarray:
        """As `encode`, but adds what is wrong to `problems` instead of raising it."""
        raw = self.prepared(raw, self.names)
        before = problems.count
        if raw.are_lists():
            self.check_lists(raw, problems)
        if problems.count > before:
            return np.zeros(len(raw.rows), np.float32)
        if raw.width is not None:
            return self.of_flags(raw.flags())
        distinct, which, texts = raw.distinct
        values = self.values_of(distinct)
        if None in values:
            self._add_unknown(raw, values, problems)
        numbers = np.array([value or 0 for value in values], np.float64)[which]
        return self.of_numbers(numbers, texts, len(raw.rows))

    @classmethod
    def prepared(cls, raw: RawLabels, names: Collection[str]) -> RawLabels:
        """The labels as the task reads them, where `names` are known to be names."""
        return raw

    @abstractmethod
    def values_of(self, labels: list[str]) -> list[float | None]:
        """The target or class index of each label; None where there is none."""

    @abstractmethod
    def of_numbers(self, numbers: np.ndarray, texts: np.ndarray, num_texts: int) -> np.ndarray:
        """Targets from the number of each label [m] and the text that has it [m]."""

    @abstractmethod
    def check_lists(self, raw: RawLabels, problems: Problems) -> None:
        """Notes lists that cannot be meant as the labels of this space."""

    def of_flags(self, flags: np.ndarray) -> np.ndarray:
        """Targets from zeros and ones by place, bool [n, C]."""
        raise ValueError(f"a {self.task} task has no lists")

    @abstractmethod
    def accepted(self) -> str:
        """What a label may be, in words."""

    @abstractmethod
    def same_in_all(self, targets: np.ndarray) -> tuple[str, str] | None:
        """What is the same in all training targets, and what is accepted instead; None if fine."""

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
                f"{show(label)}{missing}; accepted: {self.accepted()}{advice}"
            )

    @abstractmethod
    def strata(self, targets: np.ndarray, most: int) -> np.ndarray:
        """What should be spread evenly over splits: a stratum of each example, int [n].

        Args:
            targets: The examples'.
            most: Strata at most, at least 1, as a part has at least one example of each. Classes
                that exclude each other are never merged.
        """

    def sole_classes(self, targets: np.ndarray) -> np.ndarray | None:
        """The one class of each example, int [n], of which every split needs some; else None."""
        return None

    def example_weights(self, option: str | Mapping[str, float], targets: np.ndarray) -> np.ndarray:
        """Loss weight of each training example, float32 [n].

        Args:
            option: `training.class_weights`: "none", "balanced" or weights by class name.
            targets: Those of the training examples.

        Raises:
            UserError: The task has no single class an example, or a name is not a class.
        """
        if option != "none":
            raise UserError(
                f"training.class_weights: received {option!r} for a {self.task} task; "
                "accepted: none"
            )
        return np.ones(len(targets), np.float32)
