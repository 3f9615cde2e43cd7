"""Loading a configuration: defaults < base < YAML file < command line, validated once."""

import difflib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tf_finetune.config.describe import option_names
from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.config.mistakes import (
    COMMAND_LINE,
    ConfigMistake,
    ValuePlace,
    as_user_error,
    dotted,
    section_names,
    shown,
    unknown_option,
    unknown_section,
    validation_mistakes,
    wrong_value,
)
from tf_finetune.config.schema import schema_at, takes_collection, takes_list_of_scalars
from tf_finetune.config.single_values import with_lists
from tf_finetune.errors import UserError
from tf_finetune.storage.yaml_document import (
    DocumentError,
    Value,
    ValuePath,
    parse_document,
    read_document,
)

# Names that options have beside their own, as methods are named by `method.name`.
_OTHER_NAMES = {"task.name": "data.task"}
_NULLS = ("null", "Null", "NULL", "~")


def load_config(
    path: str | os.PathLike[str] | None,
    overrides: Sequence[str] = (),
    *,
    base: Mapping[str, Mapping[str, Any]] | None = None,
    required: Sequence[str] = (),
    given: Sequence[Mapping[str, Any]] = (),
) -> ExperimentConfig:
    """Merges every source of options and validates the result once.

    Args:
        path: YAML file, or None. How its values are read: docs/configuration.md.
        overrides: `section.name=value`. The value is taken as it is, unless it is in quotation
            marks, its option takes a mapping, or a list is written in brackets: then it is read as
            YAML.
        base: Values that the file and the overrides go before, by section and name, such as
            those of a run that is continued.
        required: Dotted names of options that are null by default and must not be here.
        given: Values that a caller in Python gives, by section and name; later ones go before
            earlier ones, and all before the file.

    Returns:
        The configuration.

    Raises:
        UserError: With every mistake of all sources. A file that cannot be read as YAML is
            reported alone.
    """
    merged = _Merged()
    if base is not None:
        merged.add_sections(base, lambda _: ValuePlace("base configuration"))
    if path is not None:
        merged.add_file(Path(path))
    for sections in given:
        merged.add_sections(sections, lambda _: None)
    for override in overrides:
        merged.add_override(override)
    return merged.validate(required)


