"""DistilBERT (Sanh et al. 2019, "a distilled version of BERT")."""

from typing import Any

from tf_finetune.encoders.family import Accepted, Places
from tf_finetune.encoders.post_norm import ACTIVATIONS, POSITIONS, WORDS, PostNormFamily


class DistilBert(PostNormFamily):
    """DistilBERT: names of its own, no token types, and a pooler that is cut at zero."""

    model_type = "distilbert"
    library = "distilbert"
    classifier_class = "TFDistilBertForSequenceClassification"
    backbone = "distilbert"
    size_keys = {
        "vocabulary": "vocab_size",
        "hidden": "dim",
        "layers": "n_layers",
        "heads": "n_heads",
        "inner": "hidden_dim",
        "positions": "max_position_embeddings",
    }
    dropout_keys = ("dropout", "attention_dropout", "seq_classif_dropout")
    accepted = {"activation": Accepted("gelu", ACTIVATIONS)}
    head_names = ("classifier", "classifier")
    tables = WORDS | POSITIONS
    layer_paths = "transformer/layer_._"
    layer_tensors = "transformer.layer"
    site_names = {
        "query": "attention/q_lin",
        "key": "attention/k_lin",
        "value": "attention/v_lin",
        "attention_output": "attention/out_lin",
        "attention_norm": "sa_layer_norm",
        "up": "ffn/lin1",
        "down": "ffn/lin2",
        "output_norm": "output_layer_norm",
    }
    pooler_name = "pre_classifier"
    bounded_pooler = False
    drops_before_pooler = False
    drops_attended = False
    activation_key = "activation"

    def places(self, wrapped: Any) -> Places:
        """Attributes of `TFDistilBertForSequenceClassification`."""
        main = wrapped.distilbert
        layers = list(main.transformer.layer)
        return Places([main.embeddings], layers, [wrapped.pre_classifier], wrapped.classifier)
