"""`X` as scikit-learn's callers have it, as columns of texts; and errors as they expect them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from tf_finetune.api.examples import TEXT, TEXT_PAIR
from tf_finetune.errors import UserError
from tf_finetune.sources.problems import Problems, show

# Texts by the names of the columns that hold them.
Columns = dict[str, Sequence[Any]]
_ACCEPTED = (
    "a list, an array or a Series of texts; pairs of texts; or a table of one or two columns"
)


class InputError(UserError, ValueError):
    """A `UserError` that is a `ValueError` too.

    That is what scikit-learn's own estimators raise of wrong input and what its callers catch.
    """


@contextmanager
def input_errors() -> Iterator[None]:
    """A region whose `UserError`s are raised as `InputError`s; a full disk is no wrong input."""
    try:
        yield
    except UserError as error:
        if type(error) is not UserError:
            raise
        raise InputError(error.problems, hint=error.hint) from None


def text_columns(X: Any) -> Columns:
    """The texts of `X` by column, and the second ones where it holds pairs.

    Args:
        X: A list, an array or a Series of n texts, or of n pairs; or a table or an array
            `[n, 1]` of texts or `[n, 2]` of pairs.

    Raises:
        InputError: It is something else, or empty, or holds what is no text: all of it.
    """
    if isinstance(X, (str, bytes, Mapping)):
        raise InputError(f"X: received {type(X).__name__}; accepted: {_ACCEPTED}")
    array = np.asarray(X, dtype=object)
    if array.ndim == 2 and array.shape[1] in (1, 2):
        columns = list(array.T)
    elif array.ndim == 1:
        columns = [array]
    else:
        shape = f" of shape {list(array.shape)}" if array.ndim else ""
        raise InputError(f"X: received {type(X).__name__}{shape}; accepted: {_ACCEPTED}")
    if not len(array):
        raise InputError("X: received no texts; accepted: at least one")
    problems = Problems()
    for row, values in enumerate(zip(*columns, strict=True), start=1):
        for value in values:
            if not isinstance(value, str):
                problems.add(f"X, row {row}: received {show(value)}; accepted: a text")
    with input_errors():
        problems.check()
    return dict(zip((TEXT, TEXT_PAIR), columns, strict=False))


def given_texts(X: Any) -> list[Any]:
    """The texts of `X`, or its pairs, as a model takes them.

    Raises:
        InputError: As `text_columns`.
    """
    first, *second = text_columns(X).values()
    return list(zip(first, *second, strict=True)) if second else list(first)
