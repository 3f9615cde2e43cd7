"""Times steps from kept states with several steps an execution; see `executions.py`."""

import json
import time

import numpy as np
import tensorflow as tf

from tf_finetune.data.batch import Batch, Consecutive, Inputs, States, Texts, WholeBatch
from tf_finetune.encoders.locating import resolve_encoder
from tf_finetune.options.training import TrainingConfig
from tf_finetune.training.strategy import build_strategy
from tools.benchmarks.own_program import own_options
from tools.benchmarks.timed_steps import BATCH_SIZE, StepTimer, timed_model

_TOKENS = 32


def main() -> None:
    """Prints a JSON line for each measured fit: its steps an execution, its seconds a step."""
    arguments = own_options(
        __doc__,
        words=["model_dir"],
        numbers=["depth", "seed", "steps", "repeats"],
        several=["executions"],
    )
    files = resolve_encoder(arguments.model_dir)
    model = timed_model(files, 2, arguments.seed, build_strategy("cpu"), arguments.depth)
    width = files.sizes.hidden
    # Of the last layer only what is read is kept.
    length = 1 if arguments.depth == files.num_layers else _TOKENS
    batches = _batches(length, width, arguments.seed)
    for repeat in range(arguments.repeats + 1):
        for steps in arguments.executions:
            config = TrainingConfig(
                learning_rate=5e-5, seed=arguments.seed, steps_per_execution=steps
            )
            model.start_run(config, total_steps=arguments.steps)
            began = time.perf_counter()
            model.fit(
                batches,
                initial_epoch=0,
                epochs=1,
                steps_per_epoch=arguments.steps,
                callbacks=[StepTimer()],
            )
            seconds = (time.perf_counter() - began) / arguments.steps
            if repeat:  # in the first everything is traced
                print(json.dumps({"steps": steps, "step_seconds": seconds}), flush=True)


def _batches(length: int, width: int, seed: int) -> tf.data.Dataset:
    """One batch of made-up states again and again: what they hold costs no time."""
    numbers = np.random.default_rng(seed)
    shape = (BATCH_SIZE, length)
    texts = Texts(np.ones(shape, np.int32), np.zeros((BATCH_SIZE, 1), np.int32))
    weights = np.ones((BATCH_SIZE, 1), np.float32)
    batch = Batch(
        inputs=Inputs(States(numbers.normal(size=(*shape, width)).astype(np.float32)), texts),
        targets=numbers.integers(0, 2, (BATCH_SIZE, 1)).astype(np.int32),
        weights=weights,
        place=Consecutive(np.int64(0)),
        whole=WholeBatch.of(weights, seed=0, step=0),
    )
    options = tf.data.Options()
    options.autotune.enabled = False  # as in training: the end of a fit would wait for it
    return tf.data.Dataset.from_tensors(batch).repeat().prefetch(4).with_options(options)


if __name__ == "__main__":
    main()
