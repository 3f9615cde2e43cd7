"""A run with cached states that was killed goes on, with or without them."""

import pytest

# Five steps an epoch: inside the first epoch, inside the second.
PLACES = (3, 8)
RATE = 5e-4


@pytest.fixture
def model(model_at):
    return model_at(2)


@pytest.fixture
def finish(model, run, training, state):
    """Run from the weights before fine-tuning, or from a checkpoint; gives all that is left."""

    def spoil():
        for variable in model.classifier.trainable_weights:
            variable.assign(variable * 0.5)

    def run_to_end(states, outputs=None):
        config = training(learning_rate=RATE)
        # What an earlier run left in the weights is seen by none that goes on.
        prepare = spoil if outputs else lambda: None
        return state(model, run(model, config, outputs=outputs, prepare=prepare, states=states))

    return run_to_end


@pytest.fixture
def kill_at(model, run, training, tmp_path, interrupt_at):
    """Run until a step and be interrupted; gives what lets it go on."""

    def run_to(step, states):
        outputs = interrupt_at(step, tmp_path / f"step{step}")
        with pytest.raises(KeyboardInterrupt):
            run(model, training(learning_rate=RATE), outputs=outputs, states=states)
        return outputs

    return run_to


@pytest.mark.parametrize("mode", ["memory", "disk"])
def test_resumed_run_equals_an_undisturbed_one(
    model, new_cache, states_of, finish, kill_at, assert_equal, mode, said
):
    """States are computed anew by the next process, or read from the files of the first."""
    expected = finish(states_of(new_cache(mode), model))

    for step in PLACES:
        outputs = kill_at(step, states_of(new_cache(mode), model))
        said()
        states = states_of(new_cache(mode), model)
        assert ("as an earlier run left it" in said()[0]) == (mode == "disk")
        assert_equal(finish(states, outputs), expected)


@pytest.mark.parametrize("on_first", [False, True])
def test_run_goes_on_when_the_cache_is_switched(
    model, new_cache, states_of, finish, kill_at, assert_equal, rounded, on_first
):
    states = states_of(new_cache(), model)
    before, after = (states, {}) if on_first else ({}, states)
    expected = rounded(finish(before))

    outputs = kill_at(3, before)

    assert_equal(rounded(finish(after, outputs)), expected, atol=1e-5)
