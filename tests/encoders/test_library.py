"""A model of the library is built without what is thrown away at once."""

import tf_keras

from tf_finetune.encoders.families.table import FAMILIES
from tf_finetune.encoders.library import library_module, without_random_values
from tf_finetune.models.building import build
from tf_finetune.models.weights import Pretrained


def test_a_model_from_a_checkpoint_draws_no_random_values(tiny_encoder, spec_for, monkeypatch):
    monkeypatch.setattr(tf_keras.initializers.TruncatedNormal, "__call__", None)

    build(spec_for(tiny_encoder), Pretrained())


def test_the_library_draws_them_again_afterwards():
    module = library_module(FAMILIES["bert"])
    before = module.get_initializer

    with without_random_values(FAMILIES["bert"]):
        assert module.get_initializer is not before

    assert module.get_initializer is before
