"""Rows written for a test, and what is told of those that are wrong."""

import json

import pytest

from tf_finetune.errors import UserError


def lines(*rows):
    """JSON lines of some rows."""
    return "".join(json.dumps(row) + "\n" for row in rows)


def faults(read, path, **options):
    """The problems of a source that is refused, each without the source's name."""
    with pytest.raises(UserError) as caught:
        read(path, **options)
    return [problem.removeprefix(f"{path}, row ") for problem in caught.value.problems]
