"""`tools/device_check` tells mistakes before it packs anything."""

import pytest

from tools.device_packing import command
from trainers.cli import run_command


@pytest.fixture
def said(monkeypatch, capsys):
    """Packs with these words, which are wrong; gives what is said of it."""
    monkeypatch.setattr(command, "find_compiler", lambda: None)

    def pack(*words):
        assert run_command(command.main, ["pack", *map(str, words)]) == 2
        return capsys.readouterr().err

    return pack


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--precisions", "float32,half"], "--precisions: received half; accepted: float32"),
        (["--batch-size", "no"], "--batch-size: received 'no'"),
        (["--length", "0"], "--length: received"),
    ],
)
def test_an_option_that_is_wrong_is_named(tmp_path, said, wrong, message):
    assert message in said(tmp_path / "package", *wrong)


def test_a_folder_of_something_else_is_not_replaced(tmp_path, said):
    (tmp_path / "thesis.txt").write_text("all of it")

    assert "holds something else" in said(tmp_path)
    assert (tmp_path / "thesis.txt").exists()
