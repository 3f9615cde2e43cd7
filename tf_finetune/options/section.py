"""The base of every section of options; it answers which of them have a mark."""

from collections.abc import Collection
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict

from tf_finetune.options.marks import Mark


class Section(BaseModel):
    """Base of every section: values cannot change and unknown names are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def names_marked(cls, *marks: Mark, without: Collection[Mark] = ()) -> tuple[str, ...]:
        """Names of the options with any of some marks, in declared order.

        Args:
            marks: The marks; none stands for all.
            without: Marks that an option must not have.

        Returns:
            Names such as `epochs`, or `training.epochs` where sections are inside.
        """
        return tuple(
            name
            for name, own in marks_of(cls).items()
            if (not marks or own.intersection(marks)) and own.isdisjoint(without)
        )

    def marked(self, *marks: Mark, without: Collection[Mark] = ()) -> dict[str, Any]:
        """The values, as JSON has them, of the options that `names_marked` gives, by name."""
        names = self.names_marked(*marks, without=without)
        values = self.model_dump(mode="json")
        return {name: _inside(values, name) for name in names}


@cache
def marks_of(section: type[Section]) -> dict[str, frozenset[Mark]]:
    """The marks of every option of a section, and of the sections inside it, by dotted name."""
    marks: dict[str, frozenset[Mark]] = {}
    for name, field in section.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, Section):
            marks |= {f"{name}.{option}": own for option, own in marks_of(inner).items()}
        else:
            marks[name] = frozenset(mark for mark in field.metadata if isinstance(mark, Mark))
    return marks


def _inside(values: dict[str, Any], name: str) -> Any:
    section, dot, option = name.partition(".")
    return _inside(values[section], option) if dot else values[name]
