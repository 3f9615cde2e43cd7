"""Models of `transformers`, imported and built without what is thrown away at once.

A command that answers one sentence spends most of its time on these two.
"""

import importlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import ModuleType
from typing import Any

import tf_keras
from transformers import utils

from tf_finetune.encoders.family import Family


@contextmanager
def _replaced(owner: Any, name: str, function: Callable[..., Any]) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, function)
    try:
        yield
    finally:
        setattr(owner, name, before)


def library_module(family: Family) -> ModuleType:
    """The module of a family's TensorFlow models.

    The library's scores of GLUE tasks, which it imports, would import scikit-learn and
    scipy.stats: a second, for what nothing here calls.
    """
    name = f"transformers.models.{family.library}.modeling_tf_{family.library}"
    with _replaced(utils, "is_sklearn_available", lambda: False):
        return importlib.import_module(name)


def without_random_values(family: Family) -> AbstractContextManager[None]:
    """A context in which a model is built of zeros, to be filled from a checkpoint.

    To draw a truncated normal value for each weight takes longer than to read them all.
    """
    zeros = tf_keras.initializers.Zeros
    return _replaced(
        library_module(family), "get_initializer", lambda initializer_range=0.02: zeros()
    )
