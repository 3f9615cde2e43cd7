"""The base of every section of options; it answers which of them have a mark."""

from collections.abc import Collection
from functools import cache
from typing import Any, TypeGuard

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
        """The values, as JSON has them, of the options that `names_marked` gives, by name.

        A section that has a mark as a whole gives each of its options.
        """
        names = self.names_marked(*marks, without=without)
        values = self.model_dump(mode="json")
        found: dict[str, Any] = {}
        for name in names:
            value, field = _inside(values, name), type(self).model_fields.get(name)
            if field is not None and _is_section(field.annotation):
                found |= {f"{name}.{option}": inner for option, inner in value.items()}
            else:
                found[name] = value
        return found


@cache
def marks_of(section: type[Section]) -> dict[str, frozenset[Mark]]:
    """The marks of every option of a section, and of the sections inside it, by dotted name.

    A section that has a mark itself, whatever its class, is one option.
    """
    marks: dict[str, frozenset[Mark]] = {}
    for name, field in section.model_fields.items():
        inner = field.annotation
        own = frozenset(mark for mark in field.metadata if isinstance(mark, Mark))
        if _is_section(inner) and not own:
            marks |= {f"{name}.{option}": found for option, found in marks_of(inner).items()}
        else:
            marks[name] = own
    return marks


def _is_section(annotation: Any) -> TypeGuard[type[Section]]:
    return isinstance(annotation, type) and issubclass(annotation, Section)


def _inside(values: dict[str, Any], name: str) -> Any:
    section, dot, option = name.partition(".")
    return _inside(values[section], option) if dot else values[name]
