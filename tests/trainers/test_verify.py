"""`verify` names every file of a run that is not as it was written."""

import shutil

import pytest

from trainers import train, verify
from trainers.cli import run_command


@pytest.fixture
def run(finished_run, tmp_path):
    """A copy that a test may damage."""
    return shutil.copytree(finished_run, tmp_path / "run")


def test_whole_run_is_said_to_be_whole(run, capsys):
    assert run_command(verify.main, [str(run)]) == 0

    assert capsys.readouterr().out.startswith("ok: ")


@pytest.mark.parametrize(
    "name", ["config.yaml", "metrics.json", "report.html", "model/vocab.txt", "manifest.json"]
)
def test_changed_file_is_named(run, command_fails, name):
    content = bytearray((run / name).read_bytes())
    content[len(content) // 2] ^= 1
    (run / name).write_bytes(content)

    assert f"{run / name}: damaged" in command_fails(verify.main, str(run))


def test_missing_files_and_lists_are_named(run, command_fails):
    (run / "plan.json").unlink()
    (run / "model" / "manifest.json").unlink()

    error = command_fails(verify.main, str(run))

    assert f"{run / 'plan.json'}: missing" in error
    assert f"{run / 'model' / 'manifest.json'}: missing" in error


def test_folder_without_a_run_is_refused(tmp_path, command_fails):
    assert "no run here" in command_fails(verify.main, str(tmp_path))


def test_changed_configuration_is_told_where_it_is_used(run, command_fails, capsys):
    changed = (run / "config.yaml").read_text().replace("epochs: 2", "epochs: none")
    (run / "config.yaml").write_text(changed)

    error = command_fails(train.main, "--config", str(run / "config.yaml"))

    assert "damaged, or changed since it was written" in error
    assert "training.epochs" in error
