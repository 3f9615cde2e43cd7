"""A model from Python answers, scores, explains and is handed over."""

import json
import sys
import urllib.request
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import tf_finetune as tft
from tf_finetune.api.model import answer_row
from tf_finetune.errors import UserError

pytestmark = pytest.mark.eager


@pytest.fixture(scope="module")
def model(run):
    return run.model


def test_predictions_are_a_row_a_text_with_its_index(model, reviews):
    some = reviews.iloc[[4, 1, 9]]

    found = model.predict(some)

    assert found.columns.tolist() == ["label", "probability"]
    assert found.index.tolist() == [4, 1, 9]
    pd.testing.assert_frame_equal(found, model.predict(some.text))
    pd.testing.assert_frame_equal(found.reset_index(drop=True), model.predict(some.text.tolist()))
    assert set(found.label) <= {"neg", "pos"}
    assert model.predict("a good film").shape == (1, 2)


def test_texts_of_a_file_are_those_of_a_table(model, reviews, tiny_csv):
    from_file = model.predict(Path(tiny_csv))

    np.testing.assert_allclose(from_file.probability, model.predict(reviews).probability, rtol=1e-5)


def test_probabilities_are_in_the_order_of_the_labels(model, reviews):
    texts = reviews.text[:6]
    probabilities = model.predict_proba(texts)

    assert model.labels == ("neg", "pos")
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-6)
    likeliest = [model.labels[at] for at in probabilities.argmax(axis=1)]
    assert likeliest == model.predict(texts).label.tolist()
    top = model.predict(texts, top_k=2)
    assert top.columns.tolist() == [
        *("label", "probability", "label_2", "probability_2"),
    ]


def test_texts_to_label_next_are_rows_with_the_index_of_what_was_given(model, reviews):
    texts = [f"the plot is {word} ." for word in ("good", "bad", "dull", "fine", "good")]
    new = pd.DataFrame({"text": [*reviews.text[:3], *texts]}, index=list("abcdefgh"))

    found = model.rank(new, 4)

    assert found.columns.tolist() == ["row", "text", "score", "predicted", "reason"]
    assert sorted(found.index) == ["d", "e", "f", "g"]  # neither own examples nor copies
    assert new.text[found.index].tolist() == found.text.tolist()
    assert found.score.is_monotonic_decreasing
    rest = model.rank(new, 2, labelled=found.text[:2])
    assert rest.index.tolist() == found.index[2:].tolist()
    assert len(model.rank(reviews, 3, by="coverage", balanced=True, own=False)) == 3
    with pytest.raises(UserError, match="count: received 5, but texts holds 4 different texts"):
        model.rank(texts, 5)
    with pytest.raises(UserError, match="by: received 'doubt'; accepted: margin, entropy"):
        model.rank(texts, 1, by="doubt")


def test_own_test_split_and_other_examples_are_scored(run, model, reviews):
    own, other = model.evaluate(), model.evaluate(reviews)

    assert own["accuracy"] == run.evaluations["test"].loc["accuracy", "value"]
    assert other.report.n == len(reviews)
    assert other.metrics.columns.tolist() == ["value", "low", "high"]
    assert other.classes.index.tolist() == ["neg", "pos"]
    assert str(other).startswith("accuracy ")
    assert "<table" in other._repr_html_()


def test_a_model_is_checked_with_changed_texts(model, reviews):
    own = model.check()
    other = model.check(reviews.assign(source="web"), by="source", most_flipped=0.0, limit=20)

    assert own.passed and own.table.loc["upper_case", "failed"] == 0 == own["upper_case"]
    assert own["lower_case"] != own["lower_case"]  # applies to no text
    assert own.page.path.is_file()
    assert other.passed == str(other).startswith("passed")
    assert other.slices.part.tolist()[-1] == "web"
    assert other.worst.columns.tolist() == ["check", "row", "text", "changed", "before", "after"]
    assert "<table" in other._repr_html_()
    with pytest.raises(tft.UserError) as caught:
        model.check(most_flipped=2, tolerance="x", limit=-1, seed=True, checks="nowhere.yaml")
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        *("most_flipped", "tolerance", "limit", "seed", "nowhere.yaml")
    ]


