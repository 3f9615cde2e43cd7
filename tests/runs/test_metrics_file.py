import json
from dataclasses import replace

import pytest

from tf_finetune.errors import UserError
from tf_finetune.evaluation.report import ClassScore, EvaluationReport, FoldScores, Mistake
from tf_finetune.runs.metrics_file import write_evaluation, write_metrics


def report(split: str, accuracy: float = 0.75, text: str = "schön") -> EvaluationReport:
    return EvaluationReport(
        split=split,
        task="single_label",
        n=4,
        confidence=0.95,
        metrics={"accuracy": {"value": accuracy, "low": 0.5, "high": 1.0}},
        baselines={"before_fine_tuning": {"accuracy": float("nan")}},
        per_class=(ClassScore("no", 0.5, 0.5, 0.5, 2), ClassScore("yes", 1.0, 1.0, 1.0, 2)),
        confusion=((1, 1), (0, 2)),
        mistakes=(Mistake(0, 1, text, None, "no", "yes", 0.9),),
    )


def test_metrics_lie_directly_under_the_name_of_their_split(tmp_path):
    path = tmp_path / "metrics.json"
    write_metrics(path, {"test": report("test"), "validation": report("validation", 1.0)})
    assert json.loads(path.read_text()) == {
        "test": {"accuracy": {"value": 0.75, "low": 0.5, "high": 1.0}},
        "validation": {"accuracy": {"value": 1.0, "low": 0.5, "high": 1.0}},
    }


def test_folds_follow_by_their_own_names(tmp_path):
    path = tmp_path / "metrics.json"
    scores = {"accuracy": {"value": 0.5, "low": 0.25, "high": 0.75}}
    folded = replace(report("out-of-fold"), folds=(FoldScores("fold-1", 2, scores),))
    write_metrics(path, {"out-of-fold": folded})
    written = json.loads(path.read_text())
    assert list(written) == ["out-of-fold", "fold-1"]
    assert written["fold-1"] == scores


def test_an_evaluation_holds_the_whole_report_with_nan_as_null(tmp_path):
    path = tmp_path / "evaluation.json"
    write_evaluation(path, {"test": report("test")})
    written = json.loads(path.read_text(encoding="utf-8"))["test"]
    assert written["baselines"] == {"before_fine_tuning": {"accuracy": None}}
    assert written["confusion"] == [[1, 1], [0, 2]]
    assert written["per_class"][0] == {
        "name": "no",
        "precision": 0.5,
        "recall": 0.5,
        "f1": 0.5,
        "support": 2,
    }
    assert written["mistakes"][0]["text"] == "schön"
    assert "schön" in path.read_text(encoding="utf-8")


def test_a_lone_surrogate_in_a_text_is_written_and_read_back(tmp_path):
    path = tmp_path / "evaluation.json"
    write_evaluation(path, {"test": report("test", text="a\ud800\\b")})
    assert json.loads(path.read_text())["test"]["mistakes"][0]["text"] == "a\ud800\\b"


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(UserError, match="missing/metrics.json: cannot be written"):
        write_metrics(tmp_path / "missing" / "metrics.json", {})
