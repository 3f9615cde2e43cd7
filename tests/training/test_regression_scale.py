"""A regression is the same training in every unit, and answers in the unit of its targets."""

from dataclasses import replace

import numpy as np
import pytest

from tf_finetune.tasks.output_scale import OutputScale
from tf_finetune.training.pipeline import BatchShape
from tf_finetune.training.split_logits import predict_logits

EPSILON = float(np.finfo(np.float32).eps)
WORDS = {"good": 1.5, "bad": -0.5, "great": 2.0, "poor": -1.0}


@pytest.fixture(scope="module")
def numbers(load_tiny, tmp_path_factory):
    """28 training, 10 validation and 10 test texts with targets from -1 to 2."""
    path = tmp_path_factory.mktemp("numbers") / "numbers.csv"
    rows = [
        f"the film {number} was {word},{target + 0.01 * number}"
        for number in range(12)
        for word, target in WORDS.items()
    ]
    path.write_text("\n".join(["text,label", *rows]) + "\n", encoding="utf-8")
    return load_tiny(path, task="regression")


@pytest.fixture(scope="module")
def in_units(numbers):
    """The same examples with targets times a factor plus a shift."""

    def convert(factor, shift):
        parts = {
            name: replace(split, labels=(split.labels * factor + shift).astype(np.float32))
            for name in ("train", "validation", "test")
            for split in [getattr(numbers, name)]
        }
        return replace(numbers, **parts)

    return convert


@pytest.fixture(scope="module")
def number_model(build, numbers, training):
    """All layers frozen, dropout 0.1: pooler and head learn."""
    return build(numbers, training(), depth=3)


@pytest.fixture(scope="module")
def trained(number_model, run, training):
    """History and answers of a run on some examples, with its own scale."""

    def train(data, **options):
        config = training(epochs=4, learning_rate=1e-2, **options)
        number_model.classifier.rescale(data.labels.scale(data.train.labels))
        history = run(number_model, config, data).history
        return history, predict_logits(number_model, data.test, BatchShape(8))[:, 0]

    return train


@pytest.mark.parametrize(("factor", "shift"), [(1000.0, 5.0), (1e-3, 0.0), (1.0, 100.0)])
def test_another_unit_is_the_same_training(trained, numbers, in_units, factor, shift):
    history, answers = trained(numbers)
    data = in_units(factor, shift)

    other_history, other = trained(data)

    # Rounding of the targets in deviations, which training carries on.
    largest = float(np.abs(data.train.labels).max())
    tolerance = 200 * EPSILON * largest / float(data.train.labels.std())
    np.testing.assert_allclose((other - shift) / factor, answers, rtol=0, atol=tolerance)
    assert history[-1]["loss"] < history[0]["loss"]
    for before, after in zip(history, other_history, strict=True):
        assert after["val_pearson"] == pytest.approx(before["val_pearson"], abs=tolerance)
        for name in ("loss", "val_mse"):
            assert after[name] == pytest.approx(before[name] * factor**2, rel=tolerance)


def test_targets_far_from_zero_are_told_apart(trained, numbers, in_units):
    history, _ = trained(numbers)
    data = in_units(1.0, 1e6)  # where float32 has steps of 1/16, a 16th of the deviation

    other_history, other = trained(data)

    assert other_history[-1]["val_pearson"] > history[-1]["val_pearson"] - 0.05
    assert np.abs(other - data.test.labels).max() < 3 * numbers.test.labels.std()


def test_an_untrained_model_answers_the_mean(number_model, numbers, in_units):
    data = in_units(10.0, 500.0)
    number_model.classifier.rescale(data.labels.scale(data.train.labels))
    number_model.classifier.reset(seed=1)

    answers = predict_logits(number_model, data.test, BatchShape(8))

    deviations = (answers - data.train.labels.mean()) / data.train.labels.std()
    assert np.abs(deviations).max() < 0.5


def test_several_steps_in_a_call_change_nothing(in_units, trained):
    data = in_units(1000.0, 5.0)
    history, answers = trained(data)

    other_history, other = trained(data, steps_per_execution=3)

    assert [e["loss"] for e in other_history] == [e["loss"] for e in history]
    np.testing.assert_array_equal(other, answers)


def test_micro_batches_change_nothing(build, run, in_units, training, trained):
    data = in_units(1000.0, 5.0)
    history, answers = trained(data)
    config = training(epochs=4, learning_rate=1e-2, accumulation_steps=4)
    model = build(data, config, depth=3)

    other = run(model, config, data).history

    assert [e["loss"] for e in other] == pytest.approx([e["loss"] for e in history], rel=1e-4)
    np.testing.assert_allclose(
        predict_logits(model, data.test, BatchShape(8))[:, 0],
        answers,
        atol=1e-4 * data.train.labels.std(),
    )


def test_two_replicas_train_as_one(build, run, numbers, in_units, training, trained, two_replicas):
    data = in_units(1000.0, 5.0)
    history, _ = trained(data)
    config = training(epochs=4, learning_rate=1e-2)
    model = build(data, config, depth=3, chosen=two_replicas)
    model.classifier.rescale(OutputScale(0.0, 1.0))  # as another run's, before this one's
    model.classifier.rescale(data.labels.scale(data.train.labels))

    other = run(model, config, data, chosen=two_replicas).history

    assert [e["loss"] for e in other] == pytest.approx([e["loss"] for e in history], rel=1e-4)


def test_training_without_a_scale_is_refused(model, run, numbers, training):
    with pytest.raises(ValueError, match="numbers are trained with a scale"):
        run(model, training(), numbers)
