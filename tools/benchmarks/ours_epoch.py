"""Training epochs of this project, measured under the contract of `measurement.py`.

Whole epochs are timed, with what a cache of frozen layers costs. Runs the library as
`trainers/train.py` does, without checkpoints, events and baselines, which the PyTorch loop
has not either.
"""

import argparse
import os
import tempfile
from importlib import metadata

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.batches import epoch_batches
from tf_finetune.data.loading import load_splits
from tf_finetune.data.splits import Split
from tf_finetune.encoders.locating import resolve_encoder
from tf_finetune.encoders.tokenizers import load_tokenizer
from tf_finetune.options.cache import CacheConfig
from tf_finetune.options.data import DataConfig
from tf_finetune.options.evaluation import EvaluationConfig
from tf_finetune.options.freeze import FreezeConfig
from tf_finetune.options.training import TrainingConfig
from tf_finetune.tasks.table import TASKS
from tools.benchmarks.epoch_tasks import EPOCH_TASKS
from tools.benchmarks.measurement import EpochMeasurement, peak_rss_bytes, print_measurement

BATCH_SIZE = 32


def main() -> None:
    """Trains, and prints one JSON line."""
    arguments = _parse()
    import tensorflow as tf

    from tools.benchmarks.own_training import train_once

    files = resolve_encoder(arguments.model_dir).read_by(TASKS[arguments.task].pooling)
    with tempfile.TemporaryDirectory() as cache:  # a fresh one: tokenisation counts
        config = _config(arguments, cache)
        splits, _ = load_splits(config.data, load_tokenizer(files))
        training = train_once(config, files, splits)
    result = training.result
    fill_seconds = training.fill_seconds if arguments.cache != "off" else 0.0
    seconds = (fill_seconds + result.train_seconds) / arguments.epochs
    print_measurement(
        EpochMeasurement(
            system="tf_finetune",
            versions={n: metadata.version(n) for n in ("tensorflow", "tf-keras", "transformers")},
            device="cpu",
            threads=tf.config.threading.get_intra_op_parallelism_threads() or _cores(),
            frozen_depth=arguments.frozen_depth,
            trainable_parameters=training.trainable_parameters,
            padding="dynamic",
            batch_size=BATCH_SIZE,
            epochs=arguments.epochs,
            steps_per_epoch=result.steps // arguments.epochs,
            timed_steps=result.steps,
            padded_tokens_per_epoch=_padded_tokens(splits.train, arguments.seed),
            extrapolated=False,
            seconds_per_epoch=seconds,
            first_step_seconds=result.first_step_seconds,
            seconds_to_first_step=(result.first_step_at or 0.0) - arguments.started_at,
            examples_per_second=len(splits.train) / seconds,
            peak_rss_bytes=peak_rss_bytes(),
            validation_accuracy=result.history[-1][EPOCH_TASKS[arguments.task].score],
            cached=training.cached,
            fill_seconds=fill_seconds,
        )
    )


def _config(arguments: argparse.Namespace, cache: str) -> ExperimentConfig:
    return ExperimentConfig(
        data=DataConfig(
            task=arguments.task,
            train=arguments.train,
            validation=arguments.validation,
            test_fraction=0.0,
            cache_dir=cache,
        ),
        freeze=FreezeConfig(depth=arguments.frozen_depth),
        training=TrainingConfig(
            learning_rate=arguments.lr,
            epochs=arguments.epochs,
            batch_size=BATCH_SIZE,
            seed=arguments.seed,
        ),
        evaluation=EvaluationConfig(baselines=False),
        cache=CacheConfig(mode=arguments.cache),
    )


def _padded_tokens(train: Split, seed: int) -> int:
    batches = epoch_batches(train.lengths, BATCH_SIZE, seed=seed, epoch=0)
    longest = [(len(rows), int(train.lengths[rows].max())) for rows in batches]
    return sum(rows * (length + length % 2) for rows, length in longest)


def _cores() -> int:
    """Cores this process may use; as many threads does TensorFlow take."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model-dir", required=True)
    parser.add_argument("--task", choices=sorted(EPOCH_TASKS), default="single_label")
    parser.add_argument("--train", required=True)
    parser.add_argument("--validation", required=True)
    parser.add_argument("--frozen-depth", type=int, required=True)
    parser.add_argument("--padding", choices=("dynamic",), required=True)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--lr", type=float, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--started-at", type=float, required=True)
    parser.add_argument("--cache", choices=("auto", "memory", "disk", "off"), default="off")
    return parser.parse_args()


if __name__ == "__main__":
    main()
