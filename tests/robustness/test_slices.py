"""Parts of the texts by what stands in a column, each with its score."""

import numpy as np

from tf_finetune.options.evaluation import EvaluationConfig
from tf_finetune.robustness.slices import parts_of, score_slices
from tf_finetune.tasks.classes import Classes


def sizes(values):
    return {name: len(places) for name, places in parts_of(values)}


def test_names_are_parts_the_commonest_first():
    assert sizes(["b", "a", "b ", None, ""]) == {"b": 2, "(nothing)": 2, "a": 1}
    assert list(sizes(["10", "9", "9", "2"])) == ["2", "9", "10"]


def test_rare_names_are_put_together():
    values = [name for n in range(20) for name in [f"n{n}"] * (20 - n)]
    found = sizes(values)
    assert len(found) == 13
    assert (found["n0"], found["(others)"]) == (20, sum(range(1, 9)))


def test_many_numbers_are_quarters():
    found = sizes([str(n) for n in range(100)])
    assert found == {"0 to 24": 25, "25 to 49": 25, "50 to 74": 25, "75 to 99": 25}
    # Most of these are equal: a part each for as many borders as there are.
    assert sizes([*[1] * 90, *range(2, 22)]) == {"1": 90, "2 to 21": 20}


def test_every_text_is_in_one_part():
    for values in ([str(n % 30) for n in range(97)], [f"x{n % 30}" for n in range(97)]):
        places = np.concatenate([places for _, places in parts_of(values)])
        assert sorted(places.tolist()) == list(range(97))


def test_a_part_that_is_surely_worse_stands_out():
    targets = np.zeros(80, np.int32)
    logits = np.tile([1.0, 0.0], (80, 1))
    logits[60:75] = [0.0, 1.0]
    source = ["a"] * 60 + ["b"] * 20
    quick = EvaluationConfig(bootstrap_resamples=100)

    good, bad = score_slices(Classes(("x", "y")), targets, logits, {"source": source}, quick)

    assert (good.column, good.name, good.n, good.score["value"]) == ("source", "a", 60, 1.0)
    assert (bad.n, bad.score["value"]) == (20, 0.25)
    assert (good.below, bad.below) == (False, True)
