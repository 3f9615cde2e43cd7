"""Where no learning rate is given, one is taken that suits depth, method and steps, and told."""

import pytest

from tf_finetune.config.loading import load_config
from tf_finetune.plans.rates import number_of_steps, resolve_rate, typical_rate


class Plan:
    """As much of a plan as a rate goes by."""

    frozen_depth, num_layers = 4, 6


def resolved(*overrides, examples=6_920):
    return resolve_rate(load_config(None, overrides), Plan, examples)


@pytest.mark.parametrize("layers", [1, 2, 6, 12, 24])
def test_typical_rate_grows_with_depth(layers):
    rates = [typical_rate(depth, layers, 650) for depth in range(layers + 1)]

    assert rates == sorted(set(rates))
    assert (rates[0], rates[-1]) == (5e-5, 1e-3)


def test_typical_rate_falls_with_the_steps_where_that_was_measured():
    rates = [typical_rate(0, 6, steps) for steps in (1, 50, 96, 650, 2_000, 10**6)]

    assert rates == [2.2e-4, 2.2e-4, 1.5e-4, 5e-5, 2.6e-5, 2.6e-5]


def test_the_last_batch_of_an_epoch_is_a_step_too():
    assert number_of_steps(load_config(None, ["training.epochs=3"]), 33) == 6


def test_a_rate_that_nobody_gave_is_chosen_and_told():
    config, lines = resolved()

    assert config.training.learning_rate == 3e-4
    assert lines == (
        "learning rate: 3e-4, usual for training all weights with 4 of 6 layers frozen, in 651 "
        "steps; `search` tries others, training.learning_rate sets it",
    )


def test_a_method_has_rates_of_its_own():
    assert resolved("method.name=biases").config.training.learning_rate == 3e-3


@pytest.mark.parametrize("option", ["training.learning_rate=1e-2", "training.solver=exact"])
def test_where_a_rate_is_given_or_none_is_needed_nothing_is_chosen(option):
    config = load_config(None, [option])

    assert resolve_rate(config, Plan, 6_920) == (config, ())


def test_each_phase_has_the_rate_that_suits_its_depth_unless_it_has_its_own():
    thaw = "freeze.thaw=[{from_epoch: 2, depth: 3}, {from_epoch: 3, depth: 0, learning_rate: 1e-6}]"

    config, (line,) = resolved("freeze.depth=4", thaw)

    assert config.training.learning_rate == 3e-4
    assert [phase.learning_rate for phase in config.freeze.thaw] == [1.9e-4, 1e-6]
    assert "651 steps, 1.9e-4 from epoch 2 on (3), 1e-6 from epoch 3 on (0); " in line


def test_a_rate_that_is_given_is_that_of_every_phase():
    thaw = "freeze.thaw=[{from_epoch: 2, depth: 3}]"

    config, _ = resolved("freeze.depth=4", thaw, "training.learning_rate=1e-4")

    assert config.freeze.thaw[0].learning_rate is None


def test_tags_of_words_want_larger_rates_than_labels_of_texts():
    of_texts = resolved("data.task=single_label").config.training.learning_rate
    of_words = resolved("data.task=token_classification").config.training.learning_rate

    assert of_words == pytest.approx(4 * of_texts, rel=0.05)
