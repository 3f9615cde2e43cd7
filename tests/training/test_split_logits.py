"""Logits of every example once, in the order of the split, whatever the batches."""

import numpy as np
import pytest

from tf_finetune.data.batch import text_rows
from tf_finetune.options.evaluation import EvaluationConfig
from tf_finetune.options.training import TrainingConfig
from tf_finetune.training.batch_shapes import evaluation_shape
from tf_finetune.training.pipeline import BatchShape
from tf_finetune.training.split_logits import predict_logits
from tf_finetune.training.strategy import ChosenStrategy

pytestmark = pytest.mark.numeric


@pytest.fixture(scope="module")
def one_by_one(model, splits):
    """Logits of each test example computed alone, without the pipeline."""
    rows = []
    for index in range(len(splits.test)):
        tokens = splits.test.gather(np.array([index]))
        inputs = text_rows(tokens.token_ids, tokens.token_type_ids, tokens.attention_mask)
        rows.append(model.classifier(inputs, training=False).numpy()[0])
    return np.array(rows)


@pytest.mark.parametrize("batch_size", [1, 5, 12, 100])
@pytest.mark.parametrize("padding", ["longest", "max"])
def test_logits_stand_in_the_order_of_the_split(
    model, splits, cpu, one_by_one, batch_size, padding
):
    shape = BatchShape(batch_size, padding=padding, max_length=32)

    logits = predict_logits(model, splits.test, shape)

    np.testing.assert_allclose(logits, one_by_one, atol=1e-5)


def test_rows_that_fill_up_are_left_out(model, splits, cpu, one_by_one):
    logits = predict_logits(model, splits.test, BatchShape(5, fixed_rows=True))

    np.testing.assert_allclose(logits, one_by_one, atol=1e-5)


def test_scoring_has_few_shapes_where_xla_compiles(cpu):
    compiling = ChosenStrategy(cpu.strategy, "pretended", compiles=True)

    shape = evaluation_shape(EvaluationConfig(), TrainingConfig(), 64, compiling)
    assert shape == BatchShape(64, padding="buckets", max_length=64, fixed_rows=True)
