import numpy as np
import pytest

from tf_finetune.evaluation import resampling
from tf_finetune.evaluation.resampling import leaning_scores, resampled_scores
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.table import TASKS
from tf_finetune.tasks.values import Values

BINARY = Classes(("no", "yes"))


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("n", [1, 3, 40])
def test_whole_weights_score_as_so_many_copies(task, n, outputs):
    # Small sets have resamples that lack a class, are constant, or hold one example.
    labels, targets, logits = outputs(task, n)
    counts = np.random.default_rng(5).multinomial(n, np.full(n, 1 / n), size=30)
    examples = labels.scored(targets, logits)
    scores, shares = (
        examples.scores(weights) for weights in (counts.astype(np.float64), counts / n)
    )
    for resample, copies in enumerate(counts):
        drawn = np.repeat(np.arange(n), copies)
        expected = labels.score(targets[drawn], logits[drawn])
        for found in (scores, shares):
            assert {name: found[name][resample] for name in found} == pytest.approx(expected)


@pytest.mark.parametrize("task", TASKS)
def test_blocks_do_not_matter_to_what_resamples_say(task, monkeypatch, outputs):
    labels, targets, logits = outputs(task, 40)
    whole = resampled_scores(labels, targets, logits, 2000, 0, ("wrong",))
    monkeypatch.setattr(resampling, "BLOCK_WEIGHTS", 700 * 80)
    blocks = resampled_scores(labels, targets, logits, 2000, 0, ("wrong",))
    for name, values in whole.items():
        assert len(blocks[name]) == 2000
        # Other weights of the same law: two standard errors of a mean of 2,000 are 4 %.
        assert abs(blocks[name].mean() - values.mean()) < 0.1 * values.std()


def test_resamples_vary_as_a_mean_does():
    errors = np.random.default_rng(0).normal(size=200).astype(np.float32)
    labels = Values()
    found = resampled_scores(labels, np.zeros(200, np.float32), errors[:, None], 4000, 0)["mae"]
    assert found.std() == pytest.approx(np.abs(errors).std() / np.sqrt(201), rel=0.05)


def test_equal_seeds_give_other_models_the_same_resamples():
    targets = np.arange(50, dtype=np.int32) % 2
    alike = np.eye(2)[targets]
    # Mistaken in the same examples, with other logits.
    one, other = alike.copy(), 3 * alike
    one[:5], other[:5] = one[:5, ::-1], other[:5, ::-1]
    first, second = (
        resampled_scores(BINARY, targets, logits, 50, 1, ("right", "wrong"))["accuracy"]
        for logits in (one, other)
    )
    assert first == pytest.approx(second)
    turned = resampled_scores(BINARY, targets, one, 50, 1, ("wrong", "right"))["accuracy"]
    assert np.abs(turned - first).min() > 0.0
    assert (turned - first).mean() == pytest.approx(0.0, abs=0.02)


def test_what_resampling_does_to_a_rank_correlation_is_taken_off():
    rng = np.random.default_rng(0)
    targets = rng.normal(size=100).astype(np.float32)
    logits = targets[:, None] + 0.1 * rng.normal(size=(100, 1))
    labels = Values()
    value = labels.score(targets, logits)["spearman"]
    plain = resampled_scores(labels, targets, logits, 1000, 0)["spearman"]
    wrong, right = leaning_scores(labels, targets, logits, 1000, 0)["spearman"]
    assert plain.mean() < value - 0.5 * plain.std()  # lower in resamples than in the examples
    assert wrong.mean() < right.mean() == pytest.approx(value, abs=0.2 * plain.std())
