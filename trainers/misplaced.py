"""A configuration or a run that stands where a command takes texts or examples."""

import shlex
from pathlib import Path

from tf_finetune.errors import UserError
from tf_finetune.storage.run_directory import RunDirectory

_YAML = (".yaml", ".yml")


def check_examples_argument(file: str, *, takes_config: bool) -> None:
    """Refuses FILE if it is YAML or the folder of a run, and says where that belongs.

    Args:
        file: What was given as FILE.
        takes_config: Whether the command has --config.

    Raises:
        UserError: It is one of the two.
    """
    path = Path(file).expanduser()
    shown = shlex.quote(file)
    if path.suffix.lower() in _YAML and (takes_config or path.is_file()):
        instead = f"--config {shown}" if takes_config else "options as section.name=value"
        raise UserError(f"{file}: a YAML file, which holds options; accepted: {instead}")
    run = RunDirectory(path)
    if run.is_run:
        instead = "a file of texts or examples; a run comes before it, as RUN"
        if takes_config:
            instead = (
                f"--config {shlex.quote(str(run.config))} for the same options, or a file of "
                f"examples, with encoder.name={shown} to begin with the model of the run"
            )
        raise UserError(f"{file}: the folder of a run; accepted: {instead}")
