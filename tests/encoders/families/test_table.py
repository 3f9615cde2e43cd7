"""An encoder that cannot be trained faithfully is refused by name."""

import pytest

from tf_finetune.encoders.families.table import family_of
from tf_finetune.errors import UserError

GOOD = {
    "model_type": "bert",
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "vocab_size": 10,
    "max_position_embeddings": 16,
    "type_vocab_size": 2,
}
DEBERTA = {"relative_attention": True, "pos_att_type": "p2c|c2p"}


def test_bert_is_known():
    assert family_of(GOOD, "config.json").classifier_class == "TFBertForSequenceClassification"


@pytest.mark.parametrize("model_type", ["t5", None])
def test_other_families_are_refused(model_type):
    with pytest.raises(UserError, match=f"c.json: model_type: received {model_type!r}, accepted"):
        family_of(GOOD | {"model_type": model_type}, "c.json")


def test_every_missing_or_wrong_size_is_named():
    config = GOOD | {"hidden_size": 0, "vocab_size": "many"}
    del config["intermediate_size"]

    with pytest.raises(UserError, match="accepted: an integer") as caught:
        family_of(config, "c.json")

    assert caught.value.problems == [
        "c.json: vocab_size: received 'many', accepted: an integer from 1 to 100,000,000",
        "c.json: hidden_size: received 0, accepted: an integer from 1 to 1,000,000",
        "c.json: intermediate_size: received None, accepted: an integer from 1 to 10,000,000",
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_attention_heads": 3}, "hidden_size 8 is not a multiple of num_attention_heads 3"),
        ({"hidden_size": 6}, "hidden_size: received 6, accepted: multiples of 4"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type: received 'rel"),
        ({"num_hidden_layers": 4 * 10**12}, "num_hidden_layers: received 4000000000000"),
        ({"num_hidden_layers": True}, "num_hidden_layers: received True"),
        ({"hidden_act": "os.system"}, "hidden_act: received 'os.system', accepted: gelu"),
        ({"is_decoder": True}, "is_decoder: received true, accepted: false"),
    ],
)
def test_what_would_be_computed_wrongly_is_refused(change, message):
    with pytest.raises(UserError, match=message):
        family_of(GOOD | change, "c.json")


@pytest.mark.parametrize(
    ("model_type", "change", "message"),
    [
        ("roberta", {"pad_token_id": 0}, "pad_token_id: received 0, accepted: 1"),
        ("roberta", {"max_position_embeddings": 2}, "received 2, accepted: from 3"),
        ("mpnet", {"relative_attention_num_buckets": 16}, "received 16, accepted: 32"),
        ("electra", {"embedding_size": 6}, "embedding_size: received 6, accepted: multiples of 4"),
        ("electra", {}, "embedding_size: received None, accepted: an integer"),
        ("distilbert", {}, "dim: received None, accepted: an integer"),
        ("deberta-v2", {}, "relative_attention: received false, accepted: true"),
        ("deberta-v2", {"conv_kernel_size": 3}, "conv_kernel_size: received 3, accepted: 0"),
        ("deberta-v2", {"pos_att_type": ["c2p"]}, r"pos_att_type: .*, accepted: p2c\|c2p, c2p\|"),
        ("deberta-v2", DEBERTA | {"embedding_size": 4}, "embedding_size: received 4, accepted: 8"),
        ("deberta-v2", DEBERTA | {"position_buckets": 7}, "received 7, accepted: even numbers up"),
        ("deberta-v2", DEBERTA | {"position_buckets": 30}, "received 30, accepted: .* up to 28,"),
        ("deberta-v2", DEBERTA | {"max_relative_positions": "far"}, "received 'far', accepted: an"),
    ],
)
def test_what_a_family_does_not_compute_is_refused(model_type, change, message):
    with pytest.raises(UserError, match=message):
        family_of(GOOD | {"model_type": model_type} | change, "c.json")


def test_the_first_rows_of_positions_are_no_tokens():
    config = GOOD | {"model_type": "roberta", "type_vocab_size": 1}

    assert family_of(config, "c.json").sizes(config).positions == 14


@pytest.mark.parametrize(("biased", "positions"), [(True, 16), (False, 10**8)])
def test_a_table_of_positions_alone_bounds_the_texts_of_deberta(biased, positions):
    config = GOOD | DEBERTA | {"model_type": "deberta-v2", "position_biased_input": biased}

    assert family_of(config, "c.json").sizes(config).positions == positions
