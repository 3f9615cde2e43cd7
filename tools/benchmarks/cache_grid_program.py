"""Times runs with and without the prefix cache, all in one process; see `cache_grid.py`."""

import gc
import itertools
import json
import statistics
import tempfile

import tf_keras

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.loading import Splits, load_splits
from tf_finetune.encoders.locating import EncoderFiles, resolve_encoder
from tf_finetune.encoders.tokenizers import load_tokenizer
from tf_finetune.options.cache import CacheConfig
from tf_finetune.options.data import DataConfig
from tf_finetune.options.evaluation import EvaluationConfig
from tf_finetune.options.freeze import FreezeConfig
from tf_finetune.options.training import TrainingConfig
from tools.benchmarks.own_program import own_options
from tools.benchmarks.own_training import train_once


def main() -> None:
    """Prints a JSON line for each cell of the grid."""
    arguments = own_options(
        __doc__,
        words=["model_dir", "train"],
        numbers=["seed", "repeats"],
        several=["texts", "depths", "epochs"],
    )
    files = resolve_encoder(arguments.model_dir)
    tokenizer = load_tokenizer(files)
    with tempfile.TemporaryDirectory() as cache:
        for texts in arguments.texts:
            data = DataConfig(
                train=arguments.train, test_fraction=0.0, train_limit=texts, cache_dir=cache
            )
            splits, data = load_splits(data, tokenizer)
            for depth, epochs in itertools.product(arguments.depths, arguments.epochs):
                config = ExperimentConfig(
                    data=data,
                    freeze=FreezeConfig(depth=depth),
                    training=TrainingConfig(learning_rate=5e-5, epochs=epochs, seed=arguments.seed),
                    evaluation=EvaluationConfig(baselines=False),
                )
                print(json.dumps(_compare(files, splits, config, arguments.repeats)), flush=True)


def _compare(
    files: EncoderFiles, splits: Splits, config: ExperimentConfig, repeats: int
) -> dict[str, float | bool]:
    """Median seconds of both, one after the other, first one and then the other first."""
    seconds: dict[str, list[float]] = {"off": [], "auto": []}
    cached = False
    for repeat in range(repeats):
        for mode in ("off", "auto") if repeat % 2 == 0 else ("auto", "off"):
            # A new folder each time: states on the disk would be found again.
            with tempfile.TemporaryDirectory() as folder:
                cache = CacheConfig.model_validate({"mode": mode, "dir": folder})
                spent, used = _run(files, splits, config.model_copy(update={"cache": cache}))
            seconds[mode].append(spent)
            cached = cached or used
    off, auto = (statistics.median(seconds[mode]) for mode in ("off", "auto"))
    return {
        "texts": len(splits.train) if splits.train is not None else 0,
        "depth": config.freeze.depth,
        "epochs": config.training.epochs,
        "off": off,
        "auto": auto,
        "ratio": auto / off,
        "cached": cached,
    }


def _run(files: EncoderFiles, splits: Splits, config: ExperimentConfig) -> tuple[float, bool]:
    """Seconds of one run from its compiled model on, and whether it read cached states."""
    tf_keras.backend.clear_session()
    gc.collect()
    training = train_once(config, files, splits)
    return training.seconds, training.cached


if __name__ == "__main__":
    main()
