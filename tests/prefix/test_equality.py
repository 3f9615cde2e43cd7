"""With cached states a run ends in the same losses and weights as without."""

import numpy as np
import pytest

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.options.data import DataConfig
from tf_finetune.prefix.of_a_run import cached_states
from tf_finetune.training.fine_tuning import Outputs
from tf_finetune.training.pipeline import BatchShape, training_dataset
from tf_finetune.training.rounds import train_rounds

pytestmark = pytest.mark.numeric

# Adam divides by the size of a gradient, and so makes rounding of small ones as large as steps.
RATE = 5e-4


@pytest.fixture(scope="module")
def run_of(run, training, state, rounded, splits):
    """All that a run leaves, but for what rounding moves."""

    def run_with(model, states=None, data=splits, **options):
        config = training(**{"learning_rate": RATE} | options.pop("training", {}))
        result = run(model, config, data, states=states or {}, **options)
        return rounded(state(model, result)) | {"best epoch": np.array(result.best_epoch)}

    return run_with


@pytest.fixture(scope="module")
def without(model_at, run_of):
    """The run of depth 2 without cached states."""
    return run_of(model_at(2))


@pytest.mark.parametrize("depth", [2, 3])  # of the last depth only the reads are kept
def test_run_with_states_equals_one_without(
    model_at, run_of, new_cache, states_of, assert_equal, depth, without
):
    model = model_at(depth)
    expected = without if depth == 2 else run_of(model)

    states = states_of(new_cache(), model)

    assert states["train"].values.dtype == np.float32
    assert states["train"].reads_only == (depth == 3)
    assert_equal(run_of(model, states), expected, atol=1e-5)


@pytest.mark.parametrize(("pooling", "depth"), [("mean", 3), ("max", 3), ("last", 3), ("mean", 2)])
def test_every_pooling_answers_to_states_as_to_tokens(
    build, splits, training, new_cache, states_of, pooling, depth
):
    model, train = build(splits, training(), depth=depth, pooling=pooling), splits.train
    weights = np.ones(len(train), np.float32)

    states = states_of(new_cache(), model)["train"]

    kept = 1 if depth == 3 else train.lengths
    np.testing.assert_array_equal(states.lengths, kept)  # one vector a text of a whole encoder
    for padding in ("longest", "packed"):
        shape, logits = BatchShape(len(train), padding=padding, max_length=32), []
        for source in (None, states):
            steps = {"seed": 1, "first_step": 0, "last_step": 1, "states": source}
            (batch,) = training_dataset(train, weights, shape, **steps)
            found = model.classifier(batch.inputs, training=False).numpy()
            logits.append(found[batch.weights.numpy().reshape(-1) > 0])
        assert len(logits[0]) == len(train)
        np.testing.assert_allclose(*logits, atol=1e-5, rtol=0)


@pytest.mark.parametrize("depth", [2, 3])
def test_packed_rows_of_states_equal_packed_rows_of_tokens(
    model_at, run_of, new_cache, states_of, assert_equal, depth, without
):
    model, packed = model_at(depth), {"padding": "packed"}
    expected = run_of(model, training=packed)

    states = states_of(new_cache(), model)

    assert_equal(run_of(model, states, training=packed), expected, atol=1e-5)


def test_run_with_states_on_the_disk_equals_one_without(
    model_at, run_of, new_cache, states_of, assert_equal, without
):
    states = states_of(new_cache("disk"), model_at(2))

    assert isinstance(states["train"].values, np.memmap)
    assert_equal(run_of(model_at(2), states), without, atol=1e-5)


def test_early_stopping_restores_the_same_epoch(
    model_at, run_of, new_cache, states_of, assert_equal, monkeypatch
):
    model, scores = model_at(2), {5: 0.6, 10: 0.9, 15: 0.7, 20: 0.8}

    def score(*_):
        return {"accuracy": scores[int(model.optimizer_state.iterations)]}

    monkeypatch.setattr("tf_finetune.tasks.classes.Classes.score", score)
    options = {"epochs": 6, "early_stopping_patience": 2}
    expected = run_of(model, training=options)
    assert expected["best epoch"] == 2

    assert_equal(run_of(model, states_of(new_cache(), model), training=options), expected, 1e-5)


def test_several_labels_in_micro_batches(
    build, run_of, load_tiny, training, new_cache, states_of, assert_equal, tmp_path
):
    rows = ["text,label"]
    for number in range(60):
        labels = [name for name, bit in (("good", 1), ("dull", 2)) if number & bit]
        rows.append(f"{'very ' * (number % 5)}{number} {' '.join(labels)},{'|'.join(labels)}")
    (tmp_path / "labels.csv").write_text("\n".join(rows) + "\n")
    data = load_tiny(tmp_path / "labels.csv", label_separator="|", task="multi_label")
    options = {"accumulation_steps": 4}
    model = build(data, training(**options), depth=2)
    expected = run_of(model, data=data, training=options)

    states = states_of(new_cache(), model, data)

    assert_equal(run_of(model, states, data, training=options), expected, atol=1e-5)


def test_numbers_over_two_replicas(
    build, run_of, load_tiny, training, new_cache, states_of, assert_equal, tmp_path, two_replicas
):
    rows = [f"{'very ' * (n % 5)}good number {n},{n % 5}" for n in range(60)]
    (tmp_path / "numbers.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
    data = load_tiny(tmp_path / "numbers.csv", task="regression")
    options = {"batch_size": 7}  # pieces of four rows, one of which fills up
    model = build(data, training(**options), depth=2, chosen=two_replicas)
    expected = run_of(model, data=data, chosen=two_replicas, training=options)

    states = states_of(new_cache(), model, data, BatchShape(8, replicas=2))

    found = run_of(model, states, data, chosen=two_replicas, training=options)
    assert_equal(found, expected, atol=1e-5)


def test_mixed_precision_keeps_states_as_they_are_computed(
    build, run_of, splits, training, new_cache, states_of, assert_equal
):
    options = {"precision": "mixed_bfloat16", "optimizer": "sgd", "learning_rate": 0.01}
    model = build(splits, training(**options), depth=3)
    expected = run_of(model, training=options)

    states = states_of(new_cache("disk"), model)

    assert states["train"].values.dtype.name == "bfloat16"
    # Three digits are computed with, and what is fused otherwise is rounded elsewhere.
    assert_equal(run_of(model, states, training=options), expected, atol=1e-3)


@pytest.mark.parametrize("depth", [2, 3])
def test_folds_that_share_states_answer_as_without(
    model_at, load_tiny, tiny_csv, training, cpu, new_cache, computed, depth
):
    """The states of all training examples are computed once, and every fold takes its rows."""
    model = model_at(depth)
    splits = load_tiny(tiny_csv, folds=3, validation_fraction=0)
    config = ExperimentConfig(
        data=DataConfig(max_length=32), training=training(learning_rate=RATE, epochs=1)
    )
    states = cached_states(model, splits, config, cpu, cache=new_cache())
    assert [name for name, _, _ in computed] == ["train"]

    with_states, without = (
        train_rounds(model, splits, config, cpu, states=found, outputs=Outputs())
        for found in (states, {})
    )

    assert states.keys() == {"train"}
    np.testing.assert_allclose(with_states.logits, without.logits, rtol=0, atol=1e-5)
