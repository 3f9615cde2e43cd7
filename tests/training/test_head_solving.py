"""A run whose head alone trains and is solved exactly."""

from dataclasses import replace
from io import StringIO
from types import MappingProxyType

import numpy as np
import pytest
from rich.console import Console

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.states import PrefixStates
from tf_finetune.methods.full import Full
from tf_finetune.options.cache import CacheConfig
from tf_finetune.options.data import DataConfig
from tf_finetune.options.evaluation import EvaluationConfig
from tf_finetune.options.training import TrainingConfig
from tf_finetune.prefix.cache import PrefixCache
from tf_finetune.training.bad_numbers import NonFiniteError
from tf_finetune.training.fine_tuning import Outputs
from tf_finetune.training.job_description import describe_job
from tf_finetune.training.pipeline import BatchShape
from tf_finetune.training.rounds import train_rounds, without_early_stopping
from tf_finetune.training.split_logits import predict_logits, split_vectors

pytestmark = pytest.mark.numeric

SHAPE = BatchShape(8)


def exact(**options):
    return TrainingConfig(solver="exact", **options)


def head_of(model):
    by_path = model.classifier.by_path
    return by_path["classifier/kernel"].numpy(), by_path["classifier/bias"].numpy()


@pytest.fixture(scope="module")
def head_model(build, splits):
    """The mean of tokens, all layers frozen, dropout 0.1; every test starts with `run`."""
    return build(splits, exact(), depth=3, pooling="mean")


@pytest.fixture(scope="module")
def solved(head_model, run, weights):
    """Weights before, and what a run gave."""
    head_model.classifier.reset(0)
    before = weights(head_model)
    result = run(head_model, exact())
    return before, result, weights(head_model), predict_logits


def test_nothing_but_the_head_changes(solved):
    before, _, after, _ = solved

    changed = {path for path in before if not np.array_equal(before[path], after[path])}
    assert changed == {"classifier/kernel", "classifier/bias"}


def test_a_history_has_a_penalty_in_the_place_of_an_epoch(solved):
    _, result, _, _ = solved

    penalties = [entry["penalty"] for entry in result.history]
    np.testing.assert_allclose(penalties, np.logspace(0, -4, 9)[: len(penalties)])
    assert set(result.history[0]) == {
        *("loss", "out_of_fold_loss", "penalty", "seconds", "examples_per_second"),
        *("val_accuracy", "val_macro_f1", "val_micro_f1", "val_mcc", "val_loss"),
    }
    losses = [entry["loss"] for entry in result.history]
    assert losses == sorted(losses, reverse=True)
    assert (result.steps, result.first_step_at) == (0, None)
    assert result.throughput(8) == pytest.approx(36 / result.train_seconds)


def test_the_kept_penalty_has_the_lowest_loss_out_of_fold(solved):
    _, result, _, _ = solved

    losses = [entry["out_of_fold_loss"] for entry in result.history]
    assert result.best_epoch == len(losses) > 1
    assert min(losses) == losses[-1]


def test_the_kept_head_is_at_the_optimum_of_its_penalty(head_model, run, splits):
    result = run(head_model, exact())
    penalty = result.history[result.best_epoch - 1]["penalty"]
    kernel, bias = (value.astype(np.float64) for value in head_of(head_model))
    vectors = split_vectors(head_model, splits.train, SHAPE).astype(np.float64)
    deviation = vectors.std(axis=0)
    standardised = (vectors - vectors.mean(axis=0)) / deviation

    logits = vectors @ kernel + bias
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    errors = (probabilities - np.eye(2)[splits.train.labels]) / len(splits.train)
    gradient = standardised.T @ errors + penalty * kernel * deviation[:, None]

    np.testing.assert_allclose(gradient, 0.0, atol=1e-5)
    np.testing.assert_allclose(errors.sum(axis=0), 0.0, atol=1e-5)
    assert np.abs(kernel).max() > 0.01


def test_the_logits_are_those_of_the_model(head_model, run, splits):
    result = run(head_model, exact())

    expected = predict_logits(head_model, splits.validation, SHAPE)
    vectors = split_vectors(head_model, splits.validation, SHAPE)
    summed = (np.abs(vectors) @ np.abs(head_of(head_model)[0])).max()  # what is added up
    tolerance = 16 * np.finfo(np.float32).eps * summed
    np.testing.assert_allclose(result.validation_logits, expected, atol=tolerance)
    score = splits.labels.score(splits.validation.labels, expected)["accuracy"]
    assert result.history[result.best_epoch - 1]["val_accuracy"] == pytest.approx(score)


def test_neither_seed_nor_an_earlier_head_changes_a_bit(head_model, run):
    run(head_model, exact())
    first = head_of(head_model)
    run(head_model, exact(seed=5))

    for before, after in zip(first, head_of(head_model), strict=True):
        np.testing.assert_array_equal(before, after)


def test_cached_vectors_give_the_same(head_model, run, splits, tmp_path):
    run(head_model, exact())
    without = head_of(head_model)
    cache = PrefixCache(CacheConfig(mode="memory"), tmp_path)
    parts = {"train": splits.train, "validation": splits.validation}
    states = cache.states(head_model, parts, SHAPE, passes=1)
    assert states["train"].values.shape == (36, head_model.classifier.files.sizes.hidden)

    run(head_model, exact(), states=states)

    scale = np.abs(without[0]).max()
    for before, after in zip(without, head_of(head_model), strict=True):
        np.testing.assert_allclose(before, after, atol=1e-3 * scale)


