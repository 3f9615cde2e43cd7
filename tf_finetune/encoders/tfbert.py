"""TFBert of `transformers`, imported and built without what is thrown away at once.

A command that answers one sentence spends most of its time on these two.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import tf_keras
from transformers import utils


@contextmanager
def _replaced(owner: Any, name: str, function: Callable[..., Any]) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, function)
    try:
        yield
    finally:
        setattr(owner, name, before)


# TFBert's module also imports the library's scores of GLUE tasks, and these would import
# scikit-learn and scipy.stats: a second, for what nothing here calls.
with _replaced(utils, "is_sklearn_available", lambda: False):
    from transformers.models.bert import modeling_tf_bert

__all__ = ["modeling_tf_bert", "without_random_values"]


def without_random_values() -> Any:
    """A context in which a TFBert is built of zeros, to be filled from a checkpoint.

    To draw a truncated normal value for each weight takes longer than to read them all.
    """
    return _replaced(modeling_tf_bert, "get_initializer", lambda _: tf_keras.initializers.Zeros())
