"""Folders with one folder of .txt files a class."""

import errno
from pathlib import Path

import pytest

from tf_finetune.errors import UserError
from tf_finetune.sources.records import Record


def test_folder_names_are_labels_in_the_order_of_names(write, read, tmp_path):
    write("data/pos/2.txt", "fine\n")
    write("data/pos/1.txt", "\ufeffgreat")
    write("data/neg/1.txt", "awful")
    write("data/pos/.DS_Store", b"\0\1")
    write("data/README.md", "about the data")
    assert read(str(tmp_path / "data")) == [
        Record(1, "awful", None, "neg"),
        Record(2, "great", None, "pos"),
        Record(3, "fine\n", None, "pos"),
    ]


def test_folder_without_class_folders_is_a_problem(write, read, tmp_path):
    write("data/1.txt", "text")
    with pytest.raises(UserError, match=r"data: holds no folders; accepted: one folder of .txt"):
        read(str(tmp_path / "data"))


def test_everything_wrong_with_the_classes_is_named(write, read, tmp_path):
    write("data/pos/1.txt", "text")
    write("data/pos/1.html", "<p>")
    write("data/pos/deeper/1.txt", "text")
    (tmp_path / "data" / "neg").mkdir()
    with pytest.raises(UserError) as error:
        read(str(tmp_path / "data"))
    first, second, third = error.value.problems
    assert "neg: is empty; accepted: at least one .txt file" in first
    assert "1.html: is in a class folder; accepted there: .txt files" in second
    assert "deeper: is in a class folder" in third


def test_bad_files_are_named_and_reading_goes_on(write, read, tmp_path):
    write("data/neg/1.txt", "café".encode("latin-1"))
    write("data/neg/2.txt", " \n")
    write("data/pos/1.txt", "fine")
    with pytest.raises(UserError) as error:
        read(str(tmp_path / "data"))
    first, second = error.value.problems
    assert "1.txt, row 1: byte 3 (0x3) is not utf-8" in first and "data.encoding" in first
    assert "2.txt, column 'text': received ' \\n'" in second


def test_columns_of_a_folder_have_fixed_names(write, read, tmp_path):
    write("data/pos/1.txt", "fine")
    with pytest.raises(UserError, match=r"data.text_column: received 'review'.*always text"):
        read(str(tmp_path / "data"), text_column="review")


def test_files_that_cannot_be_read_are_named_and_reading_goes_on(
    write, read, tmp_path, monkeypatch
):
    write("data/neg/1.txt", "awful")
    write("data/neg/2.txt", "bad")
    write("data/pos/1.txt", "fine")
    readable = Path.read_bytes

    def read_bytes(path: Path) -> bytes:
        if path.name == "1.txt":
            raise OSError(errno.EIO, "Input/output error")
        return readable(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    with pytest.raises(UserError) as error:
        read(str(tmp_path / "data"))
    first, second = error.value.problems
    assert first.endswith("neg/1.txt: cannot be read: Input/output error")
    assert second.endswith("pos/1.txt: cannot be read: Input/output error")
