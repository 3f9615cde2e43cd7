from types import SimpleNamespace

import pytest

from tf_finetune.options.data import DataConfig
from tf_finetune.results.trial import Cell, Place, TrialResult
from tf_finetune.searches.answer.more_examples import fold_notes


def depth(number, separated=None):
    pair = None if separated is None else SimpleNamespace(separated=separated)
    return SimpleNamespace(place=Place(number), to_best=pair)


def told(*, chance=0.7, told_all=True, train=300, validation=100, folds=None, file="dev.tsv"):
    """Of a race over depths 2 (out), 3 (open) and 4 (best), and the head alone."""
    splits = SimpleNamespace(train=range(train), validation=range(validation))
    found = SimpleNamespace(
        folds=folds,
        chance_right=chance,
        has_told_all=told_all,
        best_place=Place(4),
        recommended_place=Place(4),
        depths=(depth(2, True), depth(3, False), depth(4), depth(6, False)),
    )
    took = {Cell(2, 1e-3): 90.0, Cell(3, 1e-3): 20.0, Cell(4, 1e-3): 10.0, Cell(6, None): 1.0}
    trials = [
        TrialResult(
            *(cell, 0, "completed"),
            score=0.9,
            trainable_parameters=1,
            seconds_per_epoch=seconds,
            train_seconds=seconds,
        )
        for cell, seconds in took.items()
    ]
    return fold_notes(DataConfig(validation=file), splits, found, trials, 0.95)


def test_an_open_race_says_what_folds_would_add_and_take():
    # Four trainings more, each of 4/3 as many examples: 4 * 4/3 * 30 s = 160 s.
    assert told() == [
        "More trials would hardly tell more on these 100 validation examples. Out of fold 400 "
        "would compare depths, with standard errors 0.5 times as large, in about 2 min 40 s for "
        "one rate of those that are open: data.folds=5 search.depths=3,4 data.validation=null, "
        "with the validation examples added to those of data.train."
    ]
    assert told(file=None)[0].endswith("data.folds=5 search.depths=3,4.")


def test_an_answer_that_is_right_in_no_draw_is_as_open_as_any():
    assert told(chance=0.0) == told()


@pytest.mark.parametrize(
    "otherwise",
    [
        {"chance": 0.96},
        {"chance": None},
        {"told_all": False},
        {"told_all": None},
        {"train": 70},
        {"folds": 5},
    ],
    ids=["sure", "failed", "ended early", "no race", "many validation examples", "folds"],
)
def test_nothing_is_said_where_folds_would_not_help(otherwise):
    assert told(**otherwise) == []
