"""TFBert is built without what is thrown away at once."""

import tf_keras

from tf_finetune.encoders.tfbert import modeling_tf_bert, without_random_values
from tf_finetune.models.building import build
from tf_finetune.models.weights import Pretrained


def test_a_model_from_a_checkpoint_draws_no_random_values(tiny_encoder, spec_for, monkeypatch):
    monkeypatch.setattr(tf_keras.initializers.TruncatedNormal, "__call__", None)

    build(spec_for(tiny_encoder), Pretrained())


def test_the_library_draws_them_again_afterwards():
    before = modeling_tf_bert.get_initializer

    with without_random_values():
        assert modeling_tf_bert.get_initializer is not before

    assert modeling_tf_bert.get_initializer is before
