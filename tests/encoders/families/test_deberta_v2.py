"""Distances read by layers of their own, a table of positions, and distances without buckets.

The contract of families holds DeBERTa-v3, which has none of these.
"""

import numpy as np
import pytest
import tensorflow as tf

from tf_finetune.data.batch import text_rows
from tf_finetune.encoders.encoder import Run
from tf_finetune.export.smaller.silent_heads import remove_silent_heads
from tf_finetune.models.building import build
from tf_finetune.models.weights import Pretrained

pytestmark = pytest.mark.numeric


@pytest.fixture(scope="module")
def model(make_encoder, spec_for, tmp_path_factory):
    folder = tmp_path_factory.mktemp("deberta")
    sizes = {"max_relative_positions": 6}
    return build(spec_for(make_encoder(folder, model_type="deberta-v2", sizes=sizes)), Pretrained())


@pytest.fixture(scope="module")
def texts():
    ids = np.random.default_rng(0).integers(5, 60, (3, 20))
    mask = np.arange(20) < np.array([[20], [9], [2]])
    return tuple(tf.constant(v, tf.int32) for v in (ids * mask, mask * (np.arange(20) > 3), mask))


def test_logits_are_those_of_the_library(model, texts):
    ids, types, mask = texts
    theirs = model.wrapped(input_ids=ids, token_type_ids=types, attention_mask=mask).logits

    logits = model(text_rows(*texts), training=False)

    np.testing.assert_allclose(logits, theirs, atol=1e-6)
    assert model.by_path["deberta/encoder/rel_embeddings.weight"].shape == (12, 32)


@pytest.mark.parametrize("packed", [False, True])
def test_reads_are_what_they_are_among_all(model, texts, packed):
    states = model.embed(text_rows(*texts), training=False)
    run, reads = Run(), tf.constant([[2, 0], [4, 4], [0, 19]])
    context = model.encoder.context(texts[2], packed=packed, run=run)
    every = model.encoder.layer(1, states, context, None, run)

    found = model.encoder.layer(1, states, context, reads, run)

    np.testing.assert_allclose(found, tf.gather(every, reads, batch_dims=1), atol=1e-6)


def test_compiled_by_xla_gradients_are_the_same(model, texts):
    run = Run()
    states = model.embed(text_rows(*texts), training=False)
    context = model.encoder.context(texts[2], packed=False, run=run)
    reads = tf.constant([[2, 0], [4, 4], [0, 19]])
    name = "deberta/encoder/layer_._2/attention/self/pos_proj/kernel"
    watched = [model.by_path[p] for p in ("deberta/encoder/rel_embeddings.weight", name)]

    def gradients():
        with tf.GradientTape() as tape:
            x = model.encoder.layer(1, states, context, None, run)
            x = model.encoder.layer(2, x, context, reads, run)
            total = tf.reduce_sum(x**3)
        return [tf.convert_to_tensor(g) for g in tape.gradient(total, watched)]

    for plain, compiled in zip(
        gradients(), tf.function(gradients, jit_compile=True)(), strict=True
    ):
        # Sums of some hundred terms of the size of the largest.
        np.testing.assert_allclose(compiled, plain, atol=1e-5 * np.abs(plain).max())


def test_the_poolers_gelu_is_replaced_with_the_others(model, texts):
    before = model(text_rows(*texts), training=False)

    model.replace_gelu(tf.nn.gelu)

    assert {part.activation for part in model.encoder.activated} == {tf.nn.gelu}
    np.testing.assert_allclose(model(text_rows(*texts), training=False), before, atol=1e-6)


def test_a_silent_head_leaves_the_distances_too(model, texts):
    output = model.by_path["deberta/encoder/layer_._1/attention/output/dense/kernel"]
    output[8:16].assign(tf.zeros([8, 32]))
    before = model(text_rows(*texts), training=False)

    assert remove_silent_heads(model) == 1

    np.testing.assert_allclose(model(text_rows(*texts), training=False), before, atol=1e-5)
    own = model.by_path["deberta/encoder/layer_._1/attention/self/pos_q_proj/kernel"]
    assert own.shape == (32, 24)