class _Merged:
    """The values given so far, where each was given, and the mistakes met on the way."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, Any]] = {}
        self._places: dict[ValuePath, ValuePlace | None] = {}
        self._mistakes: list[ConfigMistake] = []
        self._overridden: dict[str, str] = {}

    def add_file(self, path: Path) -> None:
        """Adds a YAML file, or raises if it is none."""
        try:
            document = read_document(path)
        except DocumentError as error:
            raise UserError(f"{ValuePlace(str(path), error.line)}: {error.problem}") from error
        except OSError as error:
            raise UserError(_unreadable(path, error)) from error

        def place(value_path: ValuePath) -> ValuePlace:
            return ValuePlace(str(path), document.lines[value_path])

        for duplicate, line, first in document.duplicates:
            problem = f"given twice, first in line {first}"
            self._mistakes.append(
                ConfigMistake(dotted(duplicate), ValuePlace(str(path), line), problem)
            )
        if isinstance(document.value, dict):
            self.add_sections(document.value, place)
            for inner in document.lines:
                self._places.setdefault(inner, place(inner))
        elif document.value is not None:
            accepted = f"a mapping of sections ({', '.join(section_names())})"
            raise UserError(f"{place(())}: received {shown(document.value)}; accepted: {accepted}")

    def add_sections(
        self, sections: Mapping[str, Any], place: Callable[[ValuePath], ValuePlace | None]
    ) -> None:
        for section, options in sections.items():
            if isinstance(options, Mapping) and _are_other_names(section, options):
                for option, value in options.items():
                    own = _OTHER_NAMES[f"{section}.{option}"].split(".")
                    self._set((own[0], own[1]), value, place((section, option)))
            elif section not in section_names():
                self._mistakes.append(unknown_section(section, place((section,))))
            elif isinstance(options, Mapping):
                self._add_section(section, options, place)
            elif options is not None:
                self._mistakes.append(wrong_value((section,), place((section,)), options))

    def _add_section(
        self,
        section: str,
        options: Mapping[str, Any],
        place: Callable[[ValuePath], ValuePlace | None],
    ) -> None:
        for option, value in options.items():
            name = f"{section}.{option}"
            if name in option_names():
                self._set((section, option), value, place((section, option)))
            else:
                self._mistakes.append(unknown_option(name, place((section, option))))

    def add_override(self, override: str) -> None:
        """Adds one `section.name=value`."""
        name, equals, text = override.partition("=")
        name = _OTHER_NAMES.get(name.strip(), name.strip())
        place = ValuePlace(COMMAND_LINE)
        if not equals:
            problem = "received no value; accepted: section.name=value"
            self._mistakes.append(ConfigMistake(shown(override), place, problem))
        elif name not in option_names():
            self._mistakes.append(unknown_option(name, place))
        elif name in self._overridden:
            problem = f"given twice, as {shown(self._overridden[name])} and {shown(text)}"
            self._mistakes.append(ConfigMistake(name, place, problem))
        elif not text:
            problem = f"""received no value; accepted: {name}=null or {name}='""' (empty text)"""
            self._mistakes.append(ConfigMistake(name, place, problem))
        else:
            self._overridden[name] = text
            section, option = name.split(".")
            try:
                self._set((section, option), _override_value(name, text), place)
            except DocumentError as error:
                problem = f"received {shown(text)}; {error.problem}"
                self._mistakes.append(ConfigMistake(name, place, problem))

    def _set(self, path: tuple[str, str], value: Any, place: ValuePlace | None) -> None:
        """Replaces an option's whole value, whatever a lower source gave."""
        section, option = path
        self._values.setdefault(section, {})[option] = value
        self._places = {key: old for key, old in self._places.items() if key[:2] != path}
        self._places[path] = place

    def validate(self, required: Sequence[str]) -> ExperimentConfig:
        """Makes the configuration, or raises all mistakes met so far and now."""
        for name in required:
            section, option = name.split(".")
            if self._values.get(section, {}).get(option) is None:
                self._mistakes.append(ConfigMistake(name, None, "not given, but needed here"))
        try:
            config = ExperimentConfig.model_validate(with_lists(self._values))
        except ValidationError as error:
            self._mistakes += validation_mistakes(error, self._values, self._places)
        if self._mistakes:
            raise as_user_error(self._mistakes)
        return config


def _are_other_names(section: str, options: Mapping[str, Any]) -> bool:
    """Whether a section is none of ours and holds nothing but other names of options."""
    names = [f"{section}.{option}" for option in options]
    return bool(names) and all(name in _OTHER_NAMES for name in names)


def _override_value(name: str, text: str) -> Value:
    """Reads the value of an override.

    Raises:
        DocumentError: If a value that is read as YAML is not valid.
    """
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    schema = schema_at(tuple(name.split(".")))
    is_yaml = takes_collection(schema)
    if takes_list_of_scalars(schema):
        is_yaml = text.lstrip()[:1] in ("[", "{", "-", '"', "'")  # else one value, or with commas
    if quoted or is_yaml:
        return parse_document(text).value
    return None if text in _NULLS else text


def _unreadable(path: Path, error: OSError) -> str:
    """Names the nearest file where there is none of that name."""
    if path.is_dir():
        inside = path / "config.yaml"
        advice = f"; nearest: {inside}" if inside.is_file() else ""
        return f"{path}: a folder; accepted: a YAML file{advice}"
    if not isinstance(error, FileNotFoundError):
        return f"{path}: {error.strerror}"
    folder = path.parent
    if not folder.is_dir():
        return f"{path}: no such file, nor is there a folder {folder}"
    names = [entry.name for entry in folder.iterdir() if entry.is_file()]
    nearest = difflib.get_close_matches(path.name, names, n=1)
    advice = f"; nearest: {folder / nearest[0]}" if nearest else ""
    return f"{path}: no such file{advice}"
