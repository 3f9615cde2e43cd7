"""Phases of thawing that contradict themselves or the training are told all at once."""

import pytest

from tf_finetune.config.loading import load_config
from tf_finetune.errors import UserError


def problems(*overrides):
    with pytest.raises(UserError) as caught:
        load_config(None, overrides)
    return caught.value.problems


def test_phases_are_read():
    thaw = "freeze.thaw=[{from_epoch: 2, depth: 4}, {from_epoch: 3, depth: 0, learning_rate: 1e-4}]"

    first, second = load_config(None, ["freeze.depth=6", thaw]).freeze.thaw

    assert (first.from_epoch, first.depth, first.learning_rate) == (2, 4, None)
    assert (second.from_epoch, second.depth, second.learning_rate) == (3, 0, 1e-4)


def test_phases_that_go_deeper_again_or_back_in_time_are_told_together():
    thaw = "[{from_epoch: 1, depth: 4}, {from_epoch: 3, depth: 5}, {from_epoch: 3, depth: 1}]"

    assert problems("freeze.depth=6", f"freeze.thaw={thaw}") == [
        "freeze.thaw[0].from_epoch: received 1 after epoch 1 of the run's beginning; accepted: 2 "
        "or more, because phases follow each other",
        "freeze.thaw[1].depth: received 5 after freeze.thaw[0].depth=4; accepted: 0 to 3, or a "
        "freeze.thaw[0].depth over 5, because a phase freezes less than before",
        "freeze.thaw[2].from_epoch: received 3 after epoch 3 of freeze.thaw[1]; accepted: 4 or "
        "more, because phases follow each other",
    ]


def test_a_run_that_begins_with_all_has_nothing_to_thaw():
    assert problems("freeze.thaw=[{from_epoch: 2, depth: 0}]") == [
        "freeze.thaw[0].depth: received 0 after freeze.depth=0; accepted: a freeze.depth over 0, "
        "because a phase freezes less than before"
    ]


def test_what_does_not_go_with_the_training_is_told_together():
    thaw = "freeze.thaw=[{from_epoch: 2, depth: 4}, {from_epoch: 9, depth: 3}]"

    assert problems("freeze.depth=6", thaw, "training.solver=exact") == [
        "freeze.thaw[1].from_epoch: received 9 with training.epochs=3; accepted: 2 to 3, or more "
        "epochs",
        "freeze.thaw (command line): received 2 phase(s) with training.solver=exact, which solves "
        "the head alone and has no epochs; accepted: [], or training.solver=steps",
    ]