def test_explanation_names_and_colours_the_words(model):
    why = model.explain("a good <film>")

    assert why.words.word.tolist()[:2] == ["a", "good"]
    assert "&lt;" in why._repr_html_() and "<film>" not in why._repr_html_()
    assert str(why).split()[0] in model.labels
    several = model.explain(["a good film", "a bad plot"], label="neg")
    assert [one.found.explanation.label for one in several] == ["neg", "neg"]
    assert several._repr_html_().count("<hr>") == 1


def test_export_writes_the_form_and_says_where(model, tmp_path):
    folder = model.export(tmp_path / "out", form="huggingface")

    assert (folder / "model.safetensors").is_file()
    with pytest.raises(tft.UserError, match="form: received"):
        model.export(tmp_path / "other", form="onnx")
    with pytest.raises(tft.UserError, match="precision: unknown keyword of export"):
        model.export(tmp_path / "other", precision="float16")


def test_server_answers_as_the_model_does(model, monkeypatch, forked_python):
    monkeypatch.setattr(sys, "executable", forked_python)
    with model.serve(0, block=False) as server:
        body = json.dumps({"texts": ["a good film"]}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{server.url}/predict", body, headers)
        with urllib.request.urlopen(request, timeout=60) as response:
            (said,) = json.load(response)["predictions"]
        with pytest.raises(tft.UserError, match="port"):
            model.serve(int(server.url.rpartition(":")[2]), block=False)

    assert said["label"] == model.predict("a good film").label[0]
    assert not server.is_running


@pytest.mark.parametrize(
    ("texts", "problem"),
    [
        (["a", None], "text 2"),
        (["a", " ", ""], "text 2"),
        ([], "texts: received none"),
        (3, "texts: received int"),
        (pd.DataFrame({"x": ["a"]}), "data.text_column"),
        ([["a", "b"]], "text 1"),
    ],
)
def test_what_is_no_text_is_named(model, texts, problem):
    with pytest.raises(tft.UserError) as raised:
        model.predict(texts)
    assert problem in str(raised.value)


def test_unknown_label_and_count_are_refused(model):
    with pytest.raises(tft.UserError, match="label: received 'good'; accepted: neg, pos"):
        model.explain("a good film", label="good")
    with pytest.raises(tft.UserError, match="top_k: received '3'; accepted: 1 to 2"):
        model.predict("a good film", top_k=3)


@pytest.mark.parametrize(
    ("answer", "top_k", "row"),
    [
        (
            {"label": "a", "probabilities": {"a": 0.7, "b": 0.3}},
            None,
            {"label": "a", "probability": 0.7},
        ),
        (
            {"label": "a", "probabilities": {"a": 0.7, "b": 0.3}},
            2,
            {"label": "a", "probability": 0.7, "label_2": "b", "probability_2": 0.3},
        ),
        (
            {"labels": ["b"], "probabilities": {"a": 0.2, "b": 0.9}},
            None,
            {"labels": ["b"], "a": 0.2, "b": 0.9},
        ),
        ({"value": 2.5}, None, {"value": 2.5}),
        ({"entities": [{"start": 0}]}, None, {"entities": [{"start": 0}]}),
    ],
    ids=["a label", "the likeliest", "several labels", "a number", "entities"],
)
def test_row_holds_what_the_task_answers(answer, top_k, row):
    kind = next(iter(answer))
    assert answer_row(answer, kind, top_k) == row


def test_closed_model_says_so(run):
    with tft.load(run.path) as model:
        assert len(model.predict("a good film")) == 1

    with pytest.raises(tft.UserError, match="this model was closed"):
        model.predict("a good film")
    assert repr(model) == "Model(closed)"


def test_run_shows_itself(run):
    assert run.history.index.tolist() == [1, 2]
    assert set(run.evaluations) == {"validation", "test"}
    assert repr(run).startswith(f"Run('{run.path}': depth 2: test accuracy ")
    assert "srcdoc=" in run.report._repr_html_()
