"""A cut model is the original's first layers, with the heads that go silent."""

import numpy as np
import pytest
import tensorflow as tf

from tf_finetune.export.smaller.cutting import write_cut
from tf_finetune.export.smaller.silent_heads import remove_silent_heads, weight_bytes
from tf_finetune.models.building import build
from tf_finetune.models.weights import Pretrained
from tf_finetune.runs.model_folder import check_model_folder

pytestmark = pytest.mark.numeric


@pytest.fixture(scope="module")
def original(load, trained_files):
    return load(trained_files)


def test_first_layers_answer_as_made_by_hand(load, trained_files, original, batch, tmp_path):
    cut = write_cut(trained_files, tmp_path, 2, {})

    found = load(check_model_folder(cut.path))(batch, training=False)

    mask = (1.0 - tf.cast(batch.texts.mask, tf.float32)[:, None, None, :]) * -10000.0
    bert = original.wrapped.bert
    states = bert.embeddings(batch.content.ids, None, batch.content.type_ids)
    for layer in bert.encoder.layer[:2]:
        states = layer(states, mask, None, None, None, None, False)[0]
    expected = original.wrapped.classifier(bert.pooler(states))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert cut.num_layers == 2
    assert np.abs(found - original(batch, training=False)).max() > 0.1


def test_silent_head_adds_nothing(load, trained_files, batch, tmp_path):
    cut = write_cut(trained_files, tmp_path, 3, {0: (1,), 2: (0, 3)})
    model = load(check_model_folder(cut.path))
    before = model(batch, training=False).numpy()

    for layer, head in ((0, 1), (2, 0), (2, 3)):
        value = model.by_path[f"bert/encoder/layer_._{layer}/attention/self/value/kernel"]
        value.assign_add(tf.one_hot(range(8 * head, 8 * head + 8), 32, 5.0)[0] * tf.ones([32, 1]))

    np.testing.assert_allclose(model(batch, training=False), before, atol=1e-6)


def test_silent_heads_leave_graph_and_bytes_but_not_the_answer(
    load, trained_files, original, batch, tmp_path
):
    cut = write_cut(trained_files, tmp_path, 3, {0: (1,), 2: (0, 3)})
    model = load(cut)
    before = model(batch, training=False).numpy()

    assert remove_silent_heads(model) == 3

    np.testing.assert_allclose(model(batch, training=False), before, atol=1e-5)
    # A head 8 wide: query, key and value of 32 inputs and a bias, and 8 rows of the output.
    a_head = 3 * (32 * 8 + 8) + 8 * 32
    assert weight_bytes(model) == weight_bytes(original) - 4 * 3 * a_head
    assert model.by_path["bert/encoder/layer_._2/attention/self/key/kernel"].shape == (32, 16)
    assert np.abs(before - original(batch, training=False)).max() > 0.01


def test_silent_heads_leave_the_one_product_of_query_key_and_value(
    make_encoder, spec_for, batch, tmp_path
):
    model = build(spec_for(make_encoder(tmp_path, model_type="gpt2")), Pretrained())
    whole = weight_bytes(model)
    output = model.by_path["transformer/h_._1/attn/c_proj/weight"]
    output.assign(tf.concat([tf.zeros([8, 32]), output[8:]], axis=0))
    before = model(batch, training=False).numpy()

    assert remove_silent_heads(model) == 1

    np.testing.assert_allclose(model(batch, training=False), before, atol=1e-5)
    assert weight_bytes(model) == whole - 4 * (3 * (32 * 8 + 8) + 8 * 32)
    assert model.by_path["transformer/h_._1/attn/c_attn/weight"].shape == (32, 72)


def test_model_without_silent_heads_stays_as_it_is(load, trained_files):
    model = load(trained_files)
    variables = dict(model.by_path)

    assert remove_silent_heads(model) == 0
    assert all(model.by_path[path] is variable for path, variable in variables.items())


def test_layer_keeps_one_of_its_silent_heads(load, trained_files, batch, tmp_path):
    model = load(write_cut(trained_files, tmp_path, 1, {0: (0, 1, 2, 3)}))
    before = model(batch, training=False).numpy()

    assert remove_silent_heads(model) == 3
    np.testing.assert_allclose(model(batch, training=False), before, atol=1e-5)
