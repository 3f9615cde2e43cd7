"""What is packed of an encoder for a machine that has jax alone."""

import shutil

import numpy as np
import pytest

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.loading import load_splits
from tf_finetune.encoders.locating import resolve_encoder
from tf_finetune.preflight.device.arrays import ArrayStore, as_bfloat16


@pytest.fixture(scope="module")
def steps(tiny_encoder, tiny_tokenizer, tiny_csv, tmp_path_factory):
    """Steps of a frozen encoder with weights and of one without, with their arrays."""
    from tf_finetune.preflight.device_check import Checked, steps_at_depth
    from tf_finetune.preflight.running import first_examples

    cache = str(tmp_path_factory.mktemp("tokens"))
    config = ExperimentConfig.model_validate(
        {
            "data": {"train": str(tiny_csv), "max_length": 16, "cache_dir": cache},
            "training": {"padding": "max", "batch_size": 4},
        }
    )
    splits, _ = load_splits(config.data, tiny_tokenizer)
    without_weights = tmp_path_factory.mktemp("config")
    shutil.copy(tiny_encoder / "config.json", without_weights)
    found = {}
    for made, folder in ((False, tiny_encoder), (True, without_weights)):
        files = resolve_encoder(str(folder), "auto", None)
        store = ArrayStore(tmp_path_factory.mktemp("arrays"))
        checked = Checked(files, config, first_examples(splits, 4), [3], made)
        found[made] = list(steps_at_depth(checked, "float32", 3, store)), store
    return found


def test_depths_are_far_apart_from_the_first():
    from tf_finetune.preflight.device_check import spread_out

    assert spread_out(range(7)) == [0, 6, 3, 5, 4, 2, 1]
    assert spread_out([4]) == [4]
    assert spread_out([]) == []


def test_real_weights_are_rounded_and_tokens_that_the_batch_lacks_are_zero(steps):
    (tokens, states), _ = steps[False]
    (what, step), (cached_what, cached) = tokens, states
    # Of an optimiser's numbers the rate is a scalar, and its slots are zero.
    weights = [value for value in step.inputs[step.of_batch :] if value.ndim and value.size > 1]
    ids = np.unique(step.inputs[0])
    table = next(value for value in weights if value.ndim == 2 and len(value) > 16)

    assert all((as_bfloat16(value) == value).all() for value in weights)
    used = np.flatnonzero(table.any(axis=1))
    assert set(used) <= set(ids) and len(used) >= len(ids) - 1
    assert (what.cached, cached_what.cached) == (False, True)
    assert what.length == cached_what.length == 16
    assert cached_what.flops < what.flops
    assert np.isfinite(cached.expected["loss"])


def test_made_weights_and_states_take_no_room(steps):
    found, store = steps[True]
    of_batch = {entry for _, step in found for entry in range(step.of_batch)}

    for what, step in found:
        entries = [store.put(value) for value in step.inputs]
        kept = [n for n, entry in enumerate(entries) if "stored" in entry]
        assert set(kept) <= of_batch
        # Tokens and lengths are of the real texts, states are not.
        assert all(step.inputs[n].dtype != np.float32 or step.inputs[n].size < 100 for n in kept)
        assert step.expected["gradient_norm"] > 0, what
