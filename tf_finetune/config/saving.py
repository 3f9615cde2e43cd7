"""Writing a configuration as YAML that explains itself and loads to an equal one."""

import os
import textwrap

from tf_finetune.config.describe import list_sections
from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.config.seal import sealed
from tf_finetune.storage.files import write_atomically
from tf_finetune.storage.yaml_document import yaml_value

_COMMENT_WIDTH = 92


def dump_config(config: ExperimentConfig) -> str:
    """Returns YAML with every option that is in force, each below its description."""
    values = config.model_dump()
    lines = ["# Every option of this run. Use it again: --config THIS_FILE section.name=value ..."]
    for section in list_sections():
        lines += ["", f"# {section.description}", f"{section.name}:"]
        for option in section.options:
            name = option.name.removeprefix(f"{section.name}.")
            if name not in values[section.name]:  # of another method
                continue
            lines += comment_lines(option.description, indent="  ")
            lines.append(f"  {name}: {yaml_value(values[section.name][name])}")
    return "\n".join(lines) + "\n"


def write_config(config: ExperimentConfig, path: str | os.PathLike[str]) -> None:
    """Writes `dump_config` below its seal to a file that is at no time half-written."""
    write_atomically(path, sealed(dump_config(config)))


def comment_lines(text: str, indent: str) -> list[str]:
    """Wraps a text into comment lines."""
    prefix = f"{indent}# "
    return textwrap.wrap(
        text,
        _COMMENT_WIDTH,
        initial_indent=prefix,
        subsequent_indent=prefix,
        break_long_words=False,
        break_on_hyphens=False,
    )
