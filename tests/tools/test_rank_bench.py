"""How labels that are asked for are compared with such that are drawn."""

from types import SimpleNamespace

import numpy as np
import pytest

from tf_finetune.data.splits import Split
from tf_finetune.options.training import TrainingConfig
from tf_finetune.sources.records import Record
from tf_finetune.tasks.classes import Classes
from tools.benchmarks.rank import interval, table
from tools.benchmarks.rank_program import RANDOM, STRATEGIES, Job, Known, simulated


def test_strategies_are_told_as_points_beside_random_choice():
    rows = [
        {"strategy": "random", "draw": 0, "scores": [0.5, 0.6]},
        {"strategy": "random", "draw": 1, "scores": [0.7, 0.8]},
        {"strategy": "margin", "draw": 1, "scores": [0.7, 0.83]},
        {"strategy": "margin", "draw": 0, "scores": [0.5, 0.61]},
    ]

    assert table("toy", rows, 20) == [
        ["toy: labels", "random, accuracy", "margin, points"],
        ["20", "0.600", "+0.0 (+0.0 to +0.0)"],
        ["40", "0.700", "+2.0 (-10.7 to +14.7)"],
        ["mean of rounds", "0.700", "+2.0 (-10.7 to +14.7)"],
    ]


def test_an_interval_is_student_s():
    # Deviation 1, of 4 values: 3.182 / sqrt(4) each way.
    low, high = interval([-1.5, -0.5, 0.5, 1.5])
    half = 3.182 * np.sqrt(5 / 3) / 2
    assert (low, high) == pytest.approx((-half, half), rel=1e-6)


def known(seed):
    """60 texts of three classes, told apart by the largest of their first three features."""
    draw = np.random.default_rng(seed)
    targets = draw.integers(0, 3, 60).astype(np.int32)
    vectors = draw.normal(0, 0.3, (60, 6)).astype(np.float32)
    vectors[np.arange(60), targets] += 1
    store = SimpleNamespace(
        text_hashes=np.arange(60, dtype=np.uint64), lengths=np.full(60, 4, np.int32)
    )
    split = Split("train", store, np.arange(60), targets)
    return Known(split, [Record(n, f"text {n}", None, None) for n in range(60)], vectors)


@pytest.mark.parametrize("strategy", [RANDOM, *STRATEGIES])
def test_each_strategy_labels_further_texts_and_learns_from_them(strategy):
    labels = Classes(("a", "b", "c"))
    job = Job(known(0), known(1), labels, TrainingConfig(), True, each=6, rounds=3)

    scores = list(simulated(job, strategy, draw=0))

    assert len(scores) == 4
    assert scores[0] == next(simulated(job, RANDOM, draw=0))
    assert scores[-1] > 0.8
    assert scores == list(simulated(job, strategy, draw=0))
