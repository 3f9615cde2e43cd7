"""`validate` finds what is wrong with configuration, data and freeze plan without training."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tf_finetune.plans.precision import FORETOLD
from trainers.cli import run_command
from trainers.validate import main

ROOT = Path(__file__).parents[2]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz", "film"]


@pytest.fixture
def job(tmp_path, monkeypatch):
    """Arguments of a small valid job: an encoder of two layers (without weights) and a file."""
    encoder = tmp_path / "encoder"
    encoder.mkdir()
    sizes = {
        "model_type": "bert",
        "architectures": ["BertModel"],
        "hidden_size": 4,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 8,
        "vocab_size": len(VOCABULARY),
        "max_position_embeddings": 64,
        "type_vocab_size": 2,
    }
    (encoder / "config.json").write_text(json.dumps(sizes))
    (encoder / "vocab.txt").write_text("\n".join(VOCABULARY))
    rows = "".join(f"a g film {'x ' * i},pos\na b film {'y ' * i},neg\n" for i in range(20))
    (tmp_path / "reviews.csv").write_text("text,label\n" + rows)
    monkeypatch.chdir(tmp_path)
    return ["reviews.csv", "encoder.name=./encoder", "data.cache_dir=cache", "data.max_length=32"]


def test_valid_job_is_summarised_and_ok(job, capsys):
    assert run_command(main, [*job, "freeze.depth=1", "training.precision=auto"]) == 0

    lines = capsys.readouterr().out.splitlines()
    # Embeddings (32 + 64 + 2 rows of 4, and a norm of 8), two layers of 172, a pooler of 20
    # and a head of 10; depth 1 leaves one layer, pooler and head.
    assert lines[-6:] == [
        "task: single_label, 2 classes: neg, pos",
        "encoder: ./encoder, 2 layers, frozen depth 1",
        "pooling: first (the first token), as usual for bert",
        "trainable parameters: 202 of 774",
        FORETOLD,
        "ok",
    ]


def test_problems_of_freeze_plan_and_data_come_together(job, tmp_path, capsys):
    with (tmp_path / "reviews.csv").open("a") as file:
        file.write("one,field,too many\n")

    assert run_command(main, [*job, "freeze.depth=3"]) == 2

    error = capsys.readouterr().err
    assert "freeze.depth: received 3; accepted: 0 to 2" in error
    assert "reviews.csv" in error
    assert "42" in error  # the row


def test_broken_configuration_is_code_2_without_traceback(tmp_path):
    config = tmp_path / "broken.yaml"
    config.write_text("data:\n  train: x.csv\ntraining:\n  epochs: 0\n  lr: 1\n")

    done = subprocess.run(
        [sys.executable, "-m", "trainers.validate", "--config", str(config), "freeze.dept=1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "tf-finetune: problems:\n"
        f"  - training.epochs ({config}:4): received 0; accepted: a whole number from 1 to 10,000, "
        "such as 3\n"
        f"  - training.lr ({config}:5): unknown option; nearest: training.learning_rate\n"
        "  - freeze.dept (command line): unknown option; nearest: freeze.depth\n"
    )


def test_missing_configuration_is_code_2(capsys):
    assert run_command(main, ["--config", "nowhere.yaml"]) == 2
    assert "nowhere.yaml: no such file" in capsys.readouterr().err
