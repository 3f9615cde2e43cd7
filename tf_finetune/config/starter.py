"""The YAML that `init` writes: a first configuration that teaches while it is read."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from tf_finetune.config.describe import Option, list_sections
from tf_finetune.config.saving import comment_lines
from tf_finetune.invocation import command_line
from tf_finetune.storage.yaml_document import yaml_value

# What the options that most people change do to the result, its cost, or both. They stand
# uncommented in the starter; every other option follows commented out.
_EFFECTS = {
    "data.train": "Your labelled examples; any other file of the same layout can replace it.",
    "data.validation_fraction": "Held out to compare settings and to stop early. More steadies "
    "the scores and leaves less to train on. With a file of your own, set data.validation; with "
    "few examples, see data.folds.",
    "data.test_fraction": "Held out for the final scores and touched by nothing else. 0: no test.",
    "data.max_length": "Longer texts lose their end. Time and memory grow with it as soon as "
    "your texts are that long; `validate` says how many are.",
    "freeze.depth": "How many encoder layers stay as they were pretrained. 0 trains all: the "
    "most accurate with enough data, and the slowest. Freezing two thirds of the layers takes "
    "about a third of the time and wants a larger learning rate. All of them leaves only the "
    "head: fast, and often clearly worse.",
    "training.learning_rate": "Its best value moves with freeze.depth and the number of "
    "steps; null takes a usual one and says which: in 650 steps 5e-5 when every layer trains, 3e-4 "
    "with two thirds frozen; in 100 steps three times as much. Too high: the loss jumps or stays "
    "put. Too low: it still falls when training ends.",
    "training.epochs": "Time grows with it. Small data sets (under 2,000 examples) may want 5 "
    "to 10, large ones 2 or 3.",
    "training.batch_size": "Halve it if memory runs out, or keep it and raise "
    "training.accumulation_steps, which gives the same result.",
    "training.seed": "Repeat with other seeds to see how much of a difference is chance.",
}

_EFFECTS_OF_PHASES = {
    "freeze.thaw": "Gradual unfreezing (Howard & Ruder 2018): from each of these epochs on fewer "
    "layers are frozen, until all of the encoder trains. Fewer phases with several epochs each "
    "train faster, and so does an end at a depth over 0. A phase takes a learning_rate of its own "
    "where it has one, otherwise training.learning_rate, or where that is null a usual one.",
    "training.solver": "Phases are trained in steps, also the first, of the head alone.",
}


def starter_yaml(
    train: str,
    found: Mapping[str, Any] | None = None,
    path: str = "config.yaml",
    depths: Sequence[int] = (),
) -> str:
    """Writes a configuration for somebody's own file.

    Args:
        train: The training examples, as data.train.
        found: Values of the data section that were inferred from the file, by option.
        path: Name that the configuration will have, for the commands shown in it.
        depths: Frozen depths of an encoder, ascending, for a list of phases that goes through
            them; none: no phases are written.

    Returns:
        YAML that `load_config` accepts as it stands.
    """
    values = {f"data.{name}": value for name, value in (found or {}).items() if value is not None}
    values["data.train"] = train
    values |= _gradual_unfreezing(depths)
    lines = _opening(train, path)
    for section in list_sections():
        used = [option for option in section.options if _is_active(option, values)]
        others = [option for option in section.options if not _is_active(option, values)]
        lines += ["", f"# {section.description}", f"{section.name}:"]
        for option in used:
            lines += _active_lines(option, values)
        for option in others:
            lines += _commented_lines(option)
    return "\n".join(lines) + "\n"


def _gradual_unfreezing(depths: Sequence[int]) -> dict[str, Any]:
    """One layer more from every epoch on, from the head alone to everything."""
    if not depths:
        return {}
    *later, first = depths
    phases = [{"from_epoch": e, "depth": d} for e, d in enumerate(reversed(later), start=2)]
    return {
        "freeze.depth": first,
        "freeze.thaw": phases,
        "training.solver": "steps",
        "training.epochs": len(depths),
    }


def _opening(train: str, path: str) -> list[str]:
    config = shlex.quote(path)
    return [
        *comment_lines(f"Fine-tunes a pretrained text encoder on {yaml_value(train)}.", indent=""),
        "#",
        "# Needs:     that file, and the encoder (see encoder.name), which is fetched once.",
        f"# Check:     {command_line('validate')} --config {config}   (trains nothing)",
        f"# Estimate:  {command_line('plan')} --config {config}",
        f"# Run:       {command_line('train')} --config {config}",
        f"# Override:  {command_line('train')} --config {config} freeze.depth=4 "
        "training.learning_rate=3e-4",
        "#",
        "# Options that are commented out show their default: remove the # before the name to",
        f"# change one. `{command_line('train')} --help` lists them all with their ranges.",
    ]


def _is_active(option: Option, values: Mapping[str, Any]) -> bool:
    return option.name in _EFFECTS or option.name in values


def _active_lines(option: Option, values: Mapping[str, Any]) -> list[str]:
    if option.name in values:
        text = yaml_value(values[option.name])
        found = f"Found in your file: {option.description}."
        comment = _EFFECTS.get(option.name) or _EFFECTS_OF_PHASES.get(option.name, found)
    else:
        text = str(option.default)
        comment = _EFFECTS[option.name]
    written = _written(_bare(option), text, values.get(option.name))
    return [*comment_lines(comment, indent="  "), *written]


def _written(name: str, text: str, value: Any) -> list[str]:
    """A list of mappings has a line for each, so that it is easily edited."""
    if not isinstance(value, list) or not value or not isinstance(value[0], dict):
        return [f"  {name}: {text}"]
    return [f"  {name}:", *(f"    - {yaml_value(one)}" for one in value)]


def _commented_lines(option: Option) -> list[str]:
    return [
        *comment_lines(option.description, indent="  "),
        f"  #{_bare(option)}: {option.default}",
    ]


def _bare(option: Option) -> str:
    return option.name.split(".", 1)[1]
