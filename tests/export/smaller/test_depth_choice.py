"""The probes' scores decide how many layers stay."""

import numpy as np

from tf_finetune.export.smaller.depth_choice import choose_depth
from tf_finetune.options.evaluation import EvaluationConfig
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.values import Values

LABELS = Classes(("neg", "pos"))
TARGETS = np.array([0, 1] * 50, np.int32)
QUICK = EvaluationConfig(bootstrap_resamples=200)


def answers(wrong):
    """Logits that miss the last `wrong` of the hundred examples."""
    said = TARGETS.copy()
    said[len(said) - wrong :] ^= 1
    return np.eye(2)[said]


def choose(*wrong):
    return choose_depth(LABELS, TARGETS, [answers(count) for count in wrong], QUICK)


def test_top_stays_where_it_is_better_than_chance_explains():
    found = choose(40, 20, 0)

    assert found.depth == 3
    assert found.scores == (0.6, 0.8, 1.0)
    assert found.sentence().endswith("3: 1.000 (± 0.000); no layer is idle, none is dropped")


def test_shallowest_depth_within_a_standard_error_is_taken():
    # One example in a hundred: a difference of 0.01. With one pseudo-example for each side
    # three of 102 differ, a standard error of 0.017.
    found = choose(30, 11, 12, 10)

    assert found.depth == 2
    assert 0.015 < found.standard_errors[1] < 0.019
    assert "2: 0.890 (± 0.01" in found.sentence()
    assert found.sentence().endswith("the top 2 of 4 layers are idle")


def test_depth_that_is_as_good_or_better_needs_no_tolerance():
    assert choose(5, 5).depth == 1
    assert choose(5, 4, 5).depth == 1
    assert choose(30, 4, 5).sentence().endswith("the top one of 3 layers is idle")


def test_other_tasks_have_a_standard_error_too():
    labels = Values()
    targets = np.linspace(0, 1, 60, dtype=np.float32)
    noise = np.random.default_rng(0).normal(0, 1, 60)
    logits = [noise[:, None], (targets + 0.01 * noise)[:, None], targets[:, None].astype(float)]

    found = choose_depth(labels, targets, logits, QUICK)

    assert found.metric == "spearman" and found.depth == 2
    assert found.standard_errors[0] > found.standard_errors[1] > 0
