"""What a step costs beside one pass forward and one back is priced exactly, too."""

import pytest
import tensorflow as tf
from check_flops import BATCH, LENGTH, counted, traced

from tf_finetune.data.batch import Batch, Consecutive, WholeBatch, text_rows
from tf_finetune.models.building import build
from tf_finetune.models.weights import Pretrained
from tf_finetune.training.compiling import compile_fine_tuner
from tf_finetune.training.strategy import without_strategy


@pytest.mark.parametrize("depth", [0, 1, 3])
@pytest.mark.parametrize("method", ["full", "lora"])
def test_adversarial_steps(make_encoder, spec_for, tmp_path, depth, method):
    options = {"method": {"name": method}, "training": {"adversarial": 1}}
    spec = spec_for(make_encoder(tmp_path / "bert"), freeze={"depth": depth}, **options)
    model = compile_fine_tuner(build(spec, Pretrained()), spec, without_strategy())

    zero = tf.zeros([], tf.int64)

    def step(ids):
        piece = Batch(
            text_rows(ids, 0 * ids, 0 * ids + 1),
            tf.zeros([BATCH, 1], tf.int32),
            tf.ones([BATCH, 1]),
            Consecutive(zero),
            WholeBatch(zero, zero, tf.constant(float(BATCH))),
        )
        return model.step.piece_gradients(piece)[1]

    gradients = [found for each in traced(step) for found in each]
    assert counted(gradients) == spec.cost(BATCH, LENGTH).step_flops
