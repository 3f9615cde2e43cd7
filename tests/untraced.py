"""TensorFlow without traces: tracing a step takes longer than a tiny run's few steps do."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

# In the environment of the processes of tests/forked_python.py, which then trace nothing either.
VARIABLE = "TF_FINETUNE_TESTS_UNTRACED"


@contextmanager
def untraced() -> Iterator[None]:
    """Every `tf.function` computes as it is called; functions of tf.data are traced all the same.

    What was traced before is kept, and serves again afterwards.
    """
    import tensorflow as tf

    before = tf.config.functions_run_eagerly(), os.environ.get(VARIABLE)
    tf.config.run_functions_eagerly(True)
    os.environ[VARIABLE] = "1"
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(before[0])
        del os.environ[VARIABLE]
        if before[1] is not None:
            os.environ[VARIABLE] = before[1]


def follow_environment() -> None:
    """Traces nothing in this process where the environment says so."""
    if VARIABLE in os.environ:
        import tensorflow as tf

        tf.config.run_functions_eagerly(True)
