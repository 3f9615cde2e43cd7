"""A method with its options as a text and back."""

import pytest

from tf_finetune.methods.full import Full
from tf_finetune.methods.lora import Lora
from tf_finetune.methods.settings import setting_of, setting_text


def test_a_text_holds_all_options_and_is_read_back():
    assert setting_text(Full()) == "full"
    assert setting_of("full") == Full()
    for method in (Lora(), Lora(rank=4, targets=("query", "up"))):
        assert setting_of(setting_text(method)) == method
    # What is usual may change between versions; a cell keeps what it was.
    assert '"alpha": 16.0' in setting_text(Lora())


@pytest.mark.parametrize("text", ["lorra", '{"rank": 4}', '{"name": "lora", "rnk": 4}'])
def test_what_is_no_setting_is_refused(text):
    with pytest.raises(ValueError):
        setting_of(text)
