"""Hands a trained model over: a Hugging Face folder, an adapter, a SavedModel, or LiteRT files."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from tf_finetune.errors import UserError
from tf_finetune.export.extras import check_extras
from tf_finetune.export.formats import (
    HUGGINGFACE,
    LITERT,
    PEFT,
    SAVEDMODEL,
    ExportRequest,
    check_carries,
    check_targets,
    check_task,
    open_targets,
)
from tf_finetune.jobs.examples import check_examples
from tf_finetune.runs.model_folder import read_labels
from tf_finetune.runs.opening import OpenedRun, config_of_model
from tf_finetune.storage.locking import exclusive_use
from tf_finetune.tasks.table import check_able


def export(
    opened: OpenedRun,
    request: ExportRequest,
    root: Path | None,
    file: str | None,
    console: Console,
    *,
    replace: bool = False,
) -> dict[str, Path]:
    """Writes a folder for each format, all of them or none.

    Args:
        opened: The run, with its single model.
        request: What to write, from `read_request`.
        root: Where the folders go; None: into the run.
        file: Labelled examples to measure on, written as `data.test`; None: those of the run.
        console: Where measurements are told.
        replace: Whether folders that are there may be replaced.

    Returns:
        The folder of each format.

    Raises:
        UserError: Something cannot be exported so; all that shows without the model is told before
            TensorFlow is imported. Or the model loses more than the request allows.
    """
    folder = opened.run.path / "export" if root is None else root
    _check(opened, request, folder, file, replace=replace)
    used = (
        exclusive_use(opened.run.path, option="RUN")
        if root is None
        else exclusive_use(root, option="--output")
    )
    with used, open_targets(folder, request.formats) as folders:
        _write(opened, request, folders, file, console)
    return {name: folder / name for name in request.formats}


def _check(
    opened: OpenedRun, request: ExportRequest, folder: Path, file: str | None, *, replace: bool
) -> None:
    files, labels = opened.files, opened.labels
    if set(request.formats) - {HUGGINGFACE} or request.smaller is not None:
        check_able(labels.task, "export")
    check_task(request, labels)
    check_carries(request, config_of_model(opened.run, opened.config).method)
    own = read_labels(files.config, str(files.path / "config.json")).threshold
    if labels.threshold != own:
        raise UserError(
            f"evaluation.threshold: received {labels.threshold:g} for an export, which has the "
            f"model's own; accepted: {own:g}, or auto"
        )
    check_targets(folder, request.formats, replace=replace)
    if request.reads_examples:
        check_examples(opened.config, file)
    elif file is not None:
        raise UserError(
            f"{file}: received with --to {','.join(request.formats)}, which measures "
            "nothing; accepted: no FILE"
        )
    if request.reads_training_examples:
        check_examples(opened.config, None)
    check_extras(request.formats)


def _write(
    opened: OpenedRun,
    request: ExportRequest,
    folders: Mapping[str, Path],
    file: str | None,
    console: Console,
) -> None:
    """Writes each format into its folder, of a smaller model if one is asked for."""
    run, config, files, labels = opened.run, opened.config, opened.files, opened.labels
    with tempfile.TemporaryDirectory(prefix="tf-finetune-smaller-") as temporary:
        smaller, loaded_config = None, config
        if request.smaller is not None:
            from tf_finetune.export.smaller.making import make_smaller

            smaller = make_smaller(
                request.smaller, files, labels, config, file, Path(temporary), console
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

            export_graphs(folders, request, files, labels, loaded_config, file, console, smaller)
