"""The cached states that one training run reads, as its configuration asks for."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from rich.console import Console

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.folds import rounds_of
from tf_finetune.data.loading import Splits
from tf_finetune.data.splits import Split
from tf_finetune.data.states import PrefixStates
from tf_finetune.prefix.cache import PrefixCache
from tf_finetune.training.batch_shapes import evaluation_shape
from tf_finetune.training.fine_tuner import FineTuner
from tf_finetune.training.strategy import ChosenStrategy


def cached_states(
    model: FineTuner,
    splits: Splits,
    config: ExperimentConfig,
    chosen: ChosenStrategy,
    console: Console | None = None,
    cache: PrefixCache | None = None,
) -> dict[str, PrefixStates]:
    """States of the training and the validation split for one run; nothing if none pays.

    With folds those of all training examples, which every fold's training reads too.

    Of several processes each keeps those of a part of the examples.

    Args:
        model: Compiled, before its training.
        splits: The data.
        config: The configuration of the run.
        chosen: The strategy the model was built under.
        console: Where the decision and the progress of a new cache go.
        cache: One that earlier runs have filled; None makes a new one.
    """
    present = kept_splits(splits)
    passes = _passes(splits, config)
    console = console or Console(quiet=True)
    if cache is None:
        cache = PrefixCache(config.cache, states_folder(config), console=console)
    shape = evaluation_shape(config.evaluation, config.training, config.data.max_length, chosen)
    if chosen.cluster is None:
        return cache.states(model, present, shape, passes=passes)
    if config.cache.mode == "off":
        return {}
    reason = _why_not_shared_out(config, present, chosen.processes)
    if reason is not None:
        _tell_off(console, reason)
        return {}
    own = {
        name: np.arange(len(split)) % chosen.processes == chosen.cluster.rank
        for name, split in present.items()
    }
    parts = {name: split.select(own[name]) for name, split in present.items()}
    states = cache.states(model, parts, shape.of_one_process, passes=passes)
    kept = chosen.by_process(len(states))
    if 0 in kept:
        if states:
            _tell_off(console, f"process {kept.index(0)} keeps none")
        return {}
    return {
        name: found.among(own[name], present[name].lengths, present[name].read_counts)
        for name, found in states.items()
    }


def forecast_states(
    model: FineTuner, splits: Splits, config: ExperimentConfig, chosen: ChosenStrategy
) -> str:
    """What `cached_states` would decide for a run of one process, in a line; see `plan`."""
    cache = PrefixCache(config.cache, states_folder(config))
    shape = evaluation_shape(config.evaluation, config.training, config.data.max_length, chosen)
    return cache.forecast(model, kept_splits(splits), shape, _passes(splits, config))


def states_folder(config: ExperimentConfig) -> Path:
    """Where states on the disk are kept unless `cache.dir` says otherwise."""
    return Path(config.data.cache_dir).expanduser() / "prefix"


def kept_splits(splits: Splits) -> dict[str, Split]:
    """The splits whose states are worth keeping: those that are read in every epoch."""
    named = {"train": splits.train, "validation": splits.validation}
    return {name: split for name, split in named.items() if split is not None}


def _passes(splits: Splits, config: ExperimentConfig) -> int:
    """How often each split is read: of k folds, k - 1 are trained on and one is scored."""
    final = 0 if splits.folds is None else 1
    each = config.training.epochs * config.method.readings
    if config.training.solver == "exact":
        each = 1
    return each * (len(rounds_of(splits)) + final)


def _why_not_shared_out(
    config: ExperimentConfig, splits: Mapping[str, Split], processes: int
) -> str | None:
    """Why processes cannot each keep the states of a part of the examples; None: they can."""
    if config.training.padding == "packed":
        return "a packed row holds texts whose states several processes keep"
    for name, split in splits.items():
        if len(split) < processes:
            return f"{len(split)} {name} example(s) cannot be shared out to {processes} processes"
    return None


def _tell_off(console: Console, reason: str) -> None:
    console.print(f"prefix cache: off; {reason}", highlight=False, markup=False, soft_wrap=True)
