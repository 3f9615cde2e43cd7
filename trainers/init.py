"""Writes a commented configuration for a file of labelled texts."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from tf_finetune.config.starter import starter_yaml
from tf_finetune.errors import UserError, visible
from tf_finetune.invocation import command_line
from tf_finetune.options.data import DataConfig
from tf_finetune.options.encoder import EncoderConfig
from tf_finetune.storage.files import write_atomically
from tf_finetune.storage.yaml_document import yaml_value
from trainers.arguments import parse_arguments
from trainers.cli import run_command
from trainers.misplaced import check_examples_argument


def main(argv: Sequence[str]) -> int:
    """Infers the columns of FILE and writes what `starter_yaml` makes of them."""
    arguments = parse_arguments("init", argv)
    check_examples_argument(arguments.file, takes_config=False)
    output = Path(arguments.output)
    _check_output(output, force=arguments.force)

    found = _infer(DataConfig(train=arguments.file))
    depths = _possible_depths() if arguments.thaw else ()
    write_atomically(output, starter_yaml(arguments.file, found, path=str(output), depths=depths))

    for name, value in found.items():
        print(f"data.{name}: {yaml_value(value)}")
    print(
        visible(
            f"wrote {output}; next: {command_line('validate')} --config {shlex.quote(str(output))}"
        )
    )
    return 0


def _check_output(output: Path, force: bool) -> None:
    if output.is_dir():
        raise UserError(f"--output: received {output}, a folder; accepted: a file name")
    if not output.parent.is_dir():
        raise UserError(f"--output: received {output}; there is no folder {output.parent}")
    if output.exists() and not force:
        raise UserError(
            f"{output}: is already there", hint="Add --force to replace it, or choose --output."
        )


def _possible_depths() -> list[int]:
    """Of the encoder that a job takes where none is named."""
    from tf_finetune.encoders.locating import resolve_encoder

    encoder = EncoderConfig()
    return resolve_encoder(encoder.name, encoder.pooling, encoder.layers).depths


def _infer(given: DataConfig) -> dict[str, object]:
    """The options that reading the file's head settled, by name."""
    from tf_finetune.sources.columns import resolve_columns

    resolved = resolve_columns(given).model_dump()
    return {name: value for name, value in resolved.items() if value != getattr(given, name)}


if __name__ == "__main__":
    raise SystemExit(run_command(main))
