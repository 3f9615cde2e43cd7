"""What new texts are compared with."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from tf_finetune.errors import UserError
from tf_finetune.serving import reference
from tf_finetune.serving.loading import ServedModel, check_same_use
from tf_finetune.serving.reference import reference_of
from tf_finetune.sources.records import Record
from tf_finetune.storage.run_directory import RunDirectory
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.several_classes import SeveralClasses
from tf_finetune.tasks.values import Values


@pytest.fixture
def model(served, tmp_path, monkeypatch):
    def gone(*arguments):
        raise UserError("reviews.csv: no such file")

    monkeypatch.setattr(reference, "load_splits", gone)
    made = served()
    return ServedModel(RunDirectory(tmp_path), made.config, made.trained, made.version)


def test_labels_of_the_report_are_left_where_the_data_is_gone(model, tmp_path):
    report = {"data": {"splits": [{"class_counts": [3, 1]}]}}
    (tmp_path / "report.json").write_text(json.dumps(report))

    found, unwatched = reference_of(model)

    assert found["label"].shares == (0.75, 0.25) and set(found) == {"label"}
    assert "only labels are watched" in unwatched and "reviews.csv: no such file" in unwatched
    assert not (tmp_path / "serving.json").exists()


@pytest.mark.parametrize("report", [None, "{", "[]", '{"data": {"splits": []}}'])
def test_nothing_is_watched_where_nothing_is_known(model, tmp_path, report):
    if report is not None:
        (tmp_path / "report.json").write_text(report)
    found, unwatched = reference_of(model)
    assert found == {} and "nothing is watched" in unwatched


class Texts:
    """A split that knows its texts alone."""

    def __init__(self, *texts):
        self._texts = texts

    def __len__(self):
        return len(self._texts)

    def records(self, chosen):
        return [Record(1, self._texts[i], None, None) for i in chosen]


@pytest.mark.parametrize(
    ("held_out", "positive"),
    [
        ({"test": Texts("good"), "validation": Texts("dull")}, 1.0),
        ({"test": None, "validation": Texts("dull")}, 0.0),
        ({"test": None, "validation": None}, 0.75),
    ],
)
def test_answers_to_held_out_texts_are_expected_before_those_to_training_texts(
    model, monkeypatch, held_out, positive
):
    splits = SimpleNamespace(train=Texts("good", "good one", "good two", "bad"), **held_out)
    monkeypatch.setattr(reference, "load_splits", lambda *arguments: (splits, None))

    found, unwatched = reference_of(model)

    assert found["label"].names == ("neg", "pos")
    assert found["label"].shares == (1.0 - positive, positive)
    assert unwatched == ""


def test_what_was_kept_for_another_model_is_not_taken(model, tmp_path):
    one = {"shares": [1.0], "names": [], "edges": []}
    kept = {"model": model.version, "reference": {"characters": one}}
    (tmp_path / "serving.json").write_text(json.dumps(kept))
    assert set(reference_of(model)[0]) == {"characters"}

    (tmp_path / "serving.json").write_text(json.dumps({**kept, "model": "other"}))
    assert reference_of(model)[0] == {}


def test_what_was_kept_at_another_threshold_is_not_taken(served, tmp_path, monkeypatch):
    def at(threshold):
        made = served(SeveralClasses(("a", "b"), threshold=threshold))
        return ServedModel(RunDirectory(tmp_path), made.config, made.trained, made.version)

    splits = SimpleNamespace(train=Texts("good"), test=Texts("good"), validation=None)
    monkeypatch.setattr(reference, "load_splits", lambda *arguments: (splits, None))
    before = reference_of(at(0.5))[0]["label"]

    assert before.shares != reference_of(at(0.999))[0]["label"].shares == (0.0, 0.0, 1.0)
    assert reference_of(at(0.5))[0]["label"] == before


def test_quantities_of_each_task(served):
    single = served().labels.watched(np.log([[0.25, 0.75]]))
    assert single["label"] == ["pos"] and single["confidence"] == pytest.approx([0.75])
    several = served(SeveralClasses(("a", "b")))
    found = several.labels.watched(np.array([[1.0, 1.0], [-1.0, -1.0]]))
    assert found["label"] == ["a", "b", "(none)"] and len(found["confidence"]) == 2
    number = served(Values())
    assert number.labels.watched(np.array([[1.5]])) == {"value": [1.5]}


def test_only_a_model_of_the_same_use_takes_over(served):
    with pytest.raises(UserError, match="labels are"):
        check_same_use(served(), served(Classes(("a", "b"))))
    with pytest.raises(UserError, match="second text is"):
        check_same_use(served(), served(pairs=True))
