"""Options as keyword arguments: `depth=4, learning_rate=3e-4, training={"epochs": 2}`."""

import difflib
import os
from collections.abc import Mapping
from typing import Any

from tf_finetune.config.describe import option_names
from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.config.loading import load_config
from tf_finetune.config.mistakes import section_names
from tf_finetune.config.nearest import nearest_options
from tf_finetune.config.uses import Uses
from tf_finetune.errors import UserError

# What a call takes as `config`.
Config = str | os.PathLike[str] | Mapping[str, Any] | None
# What is said of several sections, or by another word; everything else has the name of its option.
SHORT_NAMES = {
    "text": "data.text_column",
    "text_pair": "data.text_pair_column",
    "label": "data.label_column",
    "encoder": "encoder.name",
    "method": "method.name",
    "batch_size": "training.batch_size",
    "folder": "run.dir",
}


def configured(
    config: Config, keywords: Mapping[str, Any], uses: Uses, caller: str
) -> ExperimentConfig:
    """The configuration of a call; everything that is wrong with it is told at once.

    Args:
        config: A YAML file, or its content as a dictionary of sections.
        keywords: Options by their own names, those of `SHORT_NAMES`, or a section's name with a
            dictionary of its options. They go before `config`.
        uses: The options that the call uses; others are refused as keywords.
        caller: Name of the function, for messages.

    Raises:
        UserError: A keyword is unknown or not used here, or a value is not accepted.
    """
    sections: dict[str, dict[str, Any]] = {}
    problems: list[str] = []
    for keyword, value in keywords.items():
        for name in _options(keyword, value, problems):
            section, _, option = name.partition(".")
            given = value[option] if _is_section(keyword, value) else value
            if option in sections.setdefault(section, {}):
                problems.append(f"{keyword}: {name} is given twice; accepted: once")
            sections[section][option] = as_written(given)
            if name in option_names() and name not in uses.names():
                problems.append(f"{keyword}: {caller} does not use it")
    file, base = (None, config) if isinstance(config, Mapping) else (config, None)
    try:
        loaded = load_config(file, given=(base or {}, sections))
    except UserError as error:
        raise UserError([*problems, *error.problems], hint=error.hint) from None
    if problems:
        raise UserError(problems)
    return loaded


def as_written(value: Any) -> Any:
    """A value as it would stand in YAML: paths as texts, NumPy's numbers as Python's."""
    if isinstance(value, Mapping):
        return {str(name): as_written(inner) for name, inner in value.items()}
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    return [as_written(item) for item in value] if isinstance(value, (list, tuple)) else value


def _is_section(keyword: str, value: Any) -> bool:
    return isinstance(value, Mapping) and keyword in section_names()


def _options(keyword: str, value: Any, problems: list[str]) -> list[str]:
    """Dotted names of the options that a keyword gives."""
    if _is_section(keyword, value):
        return [f"{keyword}.{option}" for option in value]
    if keyword in SHORT_NAMES:
        return [SHORT_NAMES[keyword]]
    if keyword in option_names():
        return [keyword]
    found = [name for name in option_names() if name.rpartition(".")[2] == keyword]
    if len(found) == 1:
        return found
    if found:
        as_section = " or ".join(
            f"{section}={{{keyword!r}: ...}}" for section in (n.split(".")[0] for n in found)
        )
        problems.append(f"{keyword}: could be {' or '.join(found)}; accepted: {as_section}")
    elif keyword in section_names():
        problems.append(
            f"{keyword}: received {value!r}; accepted: a dictionary of options of this section"
        )
    else:
        problems.append(f"{keyword}: unknown option; {_advice(keyword)}")
    return []


def _advice(keyword: str) -> str:
    """What a misspelt keyword may have meant, by the word that stands for it here."""
    words = {name.rpartition(".")[2]: name for name in option_names()} | SHORT_NAMES
    near = difflib.get_close_matches(keyword, [*words, *section_names()], n=1)
    if near:
        return f"nearest: {near[0]}"
    meant = [name.rpartition(".")[2] for name in nearest_options(keyword)]
    return f"nearest: {meant[0]}" if meant else "docs/configuration.md lists all"
