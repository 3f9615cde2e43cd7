"""Exports that are made of the model's graph, and measured where they are made."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.splits import Split
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.encoders.tokenizer_files import TOKENIZER_FILES
from tf_finetune.encoders.tokenizers import load_tokenizer
from tf_finetune.errors import UserError
from tf_finetune.export.examples import load_measured_split, load_training_split
from tf_finetune.export.formats import CALIBRATED, LITERT, RECORDS, SAVEDMODEL, ExportRequest
from tf_finetune.export.graph_tokenizer import GraphTokenizer
from tf_finetune.export.litert import check_interpreter, convert, file_name
from tf_finetune.export.litert_calibrated import calibration_inputs
from tf_finetune.export.litert_table import measure_files, render_files
from tf_finetune.export.record import export_record
from tf_finetune.export.saved_model import ServableModel, write_saved_model
from tf_finetune.export.saved_model_check import (
    check_saved_model,
    checked_rows,
    render_check,
    require_same_answers,
)
from tf_finetune.export.smaller.making import SmallerModel
from tf_finetune.export.smaller.silent_heads import remove_silent_heads
from tf_finetune.export.tokenizer_recipe import read_recipe
from tf_finetune.models.rounding import logit_rounding
from tf_finetune.runs.scoring import split_logits
from tf_finetune.runs.trained_model import TrainedModel, load_trained_model
from tf_finetune.storage.files import write_json
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.training.strategy import without_strategy


def export_graphs(
    folders: Mapping[str, Path],
    request: ExportRequest,
    files: EncoderFiles,
    labels: LabelSpace,
    config: ExperimentConfig,
    source: str | None,
    console: Console,
    smaller: SmallerModel | None = None,
) -> None:
    """Writes a SavedModel, LiteRT files, or both.

    Args:
        folders: Empty folders by format.
        request: What to write.
        files: The checked model folder.
        labels: What the outputs mean.
        config: The run's configuration.
        source: Labelled examples to measure on; None takes the run's test split.
        console: Where progress and figures are shown.
        smaller: The smaller model whose folder and configuration are given, if it is one; LiteRT
            files are then held against what it was made from.

    Raises:
        UserError: A package is not installed, the examples cannot be read, or a file loses more
            than allowed.
    """
    tokenizer = load_tokenizer(files)
    graph_tokenizer = None
    if SAVEDMODEL in folders:
        graph_tokenizer = _graph_tokenizer(tokenizer, labels, config.data.max_length, console)
    if LITERT in folders:
        check_interpreter()
    split = load_measured_split(config, source, tokenizer, labels)
    rows = np.arange(len(split)) if LITERT in folders else checked_rows(split)
    trained = load_trained_model(files, labels, config, without_strategy())
    with console.status(f"answering {len(rows):,} texts of the {split.name} split"):
        logits = split_logits(trained.model, split.select(rows), config, without_strategy())
    made = {} if smaller is None else {"smaller": smaller.to_dict()}
    if SAVEDMODEL in folders:
        if config.training.precision != "float32":
            trained = load_trained_model(
                files, labels, config, without_strategy(), precision="float32"
            )
        chosen = checked_rows(split)
        _export_saved_model(
            folders[SAVEDMODEL],
            trained,
            graph_tokenizer,
            split.select(chosen),
            logits[np.searchsorted(rows, chosen)],
            config,
            console,
            made,
        )
    if LITERT in folders:
        if smaller is not None:
            logits = smaller.original_logits
        _export_litert(
            folders[LITERT], request, files, split, logits, labels, config, console, made
        )


def _graph_tokenizer(
    tokenizer: Any, labels: LabelSpace, max_length: int, console: Console
) -> GraphTokenizer | None:
    """The tokenizer as a graph; None, and why, where it cannot be made into one."""
    if labels.makes_rows:
        console.print(
            f"savedmodel: takes token ids and no texts, because a {labels.task} task makes its "
            "rows itself",
            highlight=False,
            soft_wrap=True,
        )
        return None
    try:
        recipe = read_recipe(tokenizer)
    except UserError as error:
        console.print(
            "savedmodel: takes token ids and no texts, because its tokenizer cannot be built into "
            f"a graph: {'; '.join(error.problems)}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
        return None
    return GraphTokenizer(recipe, max_length)


def _export_saved_model(
    folder: Path,
    trained: TrainedModel,
    graph_tokenizer: GraphTokenizer | None,
    split: Split,
    logits: np.ndarray,
    config: ExperimentConfig,
    console: Console,
    made: Mapping[str, Any],
) -> None:
    pairs = config.data.text_pair_column is not None
    labels, max_length = trained.labels, trained.max_length
    remove_silent_heads(trained.classifier)
    model = ServableModel(trained.classifier, graph_tokenizer, labels, pairs=pairs)
    with console.status("writing the SavedModel and asking it"):
        write_saved_model(folder, model, trained.tokenizer, max_length)
        check = check_saved_model(
            folder,
            model,
            trained.tokenizer,
            split,
            logits,
            max_length,
            config.evaluation.batch_size,
        )
    render_check(console, check)
    precision = config.training.precision
    rounding = logit_rounding(trained.model.classifier, max_length, precision).max()
    require_same_answers(check, float(rounding))
    record = export_record(labels, config, check=check.to_dict(), **made)
    write_json(folder / RECORDS[SAVEDMODEL], record)
    if graph_tokenizer is None:
        _copy_tokenizer(trained.spec.files, folder / RECORDS[SAVEDMODEL].rpartition("/")[0])


def _export_litert(
    folder: Path,
    request: ExportRequest,
    files: EncoderFiles,
    split: Split,
    logits: np.ndarray,
    labels: LabelSpace,
    config: ExperimentConfig,
    console: Console,
    made: Mapping[str, Any],
) -> None:
    texts = []
    if set(request.precisions) & set(CALIBRATED):
        texts = calibration_inputs(load_training_split(config, load_tokenizer(files)))
    with console.status("converting to LiteRT"):
        trained = load_trained_model(files, labels, config, without_strategy(), precision="float32")
        classifier = trained.classifier
        remove_silent_heads(classifier)
        contents = convert(classifier, labels, request.precisions, texts)
    table = measure_files(contents, split, logits, labels, config.evaluation, console)
    render_files(console, table)
    if request.max_loss is not None:
        table.check(request.max_loss)
    for precision, content in contents.items():
        (folder / file_name(precision)).write_bytes(content)
    _copy_tokenizer(files, folder)
    record = export_record(labels, config, table=table.to_dict(), **made)
    write_json(folder / RECORDS[LITERT], record)


def _copy_tokenizer(files: EncoderFiles, folder: Path) -> None:
    for name in TOKENIZER_FILES:
        if (files.path / name).is_file():
            shutil.copyfile(files.path / name, folder / name)
