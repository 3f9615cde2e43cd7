"""A configuration trained once for each fold: pooled outputs, and what an interruption leaves."""

import math
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.folds import rounds_of
from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.options.evaluation import EvaluationConfig
from tf_finetune.tasks.classes import Classes
from tf_finetune.training import rounds
from tf_finetune.training.fine_tuning import Outputs
from tf_finetune.training.rounds import train_rounds, without_early_stopping

LABELS = Classes(("neg", "pos"))
NOWHERE = Outputs()


@pytest.fixture(scope="module")
def folded(load_tiny, tiny_csv):
    """48 training examples in three folds: four steps of 8 for each."""
    return load_tiny(tiny_csv, folds=3, validation_fraction=0)


@pytest.fixture(scope="module")
def run_folds(model, folded, training, cpu):
    """Train a model for each fold for one epoch."""

    def fit(outputs=NOWHERE, **options):
        config = ExperimentConfig(
            data=DataConfig(max_length=32),
            training=training(**{"epochs": 1} | options.pop("training", {})),
            evaluation=EvaluationConfig(batch_size=8),
        )
        return train_rounds(model, folded, config, cpu, states={}, outputs=outputs, **options)

    return fit


@pytest.fixture(scope="module")
def whole(run_folds):
    """What nobody disturbed."""
    return run_folds()


@pytest.fixture
def trained(monkeypatch):
    """Names of the rounds that are trained; the process ends, as it were, before `ends_before`."""

    class Names(list):
        ends_before = None

    real, found = rounds.fine_tune, Names()

    def fine_tune(*args, **kwargs):
        name = kwargs["outputs"].checkpoints.name
        if name == found.ends_before:
            raise KeyboardInterrupt
        found.append(name)
        return real(*args, **kwargs)

    monkeypatch.setattr(rounds, "fine_tune", fine_tune)
    return found


def test_each_example_is_answered_by_the_model_that_left_out_its_fold(
    whole, folded, model, run, training
):
    for one, result in zip(rounds_of(folded), whole.results, strict=True):
        np.testing.assert_array_equal(whole.logits[one.scored], result.logits)
    second = rounds_of(folded)[1]

    alone = run(model, training(epochs=1), second.splits)

    np.testing.assert_array_equal(whole.logits[second.scored], alone.validation_logits)
    assert whole.results[1].history[0]["val_loss"] == alone.history[0]["val_loss"]


def test_history_is_the_mean_over_the_trainings_that_got_so_far(whole):
    losses = [history[0]["val_loss"] for history in whole.histories]
    assert whole.history[0]["val_loss"] == pytest.approx(np.mean(losses))
    first, second = whole.results[:2]
    longer = rounds.RoundResult(**vars(first) | {"history": [{"loss": 1.0}, {"loss": 0.5}]})
    shorter = rounds.RoundResult(**vars(second) | {"history": [{"loss": 2.0}]})
    both = rounds.TrainedRounds((longer, shorter), whole.logits)
    assert both.history == [{"loss": 1.5}, {"loss": 0.5}]


def test_run_that_was_ended_inside_and_between_folds_ends_bit_for_bit_the_same(
    whole, run_folds, tmp_path, interrupt_at, trained
):
    outputs = interrupt_at(3, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run_folds(outputs)
    trained.ends_before = "fold-3"
    with pytest.raises(KeyboardInterrupt):
        run_folds(outputs)
    trained.ends_before = None
    console = Console(file=StringIO(), width=200)

    result = run_folds(outputs, console=console)

    assert trained == ["fold-1", "fold-1", "fold-2", "fold-3"]
    np.testing.assert_array_equal(result.logits, whole.logits)
    assert result.histories[0][0]["val_loss"] == whole.histories[0][0]["val_loss"]
    said = console.file.getvalue().splitlines()
    assert said[:2] == [
        f"fold {number} of 3: 32 train, 16 are scored (finished by an earlier process)"
        for number in (1, 2)
    ]
    assert said[2] == "fold 3 of 3: 32 train, 16 are scored"
    # A finished fold needs no checkpoint.
    assert [path.name for path in (tmp_path / "fold-1").iterdir()] == ["finished"]


def test_damaged_result_of_a_fold_is_told_and_trained_again(whole, run_folds, tmp_path, trained):
    outputs = Outputs(checkpoints=tmp_path)
    run_folds(outputs)
    path = tmp_path / "fold-2" / "finished" / "logits.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    console = Console(file=StringIO(), width=400)

    result = run_folds(outputs, console=console)

    assert trained == ["fold-1", "fold-2", "fold-3", "fold-2"]
    assert f"{path}: damaged: training this fold again" in console.file.getvalue()
    np.testing.assert_array_equal(result.logits, whole.logits)


def test_result_of_a_fold_of_another_job_is_refused(run_folds, tmp_path):
    outputs = Outputs(checkpoints=tmp_path)
    run_folds(outputs)
    with pytest.raises(UserError, match=r"fold-1/finished belongs to another job"):
        run_folds(outputs, training={"learning_rate": 1e-3})


def test_a_loss_that_is_no_number_is_never_the_best_epoch(training):
    stopping = training(early_stopping_patience=1, epochs=9, monitor="loss")
    for missing in (None, math.nan):
        history = [{"val_loss": loss} for loss in (missing, 0.7, 0.4)]
        assert without_early_stopping(stopping, [history], LABELS).epochs == 3
