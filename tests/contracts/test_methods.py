"""Every method keeps what the rest of the project relies on; see tests/training/test_methods.py."""

import pytest
from check_method import check_method

from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.methods.table import METHODS


@pytest.mark.parametrize("name", METHODS)
def test_method_keeps_its_contract(name, tiny_encoder):
    files = EncoderFiles("tiny", tiny_encoder)
    variables = files.family.variables(files.config, 2)
    check_method(name, variables, files.num_layers)
