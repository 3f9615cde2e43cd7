"""What a page says of its own making, and the commands to go on from there."""

import shlex
from datetime import datetime
from pathlib import Path

from tf_finetune.invocation import command_line
from tf_finetune.machine.environment import installed_version
from tf_finetune.reports.page.content import NextStep
from tf_finetune.sources.in_memory import IN_MEMORY

_NAMED = ("tf-finetune", "tensorflow", "tf-keras", "transformers")


def software_versions() -> dict[str, str]:
    """Versions of this package and of what decides its numbers."""
    return {name: version for name in _NAMED if (version := installed_version(name))}


def short_name(source: str) -> str:
    """A file or folder without those above it, what examples in memory were, or all of it."""
    if source.startswith(IN_MEMORY):
        return source.removeprefix(IN_MEMORY).rpartition("-")[0]
    return Path(source).name if Path(source).exists() else source


def local_time() -> str:
    """Now, as people write it: `23 November 2026, 19:20`."""
    now = datetime.now()
    return f"{now.day} {now:%B %Y, %H:%M}"


def next_commands(run: Path, events: Path | None) -> list[NextStep]:
    """The commands to use a run's model, to score it and to do the same again.

    Args:
        run: The run directory, which holds `config.yaml` and `model`.
        events: TensorBoard events; None leaves the command out.
    """
    path, config, again = (
        shlex.quote(text) for text in (str(run), str(run / "config.yaml"), f"run.dir={run}-again")
    )
    commands = [
        NextStep("Label new texts", f"{command_line('predict')} {path} texts.csv"),
        NextStep(
            "Score it on other labelled examples", f"{command_line('evaluate')} {path} new.csv"
        ),
        NextStep("Train again", f"{command_line('train')} --config {config} {again}"),
    ]
    if events is not None:
        line = f"tensorboard --logdir {shlex.quote(str(events))}"
        commands.append(NextStep("See it in TensorBoard", line))
    load = f"TFAutoModelForSequenceClassification.from_pretrained({str(run / 'model')!r})"
    commands.append(NextStep("Load it in Python, with transformers", load))
    return commands
