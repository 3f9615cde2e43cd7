"""What a search answers shows itself as a sentence, tables, figures and a model."""

import json

import pytest

import tf_finetune as tft
from tf_finetune.results.recommendation_file import read_recommendation

pytestmark = pytest.mark.eager


def test_table_has_a_row_a_place_and_marks_the_answer(answer):
    table = answer.table

    trained = table[table.learning_rate.notna()]
    assert set(trained.depth) <= {1, 2}
    assert table.recommended.sum() == 1
    assert {"depth", "accuracy", "low", "high", "below_best", "relative_time"} <= set(table)
    row = table[table.recommended].iloc[0]
    assert row.depth == answer.recommendation.recommended.depth
    assert row.low <= row.accuracy <= row.high


def test_trials_are_those_of_the_journal(answer):
    content = json.loads((answer.path / "search.json").read_text())

    assert len(answer.trials) == len(content["trials"])
    assert answer.trials.accuracy.tolist() == [t["result"]["score"] for t in content["trials"]]


def test_recommendation_is_read_back_whole(answer):
    content = json.loads((answer.path / "search.json").read_text())["recommendation"]

    assert json.loads(json.dumps(read_recommendation(content).to_dict())) == content


def test_answer_of_a_folder_is_the_same(answer):
    again = tft.Answer(answer.path)

    assert str(again) == str(answer) == answer.sentence
    assert repr(again) == repr(answer)
    assert not again.interrupted


def test_figures_are_those_of_the_page(answer):
    assert answer.plot().axes[0].get_xlabel()
    assert answer.plot("costs").axes[0].get_xlabel()
    with pytest.raises(tft.UserError, match="which: received 'rates'; accepted: depths or costs"):
        answer.plot("rates")


def test_notebook_shows_sentence_table_and_report(answer):
    shown = answer._repr_html_()

    assert "<table" in shown
    assert str(answer.recommendation.recommended.depth) in shown
    assert answer.report.path == answer.path / "report.html"


def test_model_is_the_one_that_was_trained(answer):
    assert answer.model.predict(["a good film"]).shape == (1, 2)