def test_two_replicas_give_the_same(build, run, splits, head_model, two_replicas):
    run(head_model, exact())
    expected = head_of(head_model)
    model = build(splits, exact(), depth=3, chosen=two_replicas, pooling="mean")

    run(model, exact(), chosen=two_replicas)

    scale = np.abs(expected[0]).max()
    for one, two in zip(expected, head_of(model), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-3 * scale)


def test_the_validation_split_takes_no_part_in_the_choice(head_model, run, splits, solved):
    _, with_it, _, _ = solved

    result = run(head_model, exact(), replace(splits, validation=None))

    kept = [entry["penalty"] for entry in with_it.history]
    assert [entry["penalty"] for entry in result.history] == kept
    assert result.validation_logits is None


def test_class_weights_and_smoothing_move_the_solution(head_model, run, splits):
    data = replace(splits, validation=None)

    def answers(**options):
        run(head_model, exact(**options), data)
        logits = predict_logits(head_model, splits.train, SHAPE)
        return logits[:, 0] - logits[:, 1]

    plain, name = answers(), splits.labels.names[0]
    weighted = answers(class_weights={name: 5.0})
    smoothed = answers(label_smoothing=0.5)

    assert weighted.mean() > plain.mean() + 0.1
    assert np.abs(smoothed).max() < 0.8 * np.abs(plain).max()


def test_more_than_the_head_is_refused(model, run):
    with pytest.raises(ValueError, match="more than the head trains"):
        run(model, exact())


def test_vectors_that_are_no_numbers_are_told(head_model, run, splits):
    hidden = head_model.classifier.files.sizes.hidden

    def states(split):
        values = np.zeros((len(split), hidden), np.float32)
        ones = np.ones(len(split), np.int64)
        return PrefixStates(values, np.arange(len(split)), ones, 3, reads_only=True)

    broken = states(splits.train)
    broken.values[3] = np.nan

    with pytest.raises(NonFiniteError, match="answer to 1 of 36 train texts is not finite"):
        run(head_model, exact(), states={"train": broken, "validation": states(splits.validation)})


def test_what_is_done_is_told_and_written(head_model, run, splits, tmp_path, cpu):
    output = StringIO()
    result = run(
        head_model,
        exact(),
        outputs=Outputs(tmp_path / "events", tmp_path / "checkpoints"),
        console=Console(file=output, width=200),
    )

    *penalties, kept = output.getvalue().splitlines()
    assert len(penalties) == len(result.history)
    assert penalties[0].startswith("penalty 1  loss 0.") and "accuracy" in penalties[0]
    penalty = result.history[-1]["penalty"]
    assert kept.startswith(f"kept: penalty {penalty:.3g}, the lowest loss out of fold of ")
    assert list((tmp_path / "events").iterdir())
    assert not (tmp_path / "checkpoints").exists()


def test_a_job_says_how_many_penalties_there_are(head_model, splits, cpu, spec_for):
    cost = spec_for(head_model.classifier.files, freeze={"depth": 3}).cost(32, 10)
    lines = describe_job(exact(), Full(), splits, [(3, cost)], SHAPE, cpu)

    assert lines[1] == (
        "steps: none; the head is solved on 36 vectors, for the best of up to 9 penalties from 1 "
        "to 0.0001 out of 5 folds of them"
    )


def test_a_regression_is_solved_in_units_of_its_targets(build, run, load_tiny, tmp_path):
    path = tmp_path / "numbers.csv"
    words = {"good": 1.5, "bad": -0.5, "great": 2.0, "poor": -1.0}
    rows = [f"the film was {w},{1e4 * t + 1e6 + n}" for n in range(12) for w, t in words.items()]
    path.write_text("\n".join(["text,label", *rows]) + "\n", encoding="utf-8")
    numbers = load_tiny(path, task="regression")
    model = build(numbers, exact(), depth=3, pooling="mean")

    result = run(model, exact(), numbers)

    kept = result.history[result.best_epoch - 1]
    answers = predict_logits(model, numbers.train, SHAPE)[:, 0]
    # An answer of a million is a multiple of 1/16, which the squares of the errors show.
    rounding = 2 * float(np.spacing(np.float32(1e6))) / np.sqrt(kept["loss"])
    squares = np.square(answers - numbers.train.labels)
    assert kept["loss"] == pytest.approx(np.mean(squares), rel=rounding)
    assert kept["loss"] < 0.2 * numbers.train.labels.astype(np.float64).var()


def test_folds_each_choose_a_penalty_by_themselves(head_model, load_tiny, tiny_csv, cpu):
    folded = load_tiny(tiny_csv, folds=3, validation_fraction=0)
    config = ExperimentConfig(
        data=DataConfig(max_length=32),
        training=exact(),
        evaluation=EvaluationConfig(batch_size=8),
    )

    found = train_rounds(
        head_model, folded, config, cpu, states=MappingProxyType({}), outputs=Outputs()
    )

    for history, one in zip(found.histories, found.results, strict=True):
        losses = [entry["out_of_fold_loss"] for entry in history]
        assert (one.best_epoch, min(losses)) == (len(losses), losses[-1])
    assert without_early_stopping(config.training, found.histories, folded.labels) == exact()
    assert found.logits.shape == (len(folded.train), 2)
