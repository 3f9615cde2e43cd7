import numpy as np
import pytest
import tensorflow as tf
from tiny_variables import tiny_bert

from tf_finetune.methods.adalora import AdaLora
from tf_finetune.methods.method import Trained

BERT = tiny_bert(layers=1)
TARGETS = [v for v in BERT if v.kind == "kernel" and v.site in ("query", "value")]
STEPS = 100


def trained(value, gradient=0.0, sensitivity=0.0, uncertainty=0.0):
    value, *rest = np.broadcast_arrays(value, gradient, sensitivity, uncertainty)
    gradient, *averages = (tf.constant(array, tf.float32) for array in rest)
    return Trained(tf.constant(value, tf.float32), gradient, tuple(averages))


def matrix(scores, **of_e):
    """A matrix of width and units 2, whose e have some scores and its A and B none."""
    rank = len(scores)
    return {
        "lora_a": trained(np.ones((2, rank))),
        "lora_e": trained(np.ones(rank), sensitivity=np.array(scores), uncertainty=1.0, **of_e),
        "lora_b": trained(np.ones((rank, 2))),
    }


def left(method, added, step):
    found = method.after_update(added, tf.constant(float(step)), tf.constant(float(STEPS)))
    return [one["lora_e"].value.numpy().tolist() for one in found]


def test_in_the_end_the_most_important_of_all_matrices_together_stay():
    method = AdaLora(rank=2, initial_rank=3)

    assert left(method, [matrix([5, 4, 1]), matrix([2, 6, 3])], STEPS) == [[1, 1, 0], [0, 1, 1]]
    assert left(method, [matrix([5, 4, 3]), matrix([1, 6, 1])], STEPS) == [[1, 1, 1], [0, 1, 0]]


def test_of_equal_scores_no_more_stay_than_the_budget_has():
    found = left(AdaLora(rank=2, initial_rank=3), [matrix([0, 0, 0]), matrix([0, 0, 0])], STEPS)

    assert np.sum(found) == 4


def test_columns_of_a_and_rows_of_b_count_with_their_means():
    method = AdaLora(rank=1, initial_rank=2)
    added = [matrix([1, 2])]
    added[0]["lora_b"] = trained(np.ones((2, 2)), 0.0, np.array([[4, 0], [0, 1]]), 1.0)
    assert left(method, added, STEPS) == [[1, 0]]  # 1 + 2 is more than 2 + 1/2

    added[0]["lora_a"] = trained(np.ones((2, 2)), 0.0, np.array([[0, 2], [0, 0]]), 1.0)
    assert left(method, added, STEPS) == [[0, 1]]  # 3 is less than 5/2 + 1


def test_budget_falls_between_warmup_and_final_steps_as_a_cube():
    method = AdaLora(rank=2, initial_rank=10, warmup_share=0.2, final_share=0.4, interval=1)
    added = [matrix(np.arange(10))]

    def kept(step):
        return int(np.sum(left(method, added, step)))

    assert [kept(step) for step in (1, 20, 40, 60, 61, 100)] == [10, 10, 3, 2, 2, 2]


def test_between_two_choices_nothing_is_dropped():
    method = AdaLora(rank=1, initial_rank=2, warmup_share=0.0, interval=7)

    assert left(method, [matrix([1, 2])], 62) == [[1, 1]]
    assert left(method, [matrix([1, 2])], 63) == [[0, 1]]


def test_averages_follow_value_times_gradient_until_the_final_steps():
    method = AdaLora(rank=1, initial_rank=1)
    added = [matrix([2.0], gradient=-4.0)]

    def averages(step):
        steps = tf.constant([float(step), float(STEPS)])
        return method.after_update(added, *tf.unstack(steps))[0]["lora_e"].averages

    sensitivity = 0.85 * 2 + 0.15 * 4
    expected = sensitivity, 0.85 * 1 + 0.15 * (4 - sensitivity)
    np.testing.assert_allclose(np.concatenate(averages(69)), expected, rtol=1e-6)
    np.testing.assert_array_equal(np.concatenate(averages(70)), [2, 1])


def test_penalty_is_none_for_right_angles_and_grows_with_lengths():
    method = AdaLora(initial_rank=2, rank=1, orthogonality=0.5)
    right = tf.constant([[0.6, 0.8], [-0.8, 0.6]])

    def penalty(a, b):
        return float(method.penalty([{"lora_a": a, "lora_b": b}]))

    assert penalty(right, right) == pytest.approx(0, abs=1e-6)
    # A'A is 4 I: of each of two entries (4 - 1)^2, half of it as B has none, times 0.5.
    assert penalty(2 * right, right) == pytest.approx(4.5, rel=1e-6)
    assert penalty(right, 2 * right) == pytest.approx(4.5, rel=1e-6)


def test_peft_gets_what_was_kept_with_a_rank_for_each_matrix():
    method = AdaLora(alpha=3)
    generator = np.random.default_rng(0)
    added = {
        target: {
            v.name: generator.normal(0, 1, v.shape).astype(np.float32) for v in method.added(target)
        }
        for target in TARGETS
    }
    query, value = added.values()
    query["lora_e"][[0, 2]] = 0
    value["lora_e"][:] = 0

    adapter = method.peft_adapter(added)

    ranks, alphas = adapter.patterns["rank_pattern"], adapter.patterns["alpha_pattern"]
    assert list(ranks.values()) == [4, 1]
    for target, values in added.items():
        a, b = (adapter.tensors[target][f"lora_{letter}.weight"] for letter in "AB")
        assert a.shape == (ranks[target], 8) and b.shape == (8, ranks[target])
        kernel, bias = np.zeros((8, 8), np.float32), np.zeros(8, np.float32)
        expected, _ = method.merged(kernel, bias, values)
        found = alphas[target] / ranks[target] * (b @ a).T
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    assert not expected.any()


def test_options_that_do_not_go_together_are_refused():
    method = AdaLora(rank=10, initial_rank=9, warmup_share=0.5, final_share=0.5)

    assert method.problems(BERT) == [
        "method.initial_rank: received 9; accepted: up to 8, the width of the narrowest target",
        "method.rank: received 10; accepted: up to 9, method.initial_rank",
        "method.final_share: received 0.5; accepted: less than 1 together with "
        "method.warmup_share=0.5",
    ]
    assert AdaLora().problems(BERT) == []
