"""What the sweep reads from the folder of a search."""

import json

import pytest

from tools.benchmarks.ours_sweep import SearchFolder


def write_journal(folder, *records):
    lines = [{"record": {"format": 1, "identity": {}}, "sha256": "0"}]
    lines += [{"record": record, "sha256": "0"} for record in records]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "journal.jsonl").write_text(text)


def make_record(*, status="completed", **result):
    cell = {"frozen_depth": 4, "learning_rate": 3e-4, "extra": {}}
    fields = {"status": status, "trainable_parameters": None, "metrics": {}, **result}
    request = {"cell": cell, "seed": 0, "epochs": 3}
    return {"request": request, "result": fields, "wall_seconds": 12.5}


def test_trials_come_from_the_journal(tmp_path):
    record = make_record(trainable_parameters=10, metrics={"accuracy": 0.86, "loss": 0.4})
    write_journal(tmp_path, record, make_record(status="failed"))

    completed, failed = SearchFolder(tmp_path).trials()

    assert completed.cell == (4, 3e-4)
    assert (completed.epochs, completed.seconds) == (3, 12.5)
    assert (completed.trainable_parameters, completed.validation_accuracy) == (10, 0.86)
    assert (failed.trainable_parameters, failed.validation_accuracy) == (None, None)


def test_trials_have_ended_when_the_answer_stands(tmp_path):
    folder = SearchFolder(tmp_path)
    assert not folder.trials_have_ended

    (tmp_path / "chosen.yaml").write_text(
        "freeze:\n  depth: 4\ntraining:\n  learning_rate: 3.0e-4\n"
    )

    assert folder.trials_have_ended
    assert folder.recommended == (4, pytest.approx(3e-4))
