"""Times training steps on one or two logical CPU devices; see `replicas.py`."""

import argparse
import json
import time

import numpy as np
import tensorflow as tf
import tf_keras

from tf_finetune.config.sections import DataConfig, FreezeConfig, TrainingConfig
from tf_finetune.data import load_splits
from tf_finetune.encoders import build_classifier, load_tokenizer, plan_freezing, resolve_encoder
from tf_finetune.training import build_strategy, compile_fine_tuner
from tf_finetune.training.pipeline import BatchShape, training_dataset

BATCH_SIZE = 32
_WARM_UP = 2


class _Timer(tf_keras.callbacks.Callback):
    """Notes when each step ended."""

    def __init__(self) -> None:
        super().__init__()
        self.ended: list[float] = []

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        """Notes the time."""
        self.ended.append(time.perf_counter())


def main() -> None:
    """Prints the seconds of each timed step as a JSON line."""
    arguments = _parse()
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
    outputs, training = splits.labels.num_outputs, TrainingConfig(seed=arguments.seed)
    plan = plan_freezing(FreezeConfig(depth=0), files.family.variables(files.config, outputs))
    with chosen.strategy.scope():
        classifier, _ = build_classifier(files, plan, outputs, seed=arguments.seed)
        model = compile_fine_tuner(classifier, "single_label", training)
    model.start_run(training, total_steps=1000)
    steps = arguments.steps + _WARM_UP
    # Of one length, so that the median of some steps is that of all.
    shape = BatchShape(BATCH_SIZE, replicas=chosen.replicas, padding="max", max_length=32)
    short = splits.train.select(np.flatnonzero(splits.train.lengths <= shape.max_length))
    weights = np.ones(len(short), np.float32)
    batches = training_dataset(
        short, weights, shape, seed=arguments.seed, first_step=0, last_step=steps
    )
    timer = _Timer()
    model.fit(batches, initial_epoch=0, epochs=1, steps_per_epoch=steps, callbacks=[timer])
    timed = np.diff(timer.ended)[_WARM_UP - 1 :]  # the first are traced
    print(json.dumps({"step_seconds": timed.tolist()}), flush=True)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model-dir", required=True)
    parser.add_argument("--train", required=True)
    parser.add_argument("--folder", required=True, help="for tokens")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--devices", type=int, choices=(1, 2), required=True)
    parser.add_argument("--steps", type=int, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
