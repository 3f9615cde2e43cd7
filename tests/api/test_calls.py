"""Calls from Python do what the commands do, into the same folders."""

import json
import subprocess
import sys

import pandas as pd
import pytest

import tf_finetune as tft
from tf_finetune.storage.run_directory import JOURNAL
from trainers import search as search_command
from trainers import train as train_command

pytestmark = pytest.mark.eager


def test_package_is_imported_without_what_takes_seconds():
    asked = (
        "import sys, tf_finetune as tft; tft.search, tft.Answer; "
        "print(sorted({'tensorflow', 'pandas', 'sklearn', 'matplotlib'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "[]"


def test_every_public_name_is_there():
    assert all(hasattr(tft, name) for name in tft.__all__)
    assert set(tft.__all__) <= set(dir(tft))
    with pytest.raises(AttributeError, match="no attribute 'serach'"):
        _ = tft.serach


def test_search_and_the_command_end_in_the_same_journal_and_answer(
    answer, tiny_csv, quick, tmp_path
):
    words = [
        *(
            str(tiny_csv),
            f"encoder.name={quick['encoder']}",
            f"data.cache_dir={quick['cache_dir']}",
        ),
        *("data.max_length=32", "data.validation_fraction=0.2", "data.test_fraction=0.2"),
        *("training.epochs=2", "training.batch_size=16", "evaluation.bootstrap_resamples=100"),
        *("evaluation.explained_mistakes=0", "search.depths=2", "search.learning_rates=1e-2"),
        *("search.widen_edges=false", "search.seeds=0", f"run.dir={tmp_path / 'typed'}"),
    ]
    assert search_command.main(words) == 0
    typed = tft.Answer(tmp_path / "typed")

    assert _journal(answer.path) == _journal(typed.path)
    # Prices are measured, and of equal scores the cheapest is recommended.
    scores = ["depth", "learning_rate", "accuracy", "low", "high", "below_best"]
    pd.testing.assert_frame_equal(answer.table[scores], typed.table[scores])
    assert answer.recommendation.best.score == typed.recommendation.best.score


def test_finished_search_gives_its_answer_again(answer, tiny_csv, quick, capsys):
    cell = {"depths": [2], "learning_rates": [1e-2], "widen_edges": False, "seeds": 0}

    again = tft.search(tiny_csv, folder=answer.path, **cell, **quick | {"progress": True})

    assert str(again) == str(answer)
    assert "this search is finished; overwrite=True searches anew" in capsys.readouterr().out


def _journal(path):
    """What was tried and what came of it, without what was measured of time."""
    records = [json.loads(line) for line in (path / JOURNAL).read_text().splitlines()]
    return [
        (r.get("request"), (r.get("result") or {}).get("score"), r.get("identity")) for r in records
    ]


def test_fine_tune_trains_what_the_command_trains(run, tiny_csv, quick, tmp_path):
    words = [
        *(
            str(tiny_csv),
            f"encoder.name={quick['encoder']}",
            f"data.cache_dir={quick['cache_dir']}",
        ),
        *("data.max_length=32", "data.validation_fraction=0.2", "data.test_fraction=0.2"),
        *("training.epochs=2", "training.batch_size=16", "evaluation.bootstrap_resamples=100"),
        *("evaluation.explained_mistakes=0", "freeze.depth=2", "training.learning_rate=0.01"),
        f"run.dir={tmp_path / 'typed'}",
    ]
    assert train_command.main(words) == 0

    weights = "model/model.safetensors"
    assert (run.path / weights).read_bytes() == (tmp_path / "typed" / weights).read_bytes()


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (lambda data, quick: tft.fine_tune(**quick), "fine_tune: received no examples"),
        (lambda data, quick: tft.search(data, workers=2, **quick), "with examples in memory"),
        (lambda data, quick: tft.fine_tune(data, text="txt", **quick), "the nearest is 'text'"),
        (lambda data, quick: tft.fine_tune(data.iloc[:0], **quick), "the DataFrame is empty"),
        (lambda data, quick: tft.search(data, time_budget=0, **quick), "search.time_budget"),
        (lambda data, quick: tft.fine_tune(list(data.text), **quick), "needs its labels"),
        (lambda data, quick: tft.load("nowhere"), "no run here"),
        (lambda data, quick: tft.Answer("nowhere"), "holds no finished search"),
        (lambda data, quick: tft.plan(num_labels=0), "num_labels: received 0"),
        (lambda data, quick: tft.plan(encoder="./nowhere"), "./nowhere"),
    ],
)
def test_mistakes_are_user_errors(reviews, quick, call, problem):
    with pytest.raises(tft.UserError) as raised:
        call(reviews, quick)
    assert problem in str(raised.value)


def test_texts_and_labels_may_be_lists(reviews, quick, tmp_path):
    with pytest.raises(tft.UserError, match="freeze.depth"):  # it has been read as they are
        tft.fine_tune(
            list(reviews.text), label=list(reviews.label), depth=9, folder=tmp_path / "r", **quick
        )


def test_prices_are_those_of_the_plan(tiny_encoder):
    prices = tft.plan(encoder=str(tiny_encoder), depth=1)

    assert prices.table["depth"].tolist() == [0, 1, 2, 3]
    assert prices.table["of_depth_0"].is_monotonic_decreasing
    assert "depth 1: " in str(prices)
    assert prices.trainable["count"].sum() == prices.table["trained"][0]
    assert "<table" in prices._repr_html_()
