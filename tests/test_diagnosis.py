"""What `doctor` finds about folders, encoders and devices."""

import subprocess
from collections import namedtuple

import pytest

from tf_finetune import diagnosis
from tf_finetune.diagnosis import check_devices, check_encoders, check_folder
from tf_finetune.machine.environment import Finding

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def disk(monkeypatch):
    def pretend(free):
        monkeypatch.setattr(diagnosis.shutil, "disk_usage", lambda _: Usage(0, 0, free))

    return pretend


def test_folder_that_is_not_there_yet_is_judged_by_its_parent(tmp_path, disk):
    disk(8 * 2**30)

    found = check_folder("runs", tmp_path / "a" / "b")

    assert (found.level, found.message) == ("ok", f"{tmp_path}/a/b, 8.0 GiB free")


def test_little_room_is_a_warning(tmp_path, disk):
    disk(2**30)

    assert check_folder("runs", tmp_path).level == "warning"


def test_folder_that_cannot_be_written_to_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(diagnosis.os, "access", lambda *_: False)

    assert "cannot be written to" in check_folder("runs", tmp_path).message


def test_file_in_place_of_a_folder_is_an_error(tmp_path):
    (tmp_path / "runs").write_text("")

    found = check_folder("runs", tmp_path / "runs")

    assert (found.level, found.message) == ("error", f"{tmp_path}/runs is a file")


def test_encoders():
    assert check_encoders(["a_model"], [], offline=True) == Finding(
        "ok", "encoders", "installed: package:a_model"
    )
    both = check_encoders(["a_model"], ["org/b", "c"], offline=True)
    assert both.message == "installed: package:a_model; in the hub's cache: org/b, c"
    assert "the hub will be asked" in check_encoders([], [], offline=False).message
    assert "the hub is switched off" in check_encoders([], [], offline=True).message


@pytest.mark.parametrize(
    ("returncode", "stdout", "stderr", "level", "message"),
    [
        (0, "CPU\n", "", "ok", "1 CPU with"),
        (0, "CPU,GPU,GPU\n", "", "ok", "1 CPU, 2 GPU"),
        (1, "", "Traceback\nImportError: libcudart\n", "error", "load: ImportError: libcudart"),
    ],
)
def test_devices(monkeypatch, returncode, stdout, stderr, level, message):
    done = subprocess.CompletedProcess([], returncode, stdout, stderr)
    monkeypatch.setattr(diagnosis.subprocess, "run", lambda *_, **__: done)

    found = check_devices()

    assert found.level == level
    assert message in found.message


def test_tensorflow_that_hangs_is_an_error(monkeypatch):
    def hang(*_, **__):
        raise subprocess.TimeoutExpired("python", 120)

    monkeypatch.setattr(diagnosis.subprocess, "run", hang)

    assert check_devices().level == "error"


def test_devices_are_not_asked_for_when_tensorflow_is_missing(monkeypatch):
    broken = Finding("error", "tensorflow", "not installed")
    monkeypatch.setattr(diagnosis, "check_versions", lambda: [broken])
    monkeypatch.setattr(diagnosis, "check_devices", lambda: pytest.fail("asked"))

    assert broken in list(diagnosis.diagnose())
