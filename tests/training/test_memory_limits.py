"""A step that does not fit the memory is computed in smaller pieces, or says what to change."""

from io import StringIO
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console

from tf_finetune.training.fine_tuning import Outputs
from tf_finetune.training.memory_limits import OutOfMemoryError, cut_smaller
from tf_finetune.training.step import TrainingStep

pytestmark = pytest.mark.numeric

FROM_STEP = 7  # in the second of two epochs of five steps
TOO_LARGE = np.int64(2**44)  # float32 numbers


@pytest.fixture
def small_memory(monkeypatch):
    """TensorFlow itself runs out of memory where a piece has more than four rows."""
    real = TrainingStep.piece_gradients

    def piece_gradients(self, piece):
        loss, gradients = real(self, piece)
        fits = (tf.shape(piece.targets)[0] <= 4) | (piece.whole.step < FROM_STEP)
        needed = tf.random.uniform([tf.where(fits, np.int64(1), TOO_LARGE)])
        return loss + 0 * tf.reduce_max(needed), gradients

    monkeypatch.setattr(TrainingStep, "piece_gradients", piece_gradients)


def test_run_goes_on_from_its_checkpoint_in_smaller_pieces(
    build, splits, model, run, training, state, rounded, assert_equal, small_memory, tmp_path
):
    config, told = training(learning_rate=1e-3), Console(file=StringIO(), width=500)
    expected = state(model, run(model, config))
    limited = build(splits, config)

    result = run(limited, config, outputs=Outputs(checkpoints=tmp_path), console=told)

    assert "out of memory: " in told.file.getvalue()
    assert "with 2 micro-batches a step instead of 1" in told.file.getvalue()
    assert "going on from step 5 of 10" in told.file.getvalue()
    assert result.micro_batches == 2
    assert_equal(rounded(state(limited, result)), rounded(expected), atol=1e-5)


def test_where_cutting_is_forbidden_the_run_ends_with_what_to_try():
    model = SimpleNamespace(micro_batches=1)

    with pytest.raises(
        OutOfMemoryError, match=r"out of memory: OOM in micro-batches of 8 row\(s\)"
    ) as caught:
        cut_smaller(model, "stop", 8, "out of memory: OOM")

    assert caught.value.exit_code == 1
    assert "training.on_out_of_memory=accumulate" in caught.value.hint


def test_single_row_cannot_be_cut():
    with pytest.raises(OutOfMemoryError, match="although each row is computed by itself"):
        cut_smaller(SimpleNamespace(micro_batches=8), "accumulate", 1, "out of memory")
