"""A family is a class and a line in the table: one that is made up here is built like any other."""

import numpy as np
import pytest
import tensorflow as tf

from tf_finetune.data.batch import text_rows
from tf_finetune.encoders.families.bert import Bert
from tf_finetune.encoders.families.table import FAMILIES
from tf_finetune.encoders.locating import resolve_encoder
from tf_finetune.encoders.tokenizers import load_tokenizer
from tf_finetune.models.building import build
from tf_finetune.models.weights import Pretrained

pytestmark = pytest.mark.numeric


class MadeUp(Bert):
    """BERT with another activation, whatever its config.json says."""

    model_type = "made_up"

    def encoder(self, wrapped, sizes):
        made = super().encoder(wrapped, sizes)
        for layer in made.layers:
            layer.activation = tf.nn.relu
        return made


def test_line_in_the_table_is_all_that_a_new_family_needs(
    make_encoder, spec_for, monkeypatch, tmp_path
):
    monkeypatch.setitem(FAMILIES, "made_up", MadeUp())
    folder = make_encoder(tmp_path / "made_up", model_type="made_up")
    like_it = make_encoder(tmp_path / "bert", hidden_act="relu")
    ids = tf.constant([[2, 20, 30, 3], [2, 40, 3, 0]])
    inputs = text_rows(ids, tf.zeros_like(ids), tf.cast(ids > 0, tf.int32))

    files = resolve_encoder(str(folder))
    model = build(spec_for(files), Pretrained())

    expected = build(spec_for(like_it), Pretrained())(inputs, training=False)
    np.testing.assert_array_equal(model(inputs, training=False), expected)
    assert load_tokenizer(files).is_fast
