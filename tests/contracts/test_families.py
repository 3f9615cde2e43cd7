"""Every family keeps what the rest relies on; see also tests/models/test_classifier.py."""

import pytest
from check_family import check_family

from tf_finetune.encoders.families.table import FAMILIES
from tf_finetune.models.building import build
from tf_finetune.models.weights import Pretrained

pytestmark = pytest.mark.numeric


@pytest.mark.parametrize("name", FAMILIES)
def test_family_keeps_its_contract(name, make_encoder, spec_for, tmp_path):
    folder = make_encoder(tmp_path / name, model_type=name)
    spec = spec_for(folder, encoder={"dropout": 0.2})

    check_family(build(spec, Pretrained()))
