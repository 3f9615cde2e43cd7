"""What reads the records of a task that are more than a text and its label."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from tf_finetune.options.data import DataConfig
from tf_finetune.sources.inference import Sample
from tf_finetune.sources.problems import Problems, show_names
from tf_finetune.sources.records import Record
from tf_finetune.sources.table import Kind, Row, Table

_NEARLY_ALL = 0.9
ReadRow = Callable[[Row], Record | None]


class RecordForm(ABC):
    """How the records of one task stand in the rows of a table.

    Attributes:
        task: The name that `data.task` takes.
        kinds: Kinds of tables that hold records of this task and of no other.
        needs: What a source of it has, for messages.
        options: Options of the data section that have a meaning for it, beside those of files.
    """

    task: ClassVar[str]
    kinds: ClassVar[tuple[Kind, ...]] = ()
    needs: ClassVar[str]
    options: ClassVar[frozenset[str]]

    def open_text(self, config: DataConfig, source: str, path: Path) -> Table | None:
        """Opens a text file that is plainly written in a way of this task's own, whatever its name.

        Returns:
            The table; None of other files.
        """
        return None

    @abstractmethod
    def recognised(self, table: Table, sample: Sample, config: DataConfig) -> dict[str, object]:
        """The columns of a table that is certainly of this task, by option; {} of any other."""

    @abstractmethod
    def columns(
        self,
        table: Table,
        sample: Sample,
        config: DataConfig,
        problems: Problems,
        *,
        labelled: bool,
    ) -> dict[str, object]:
        """The columns of a table that is said to be of this task, by option.

        Args:
            table: The source that decides.
            sample: Its first rows.
            config: Options of the data section; those that are set stay.
            problems: Gets each column that cannot be inferred.
            labelled: Whether labels are needed.
        """

    def used_columns(self, config: DataConfig, *, labelled: bool) -> list[tuple[str, str]]:
        """The columns that the options name, each after its option."""
        used = [("text_column", config.text_column), ("text_pair_column", config.text_pair_column)]
        used += [("span_columns", name) for name in config.span_columns or ()]
        used += [("choice_columns", name) for name in config.choice_columns or ()]
        if labelled:
            used.append(("label_column", config.label_column))
        return [(option, name) for option, name in used if name is not None]

    @abstractmethod
    def reader(
        self, table: Table | None, config: DataConfig, problems: Problems, *, labelled: bool
    ) -> ReadRow:
        """What makes records of a table's rows, or None and a problem.

        Where the whole source decides how a row is read, all of it is read for that first.

        Args:
            table: The source; None where rows without labels come from elsewhere.
            config: Options of the data section, columns resolved.
            problems: Gets what is wrong with a row.
            labelled: Whether labels are read.
        """


def first_named(columns: Sequence[str], names: Sequence[str]) -> str | None:
    """The column with the first of some names that occurs, whatever the case of its letters."""
    lowered = {column.lower(): column for column in reversed(columns)}
    return next((lowered[name] for name in names if name in lowered), None)


def mostly(facts: Iterable[bool]) -> bool:
    """Whether something is so of nearly all rows; the others get a message each when read."""
    found = list(facts)
    return bool(found) and sum(found) >= _NEARLY_ALL * len(found)


def undecided(form: RecordForm, sample: Sample, option: str, reason: str) -> str:
    """The message about a column that cannot be inferred."""
    return (
        f"{sample.name}: data.{option} cannot be inferred: {reason}; data.task: {form.task} needs "
        f"{form.needs}; accepted: one of the columns {show_names(sample.columns)}"
    )
