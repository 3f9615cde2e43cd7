"""Hands a trained model over: as a Hugging Face folder, an adapter, a SavedModel, or LiteRT files.

Example:
    python -m trainers.export runs/reviews-depth4 --to savedmodel,litert --max-loss 0.005
"""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from tf_finetune.errors import visible
from trainers.arguments import parse_arguments
from trainers.cli import run_command
from trainers.trained_run import open_trained_run


def main(argv: Sequence[str]) -> int:
    """Writes a folder for each format, all of them or none; returns the exit code."""
    arguments = parse_arguments("export", argv)
    console = Console()

    from tf_finetune.export.formats import read_request
    from tf_finetune.export.smaller.request import FLAGS

    flags = {flag: getattr(arguments, flag[2:].replace("-", "_")) for flag in FLAGS}
    request = read_request(arguments.to, arguments.precisions, arguments.max_loss, flags)
    opened = open_trained_run(
        arguments, alone="exported is the single model: an ensemble has no such form"
    )

    from tf_finetune.jobs.export import export

    root = None if arguments.output is None else Path(arguments.output)
    written = export(opened, request, root, arguments.file, console, replace=arguments.force)
    for name, folder in written.items():
        console.print(Text(visible(f"{name:12} {folder}")), soft_wrap=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_command(main))
