"""Tables of variables small enough to be counted by hand."""

from tf_finetune.encoders.families.table import FAMILIES


def tiny_bert(layers):
    """Of a BERT of width 8 with three outputs."""
    config = {
        "vocab_size": 30,
        "hidden_size": 8,
        "num_hidden_layers": layers,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "max_position_embeddings": 12,
        "type_vocab_size": 2,
    }
    return FAMILIES["bert"].variables(config, num_labels=3)
