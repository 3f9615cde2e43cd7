"""What counts as rounding follows from the size of the terms, their number and the arithmetic."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from tf_finetune.data.batch import text_rows
from tf_finetune.encoders.families.table import FAMILIES
from tf_finetune.encoders.family import Sizes
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.encoders.variables import dense_variables, norm_variables
from tf_finetune.models.building import build
from tf_finetune.models.rounding import logit_rounding
from tf_finetune.models.spec import spec_of
from tf_finetune.models.weights import Pretrained

pytestmark = pytest.mark.numeric

SIZES = Sizes(layers=3, hidden=2, heads=1, inner=4, vocabulary=5, positions=5, types=2)
LENGTH = 5
SUMS = 3 * (7 * 2 + 4 + 2 * 5) + 4 * 2
STORED = 3 * 18 + 9
KERNEL, BIAS = np.array([[1.0, -30.0], [-2.0, 30.0]], np.float32), np.array([-0.5, 0.0])


GAMMA, BETA = np.array([-3.0, 0.5]), np.array([0.25, -1.0])


def rounding(precision="float32", scale=1.0, pooling="first"):
    norm = norm_variables("top", "top", 2, "layer_norm", "output_norm")
    head = dense_variables("classifier", "classifier", KERNEL.shape, "head", "head")
    table = (*norm, *head)
    values = (GAMMA, BETA, scale * KERNEL, scale * BIAS)
    by_path = {variable.path: value for variable, value in zip(table, values, strict=True)}
    files = SimpleNamespace(
        sizes=SIZES, pooling=pooling, has_pooler=pooling == "first", family=FAMILIES["bert"]
    )
    model = SimpleNamespace(by_path=by_path, table=table, files=files)
    return logit_rounding(model, LENGTH, precision)


def test_terms_that_cancel_count_by_their_size():
    share = (6 * SUMS) ** 0.5 * 2.0**-24

    assert rounding() == pytest.approx(share * np.array([3.5, 60.0]))
    assert rounding(scale=1000.0) == pytest.approx(1000 * rounding())


@pytest.mark.parametrize(("pooling", "size"), [("last", 1.0), ("mean", 1.0), ("max", 2.0**0.5)])
def test_without_a_pooler_terms_are_as_long_as_a_normalised_state(pooling, size):
    # |weights * gamma| are (3, 1) and (90, 15); a state of two values is at most sqrt(2) long, the
    # largest of five tokens sqrt(2) times as long. Then |weights| |beta| and |bias|.
    largest = size * 2**0.5 * np.hypot([3.0, 90.0], [1.0, 15.0]) + [2.25 + 0.5, 37.5]
    roundings = SUMS - 2 + LENGTH

    assert rounding(pooling=pooling) == pytest.approx((6 * roundings) ** 0.5 * 2.0**-24 * largest)


@pytest.mark.parametrize(("precision", "digits"), [("mixed_bfloat16", 8), ("mixed_float16", 11)])
def test_mixed_precision_rounds_what_is_stored(precision, digits):
    share = (6 * STORED) ** 0.5 * 2.0**-digits

    assert rounding(precision) == pytest.approx(share * np.array([3.5, 60.0]))


@pytest.mark.parametrize(("device", "digits"), [("GPU", 11), ("TPU", 8)])
def test_accelerators_round_the_inputs_of_float32_products(monkeypatch, device, digits):
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [kind] * (kind == device))

    assert rounding()[1] == pytest.approx((6 * STORED) ** 0.5 * 2.0**-digits * 60.0)


def test_a_gpu_that_was_told_to_use_all_digits_rounds_as_a_cpu(monkeypatch):
    expected = rounding()
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [kind] * (kind == "GPU"))
    monkeypatch.setattr(tf.config.experimental, "tensor_float_32_execution_enabled", lambda: False)

    assert rounding() == pytest.approx(expected)


@pytest.mark.parametrize("pooling", ["first", "mean", "max"])
def test_float32_logits_are_that_near_to_those_of_float64(tiny_encoder, spec_for, pooling):
    spec = spec_for(EncoderFiles("tiny", tiny_encoder, pooling), 3)
    logits, generator = {}, np.random.default_rng(2)
    head = generator.normal(size=(32, 3)).astype(np.float32)
    token_ids = tf.constant(generator.integers(5, 60, (16, 20)), tf.int32)
    types, mask = tf.zeros_like(token_ids), tf.ones_like(token_ids)
    inputs = text_rows(token_ids, types, mask)
    for precision in ("float32", "float64"):
        exact = spec_of(spec.config, spec.files, spec.labels, precision=precision)
        model = build(exact, Pretrained())
        model.by_path["classifier/kernel"].assign(head)
        logits[precision] = model(inputs, training=False).numpy()
    allowed = logit_rounding(model, length=20)

    difference = np.abs(logits["float32"] - logits["float64"]).max(axis=0)

    assert np.all(difference <= allowed)
    share = 1e-4 * (20**0.5 if pooling == "max" else 1.0)
    assert np.all(allowed < share * np.abs(logits["float64"]).max(axis=0)), "tells nothing"
