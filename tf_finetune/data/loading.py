"""From the `data` section to the splits that a model is trained and scored on."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from rich.console import Console

from tf_finetune.data.splits import Split, assign_folds, divide, limit_training, whole_split
from tf_finetune.data.summary import DataSummary, summarize
from tf_finetune.data.summary_tables import render_summary
from tf_finetune.data.token_store import TokenStore
from tf_finetune.data.token_store_cache import open_store
from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.columns import resolve_columns
from tf_finetune.sources.record_forms import FORMS
from tf_finetune.tasks.label_inference import infer_labels
from tf_finetune.tasks.label_notes import label_notes
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.table import TASKS

SplitName = Literal["train", "validation", "test"]


@dataclass(frozen=True, eq=False)
class Splits:
    """All examples of a job; a split that is neither given nor made is None.

    Attributes:
        train: What is trained on.
        validation: What trainings are compared on.
        test: What the final model is scored on.
        labels: Meaning of the labels.
        summary: What the splits hold.
        folds: The fold of each training example, int64 `[n]` from 0; None unless folds take the
            place of a validation split.
    """

    train: Split
    validation: Split | None
    test: Split | None
    labels: LabelSpace
    summary: DataSummary
    folds: np.ndarray | None = None


def load_splits(
    config: DataConfig, tokenizer: Any, *, console: Console | None = None
) -> tuple[Splits, DataConfig]:
    """Load the training examples and the validation and test examples, given or made.

    Sources that were tokenised before, in the same way, are only hashed and then opened.

    Args:
        config: The `data` section; `data.train` is needed.
        tokenizer: A fast tokenizer of transformers; it is not changed.
        console: Where progress and a summary are shown; None shows nothing.

    Returns:
        The splits, and the section with all that was inferred filled in: loading with that
        gives the same splits.

    Raises:
        UserError: If an option or a source is wrong; all problems of one step together.
    """
    if config.train is None:
        raise UserError(
            "data.train: received null; accepted: a file, a folder, tfds:NAME or builtin:docstrings"
        )
    guessed = config.task == "auto"
    config = _resolved(config)
    given_names = config.label_names
    stores = _open_stores(config, tokenizer, console)
    train = stores.pop("train")
    if config.task != "auto" and config.label_names is None:
        names = TASKS[config.task].names_of(train.reads(np.arange(1)).shape[1])
        config = config.model_copy(update={"label_names": names})
    labels = infer_labels(config, train.raw_labels, [store.raw_labels for store in stores.values()])
    splits = {name: whole_split(name, store, labels) for name, store in stores.items()}
    examples = whole_split("train", train, labels)
    notes = label_notes(config, labels, train.raw_labels, examples.labels, guessed=guessed)
    try:
        splits |= divide(config, labels, examples)
        splits["train"] = limit_training(config, labels, splits["train"])
        folds = assign_folds(config, labels, splits["train"])
    except UserError as error:
        # What the labels were taken for may be why there are too few of a class.
        raise UserError(error.problems, "\n".join([error.hint or "", *notes])) from None
    ordered = [splits[name] for name in ("train", "validation", "test") if name in splits]
    summary = summarize(ordered, labels, notes)
    if console is not None:
        render_summary(summary, console)
    # Where names say how rows are read, as those of tags that are numbers, others would give
    # another store, or other tags.
    read_by_names = labels.read_as in FORMS
    inferred: dict[str, object] = {
        "task": labels.task,
        "label_names": given_names if read_by_names else labels.names or None,
    }
    if labels.decimal_mark == "comma":
        inferred["decimal_mark"] = labels.decimal_mark
    loaded = Splits(
        splits["train"], splits.get("validation"), splits.get("test"), labels, summary, folds
    )
    return loaded, config.model_copy(update=inferred)


def load_split(
    config: DataConfig,
    source: str,
    tokenizer: Any,
    labels: LabelSpace,
    *,
    name: SplitName = "test",
    console: Console | None = None,
) -> Split:
    """Load one labelled source, to score a trained model on it.

    Args:
        config: The `data` section of the training run, which says how to read the source; its
            own sources are not looked at.
        source: The source, written as `data.test`.
        tokenizer: The tokenizer of the training run.
        labels: What the labels of the training run meant.
        name: Name of the split, and of the split to take where the source has several.
        console: Where progress is shown; None shows nothing.

    Raises:
        UserError: If the source is wrong or has a label that `labels` does not know.
    """
    only: dict[str, str | None] = {"train": None, "validation": None, "test": None, name: source}
    config = _resolved(config.model_copy(update=only))
    store = _open_store(config, source, tokenizer, name, console)
    if config.decimal_mark != "auto":
        labels = replace(labels, decimal_mark=config.decimal_mark)
    return whole_split(name, store, labels)


def _resolved(config: DataConfig) -> DataConfig:
    """As `resolve_columns`, of any task."""
    found = resolve_columns(_as_read(config))
    return found if config.task == "auto" else found.model_copy(update={"task": config.task})


def _as_read(config: DataConfig) -> DataConfig:
    """The section as sources are read by it, which know few ways of writing labels."""
    if config.task == "auto":
        return config
    return config.model_copy(update={"task": TASKS[config.task].read_as})


def _open_stores(
    config: DataConfig, tokenizer: Any, console: Console | None
) -> dict[str, TokenStore]:
    sources = {"train": config.train, "validation": config.validation, "test": config.test}
    stores: dict[str, TokenStore] = {}
    problems: list[str] = []
    hints: list[str] = []
    for split, source in sources.items():
        if source is None:
            continue
        try:
            stores[split] = _open_store(config, source, tokenizer, split, console)
        except UserError as error:
            problems += error.problems
            hints += [error.hint] if error.hint and error.hint not in hints else []
    if problems:
        raise UserError(problems, "\n".join(hints) or None)
    return stores


def _open_store(
    config: DataConfig, source: str, tokenizer: Any, split: str, console: Console | None
) -> TokenStore:
    # Targets are kept as they were written, whether the task is inferred or set: otherwise the
    # second run, with the inferred task set, would not find the store of the first.
    task = None if config.task == "auto" else TASKS[config.task]
    of_numbers = task is not None and not task.fewest_names and not task.makes_rows
    config = config.model_copy(update={"task": "auto"}) if of_numbers else _as_read(config)
    if task is not None and not task.makes_rows:
        task = None
    return open_store(config, source, tokenizer, split=split, console=console, task=task)
