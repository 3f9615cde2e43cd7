"""Several training steps in one call of TensorFlow, without Python between them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

_KEPT = {
    "loss": tf.float32,
    "step_loss": tf.float32,
    "gradient_norm": tf.float32,
    "dropped": tf.bool,
    "asked_to_stop": tf.float32,
}


def run_steps(
    step: Callable[[tf.Tensor], Mapping[str, tf.Tensor]], most: tf.Tensor
) -> dict[str, tf.Tensor]:
    """Runs one step after the other; a step that was dropped is the last.

    What the host does about a dropped step, it does before the next one, however many are run
    in a call.

    Args:
        step: Builds a step; gives its logs as `TrainingStep` does. Its argument is
            whether it is the last of `most`, [] bool.
        most: How many steps at most, [] int32.

    Returns:
        The logs by name, [steps] each, in the memory of the host.
    """

    def again(done: tf.Tensor, dropped: tf.Tensor, _: Any) -> tf.Tensor:
        return (done < most) & tf.logical_not(dropped)

    def one(done: tf.Tensor, _: tf.Tensor, kept: dict[str, tf.TensorArray]) -> Any:
        logs = step(tf.equal(done + 1, most))
        with tf.device("/cpu:0"):
            kept = {name: array.write(done, logs[name]) for name, array in kept.items()}
            return done + 1, tf.identity(logs["dropped"]), kept

    with tf.device("/cpu:0"):
        empty = {name: tf.TensorArray(dtype, size=most) for name, dtype in _KEPT.items()}
        start = (tf.constant(0), tf.constant(False), empty)
    # One after the other: each begins with the weights of the one before.
    done, _, kept = tf.while_loop(again, one, start, parallel_iterations=1)
    with tf.device("/cpu:0"):
        return {name: array.stack()[:done] for name, array in kept.items()}


def logs_of_steps(logs: Mapping[str, tf.Tensor]) -> Iterator[dict[str, Any]]:
    """The logs of each step of `run_steps`, in order, and `updates_ahead`.

    That is how many updates the weights are ahead of the step when its logs are read.
    """
    values = {name: value.numpy() for name, value in logs.items()}
    updates = np.cumsum(~values["dropped"])
    for index, done in enumerate(updates):
        of_step = {name: value[index] for name, value in values.items()}
        yield of_step | {"updates_ahead": int(updates[-1] - done)}
