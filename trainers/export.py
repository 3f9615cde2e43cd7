"""Hands a trained model over: as a Hugging Face folder, an adapter, a SavedModel, or LiteRT files.

Example:
    python -m trainers.export runs/reviews-depth4 --to savedmodel,litert --max-loss 0.005
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from tf_finetune.errors import UserError, visible
from trainers.arguments import parse_arguments
from trainers.cli import run_command
from trainers.trained_run import check_examples, open_trained_run


def main(argv: Sequence[str]) -> int:
    """Writes a folder for each format, all of them or none; returns the exit code."""
    arguments = parse_arguments("export", argv)
    console = Console()

    from tf_finetune.export.extras import check_extras
    from tf_finetune.export.formats import (
        HUGGINGFACE,
        LITERT,
        PEFT,
        SAVEDMODEL,
        check_carries,
        check_targets,
        open_targets,
        read_request,
    )
    from tf_finetune.export.smaller.request import FLAGS
    from tf_finetune.runs.model_folder import read_labels
    from tf_finetune.runs.opening import config_of_model
    from tf_finetune.storage.locking import exclusive_use

    flags = {flag: getattr(arguments, flag[2:].replace("-", "_")) for flag in FLAGS}
    request = read_request(arguments.to, arguments.precisions, arguments.max_loss, flags)
    opened = open_trained_run(
        arguments, alone="exported is the single model: an ensemble has no such form"
    )
    run, config = opened.run, opened.config
    files, labels = opened.files, opened.labels
    check_carries(request, config_of_model(run, config).method)
    own = read_labels(files.config, str(files.path / "config.json")).threshold
    if labels.threshold != own:
        raise UserError(
            f"evaluation.threshold: received {labels.threshold:g} for an export, which has the "
            f"model's own; accepted: {own:g}, or auto"
        )
    root = run.path / "export" if arguments.output is None else Path(arguments.output)
    check_targets(root, request.formats, replace=arguments.force)
    if request.reads_examples:
        check_examples(config, arguments.file)
    elif arguments.file is not None:
        raise UserError(
            f"{arguments.file}: received with --to {','.join(request.formats)}, which measures "
            "nothing; accepted: no FILE"
        )
    if request.reads_training_examples:
        check_examples(config, None)
    check_extras(request.formats)
    used = (
        exclusive_use(run.path, option="RUN")
        if arguments.output is None
        else exclusive_use(root, option="--output")
    )
    with (
        used,
        open_targets(root, request.formats) as folders,
        tempfile.TemporaryDirectory(prefix="tf-finetune-smaller-") as temporary,
    ):
        smaller, loaded_config = None, config
        if request.smaller is not None:
            from tf_finetune.export.smaller.making import make_smaller

            smaller = make_smaller(
                request.smaller, files, labels, config, arguments.file, Path(temporary), console
            )
        if smaller is not None:
            if request.max_loss is not None:
                smaller.comparison.check(request.max_loss)
            console.print(f"smaller: {smaller.sentence()}", highlight=False, markup=False)
            files, loaded_config = smaller.files, smaller.config
        if HUGGINGFACE in folders:
            from tf_finetune.export.huggingface_folder import write_huggingface_folder

            write_huggingface_folder(folders[HUGGINGFACE], run, files, config, smaller)
        if PEFT in folders:
            from tf_finetune.export.peft_folder import write_peft_folder

            write_peft_folder(folders[PEFT], run, files, labels, config)
        if SAVEDMODEL in folders or LITERT in folders:
            from tf_finetune.export.graphs import export_graphs

            export_graphs(
                folders, request, files, labels, loaded_config, arguments.file, console, smaller
            )
    for name in request.formats:
        console.print(Text(visible(f"{name:12} {root / name}")), soft_wrap=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_command(main))
