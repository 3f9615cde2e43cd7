"""Whoever finds the disk full says where, what is needed, and what is free."""

import errno
import os
import re

import pytest
import tensorflow as tf

from tf_finetune.errors import DiskFullError, UserError
from tf_finetune.storage.disk_space import told_when_full

FULL, QUOTA = (os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            OSError(errno.ENOSPC, FULL),
            "the disk is full: at least 1,234 bytes needed, N bytes free",
        ),
        (
            OSError(errno.EDQUOT, QUOTA),
            "the disk quota is used up: at least 1,234 bytes needed, N bytes free on the disk "
            "itself",
        ),
        (
            tf.errors.ResourceExhaustedError(None, None, f"model.data; {FULL}"),
            "the disk is full: at least 1,234 bytes needed, N bytes free",
        ),
        (
            tf.errors.UnknownError(None, None, f"model.data; {QUOTA}"),
            "the disk quota is used up: at least 1,234 bytes needed, N bytes free on the disk "
            "itself",
        ),
        (
            ValueError(f"I/O error: {FULL} (os error 28)"),  # safetensors
            "the disk is full: at least 1,234 bytes needed, N bytes free",
        ),
    ],
)
def test_full_disk_is_told_alike_whoever_noticed_it(tmp_path, error, said):
    with pytest.raises(DiskFullError) as caught, told_when_full(tmp_path / "file", 1234):
        raise error

    problem = re.sub(r"[\d,]+ bytes free", "N bytes free", caught.value.problems[0])
    assert problem == f"{tmp_path / 'file'}: {said}"
    assert "then give the same command again" in caught.value.hint


def test_unknown_size_is_said_to_be_unknown_with_the_option(tmp_path):
    target = tmp_path / "not" / "yet" / "there"
    with pytest.raises(DiskFullError) as caught, told_when_full(target, option="data.cache_dir"):
        raise OSError(errno.ENOSPC, FULL)

    problem = re.sub(r"[\d,]+ bytes free", "N bytes free", caught.value.problems[0])
    assert problem == (
        f"data.cache_dir: {target}: the disk is full: N bytes free, and more needed (how many "
        "bytes, only writing them can tell)"
    )


def test_file_inside_a_folder_is_told_as_the_folder(tmp_path):
    with (
        pytest.raises(DiskFullError) as caught,
        told_when_full(tmp_path / "folder", 5000),
        told_when_full(tmp_path / ".folder.writing-1" / "file", 1234),
    ):
        raise OSError(errno.ENOSPC, FULL)

    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].startswith(
        f"{tmp_path / 'folder'}: the disk is full: at least 5,000 bytes needed, "
    )


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EACCES, os.strerror(errno.EACCES)),
        UserError(f"a.csv, row 3: label: received {FULL!r}"),
        tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor"),
        KeyboardInterrupt(),
    ],
)
def test_any_other_error_stays_as_it_is(tmp_path, error):
    with pytest.raises(type(error)) as caught, told_when_full(tmp_path / "file", 1234):
        raise error

    assert caught.value is error
