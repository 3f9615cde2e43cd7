"""A trial keeps what differs between two seeds, and what is not as it was written is not used."""

from types import SimpleNamespace

import numpy as np
import pytest

from tf_finetune.searches.running.trial_weights import (
    read_weights,
    remove_weights,
    trained_weights,
    write_weights,
)

WEIGHTS = {"layer/kernel": np.arange(6, dtype=np.float32).reshape(2, 3)}


@pytest.fixture
def kept(tmp_path):
    """The folder of all trials, and a trial that has kept its weights."""
    (tmp_path / "one").mkdir()
    digest = write_weights(tmp_path / "one", WEIGHTS)
    return tmp_path, SimpleNamespace(folder="one", weights_sha256=digest)


def test_what_is_trained_is_kept_and_the_head_even_where_it_is_frozen():
    """A new head has the values of its seed."""

    def variable(value):
        return SimpleNamespace(numpy=lambda: value)

    classifier = SimpleNamespace(
        plan=SimpleNamespace(trainable_paths=frozenset({"layer_1"})),
        head_paths=frozenset({"head"}),
        by_path={name: variable(name) for name in ("layer_0", "layer_1", "head")},
    )

    assert trained_weights(classifier) == {"layer_1": "layer_1", "head": "head"}


def test_weights_come_back_as_they_were(kept):
    found = read_weights(*kept)

    assert set(found) == {"layer/kernel"}
    assert np.array_equal(found["layer/kernel"], WEIGHTS["layer/kernel"])


def test_weights_that_are_damaged_removed_or_of_another_training_are_not_used(kept):
    trials, record = kept
    path = trials / "one" / "weights.safetensors"
    whole = path.read_bytes()

    path.write_bytes(whole[:-1] + b"\x01")
    assert read_weights(trials, record) is None
    path.write_bytes(whole)
    other = SimpleNamespace(folder="one", weights_sha256=None)
    assert read_weights(trials, other) is None
    remove_weights(trials, [record, record])
    assert read_weights(trials, record) is None and not path.exists()
