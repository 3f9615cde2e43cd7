"""`init` writes a configuration for the user's file and never over an existing one unasked."""

import pytest

from tf_finetune.config.loading import load_config
from tf_finetune.encoders.locating import EncoderFiles
from trainers.cli import run_command
from trainers.init import main


@pytest.fixture(autouse=True)
def examples(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"a rather good film {i},pos\na rather bad film {i},neg\n" for i in range(20))
    (tmp_path / "reviews.csv").write_text("text,label\n" + rows)


def test_configuration_holds_the_file_and_its_columns(capsys):
    assert run_command(main, ["reviews.csv"]) == 0

    data = load_config("config.yaml").data
    assert (data.train, data.text_column, data.label_column) == ("reviews.csv", "text", "label")
    assert capsys.readouterr().out.splitlines()[-1] == (
        "wrote config.yaml; next: tf-finetune validate --config config.yaml"
    )


def test_existing_file_is_kept_without_force(tmp_path, capsys):
    output = tmp_path / "mine.yaml"
    output.write_text("mine")

    assert run_command(main, ["reviews.csv", "--output", "mine.yaml"]) == 2
    assert output.read_text() == "mine"
    assert "mine.yaml: is already there\nAdd --force" in capsys.readouterr().err

    assert run_command(main, ["reviews.csv", "--output", "mine.yaml", "--force"]) == 0
    assert load_config(output).data.train == "reviews.csv"


@pytest.mark.parametrize(
    ("output", "problem"),
    [(".", "received ., a folder"), ("no/c.yaml", "received no/c.yaml; there is no folder no")],
)
def test_output_that_cannot_be_written_is_a_mistake(output, problem, capsys):
    assert run_command(main, ["reviews.csv", "--output", output]) == 2
    assert problem in capsys.readouterr().err


def test_missing_data_file_writes_nothing(tmp_path, capsys):
    assert run_command(main, ["review.csv"]) == 2
    assert "review.csv" in capsys.readouterr().err
    assert not (tmp_path / "config.yaml").exists()


def test_phases_are_those_of_the_encoder_that_is_found(tiny_encoder, monkeypatch):
    found = EncoderFiles("found", tiny_encoder)
    monkeypatch.setattr("tf_finetune.encoders.locating.resolve_encoder", lambda *_: found)

    assert run_command(main, ["reviews.csv", "--thaw"]) == 0

    freeze = load_config("config.yaml").freeze
    assert [freeze.depth, *(phase.depth for phase in freeze.thaw)] == [3, 2, 1, 0]
