import errno
import json
import os
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from tf_finetune.errors import DiskFullError, UserError
from tf_finetune.storage.files import json_line, replaced_folder, write_atomically, write_json


def fail_with(number: int):
    def fail(*_):
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize(
    ("data", "written"), [("größer\n", b"gr\xc3\xb6\xc3\x9fer\n"), (b"\0", b"\0")]
)
def test_text_and_bytes_are_written_as_they_are(tmp_path, data, written):
    write_atomically(tmp_path / "file", data)
    assert (tmp_path / "file").read_bytes() == written
    assert os.listdir(tmp_path) == ["file"]


def test_an_existing_file_is_replaced(tmp_path):
    path = tmp_path / "file"
    path.write_text("a longer old content")
    write_atomically(str(path), "new")
    assert path.read_text() == "new"


def test_new_files_have_the_usual_permissions(tmp_path):
    (tmp_path / "usual").touch()
    write_atomically(tmp_path / "file", "")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_full_disk_keeps_the_old_file_and_says_what_is_needed(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_text("old")
    monkeypatch.setattr(os, "fsync", fail_with(errno.ENOSPC))
    with pytest.raises(
        DiskFullError,
        match=r"file: the disk is full: at least 1,234 bytes needed, [\d,]+ bytes free",
    ):
        write_atomically(path, b"x" * 1234)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_what_was_written_before_the_disk_was_full_counts_as_free(tmp_path, monkeypatch):
    def usage(folder):
        return SimpleNamespace(free=900 - sum(p.stat().st_size for p in Path(folder).rglob("*")))

    monkeypatch.setattr(shutil, "disk_usage", usage)
    monkeypatch.setattr(os, "fsync", fail_with(errno.ENOSPC))

    with pytest.raises(DiskFullError, match="at least 1,234 bytes needed, 900 bytes free"):
        write_atomically(tmp_path / "file", b"x" * 1234)
    with (
        pytest.raises(DiskFullError, match="folder: .* at least 5,000 bytes needed, 900 bytes"),
        replaced_folder(tmp_path / "folder", 5000) as temporary,
    ):
        (temporary / "a").write_bytes(b"x" * 800)
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_failed_rename_leaves_no_temporary_file(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "replace", fail_with(errno.EACCES))
    with pytest.raises(UserError, match="file: cannot be written: Permission denied"):
        write_atomically(tmp_path / "file", "new")
    assert os.listdir(tmp_path) == []


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(UserError, match="nowhere/file: cannot be written: No such file"):
        write_atomically(tmp_path / "nowhere" / "file", "new")


def test_a_replaced_folder_is_the_old_one_until_the_new_one_is_whole(tmp_path):
    final = tmp_path / "model"
    with replaced_folder(final) as temporary:
        (temporary / "a").write_text("first")
        assert not final.exists()
    with pytest.raises(RuntimeError, match="stop"), replaced_folder(final) as temporary:
        (temporary / "a").write_text("second")
        raise RuntimeError("stop")
    assert (final / "a").read_text() == "first"
    with replaced_folder(final) as temporary:
        (temporary / "b").write_text("third")
    assert [path.name for path in final.iterdir()] == ["b"]
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_folder_that_cannot_take_its_name_leaves_the_previous_one(tmp_path, monkeypatch):
    final = tmp_path / "model"
    final.mkdir()
    (final / "a").write_text("first")
    real = Path.rename

    def rename(self, target):
        if ".writing-" in self.name:
            raise KeyboardInterrupt
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(KeyboardInterrupt), replaced_folder(final) as temporary:
        (temporary / "a").write_text("second")

    assert (final / "a").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_what_a_killed_process_left_of_a_folder_is_cleared_up(tmp_path):
    gone = subprocess.Popen(["true"])
    gone.wait()
    final, alive = tmp_path / "model", os.getppid()
    (tmp_path / f".model.previous-{gone.pid}").mkdir()
    (tmp_path / f".model.previous-{gone.pid}" / "a").write_text("first")
    (tmp_path / f".model.writing-{gone.pid}").mkdir()
    (tmp_path / f".model.writing-{alive}").mkdir()

    with pytest.raises(RuntimeError, match="stop"), replaced_folder(final):
        raise RuntimeError("stop")

    assert (final / "a").read_text() == "first"
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [f".model.writing-{alive}", "model"]


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "No space left on device"), ValueError("x; No space left on device")],
)
def test_a_full_disk_leaves_the_previous_folder_and_says_so(tmp_path, error):
    final = tmp_path / "model"
    final.mkdir()
    with pytest.raises(UserError, match="the disk is full"), replaced_folder(final):
        raise error
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_json_line_holds_nothing_that_a_terminal_obeys():
    text = 'a\x1b[2J\x7f\x85\x9b31m\xa0é\n"\\'

    line = json_line({"text": text})

    assert line == '{"text": "a\\u001b[2J\\u007f\\u0085\\u009b31m\xa0é\\n\\"\\\\"}'
    assert json.loads(line) == {"text": text}


def test_json_file_holds_nothing_that_a_terminal_obeys(tmp_path):
    write_json(tmp_path / "a.json", {"text": "a\x1b[2J\x9b31m\n\ud800"})

    expected = '{\n  "text": "a\\u001b[2J\\u009b31m\\n\\ud800"\n}\n'
    assert (tmp_path / "a.json").read_bytes() == expected.encode()
