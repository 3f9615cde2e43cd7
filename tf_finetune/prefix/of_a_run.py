"""The cached states that one training run reads, as its configuration asks for."""

from pathlib import Path

from rich.console import Console

from tf_finetune.config.sections import ExperimentConfig
from tf_finetune.data import Splits
from tf_finetune.prefix.cache import PrefixCache
from tf_finetune.prefix.states import PrefixStates
from tf_finetune.training import ChosenStrategy, evaluation_shape
from tf_finetune.training.fine_tuner import FineTuner


def cached_states(
    model: FineTuner,
    splits: Splits,
    config: ExperimentConfig,
    chosen: ChosenStrategy,
    console: Console | None = None,
    cache: PrefixCache | None = None,
) -> dict[str, PrefixStates]:
    """States of the training and the validation split for one run; nothing if none pays.

    Args:
        model: Compiled, before its training.
        splits: The data.
        config: The configuration of the run.
        chosen: The strategy the model was built under.
        console: Where the decision and the progress of a new cache go.
        cache: One that earlier runs have filled; None makes a new one.
    """
    named = {"train": splits.train, "validation": splits.validation}
    if cache is None:
        cache = PrefixCache(config.cache, states_folder(config), console=console)
    shape = evaluation_shape(config.evaluation, config.training, config.data.max_length, chosen)
    present = {name: split for name, split in named.items() if split is not None}
    return cache.states(model, present, shape, passes=config.training.epochs)


def states_folder(config: ExperimentConfig) -> Path:
    """Where states on the disk are kept unless `cache.dir` says otherwise."""
    return Path(config.data.cache_dir).expanduser() / "prefix"
