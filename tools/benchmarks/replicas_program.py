"""Times training steps on one or two logical CPU devices; see `replicas.py`."""

import json

import numpy as np
import tensorflow as tf

from tf_finetune.data.loading import load_splits
from tf_finetune.encoders.locating import resolve_encoder
from tf_finetune.encoders.tokenizers import load_tokenizer
from tf_finetune.options.data import DataConfig
from tf_finetune.options.training import TrainingConfig
from tf_finetune.training.pipeline import BatchShape, training_dataset
from tf_finetune.training.strategy import build_strategy
from tools.benchmarks.own_program import own_options
from tools.benchmarks.timed_steps import BATCH_SIZE, WARM_UP, StepTimer, timed_model


def main() -> None:
    """Prints the seconds of each timed step as a JSON line."""
    arguments = own_options(
        __doc__, words=["model_dir", "train", "folder"], numbers=["seed", "devices", "steps"]
    )
    if arguments.devices > 1:
        cpu = tf.config.list_physical_devices("CPU")[0]
        logical = [tf.config.LogicalDeviceConfiguration()] * arguments.devices
        tf.config.set_logical_device_configuration(cpu, logical)
    chosen = build_strategy("mirrored" if arguments.devices > 1 else "cpu")
    files = resolve_encoder(arguments.model_dir)
    data = DataConfig(
        train=arguments.train,
        validation_fraction=0.0,
        test_fraction=0.0,
        cache_dir=arguments.folder,
    )
    splits, _ = load_splits(data, load_tokenizer(files))
    model = timed_model(files, splits.labels.num_outputs, arguments.seed, chosen)
    model.start_run(TrainingConfig(learning_rate=5e-5, seed=arguments.seed), total_steps=1000)
    steps = arguments.steps + WARM_UP
    # Of one length, so that the median of some steps is that of all.
    shape = BatchShape(BATCH_SIZE, replicas=chosen.replicas, padding="max", max_length=32)
    short = splits.train.select(np.flatnonzero(splits.train.lengths <= shape.max_length))
    weights = np.ones(len(short), np.float32)
    batches = training_dataset(
        short, weights, shape, seed=arguments.seed, first_step=0, last_step=steps
    )
    timer = StepTimer()
    model.fit(batches, initial_epoch=0, epochs=1, steps_per_epoch=steps, callbacks=[timer])
    timed = np.diff(timer.ended)[WARM_UP - 1 :]
    print(json.dumps({"step_seconds": timed.tolist()}), flush=True)


if __name__ == "__main__":
    main()
