"""Every family keeps what the rest relies on; see also tests/models/test_classifier.py."""

import pytest
from check_family import check_cut, check_family

from tf_finetune.encoders.families.table import FAMILIES
from tf_finetune.models.building import build
from tf_finetune.models.weights import Pretrained

pytestmark = pytest.mark.numeric

# What is computed only in some sizes: a rate of its own before the head, narrow embeddings.
V3 = {"share_att_key": True, "position_biased_input": False, "type_vocab_size": 0}
CHANGES = {
    "gpt2": {"pad_token_id": 0},  # by which the library finds the last token
    "electra": {"classifier_dropout": 0.3},
    "roberta": {"type_vocab_size": 1},
    "deberta-v2": {**V3, "position_buckets": 16, "norm_rel_ebd": "layer_norm"},
}


@pytest.mark.parametrize("name", FAMILIES)
def test_family_keeps_its_contract(name, make_encoder, spec_for, tmp_path):
    folder = make_encoder(tmp_path / name, model_type=name, sizes=CHANGES.get(name))
    whole = build(spec_for(folder), Pretrained())
    cut = build(spec_for(folder, encoder={"layers": 2}), Pretrained())

    check_family(whole)
    check_cut(cut, whole)
