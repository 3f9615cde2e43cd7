"""Matrices multiplied in one thread: small ones are slower in several."""

from contextlib import AbstractContextManager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]


def one_thread() -> AbstractContextManager[Any]:
    """A context in which matrices are multiplied in one thread.

    Whoever solves several problems at a time enters it once around all of them: the libraries have
    one number of threads for all, and whoever leaves last would otherwise leave them at one.
    """
    return _libraries().limit(limits=1)


@cache
def _libraries() -> ThreadpoolController:
    """Those that have threads; to look for them takes as long as to solve a small head."""
    return ThreadpoolController()
