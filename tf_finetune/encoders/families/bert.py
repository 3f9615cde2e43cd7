"""BERT (Devlin et al. 2019, "BERT: Pre-training of Deep Bidirectional Transformers")."""

from typing import Any, ClassVar

from tf_finetune.encoders.family import Accepted, Places
from tf_finetune.encoders.post_norm import ACTIVATIONS, POSITIONS, TYPES, WORDS, PostNormFamily


class Bert(PostNormFamily):
    """BERT and every encoder that is saved as one; names as in transformers 4."""

    model_type = "bert"
    library = "bert"
    classifier_class = "TFBertForSequenceClassification"
    backbone = "bert"
    size_keys = {
        "vocabulary": "vocab_size",
        "hidden": "hidden_size",
        "layers": "num_hidden_layers",
        "heads": "num_attention_heads",
        "inner": "intermediate_size",
        "positions": "max_position_embeddings",
        "types": "type_vocab_size",
    }
    dropout_keys: ClassVar[tuple[str, ...]] = (
        *("hidden_dropout_prob", "attention_probs_dropout_prob"),
        "classifier_dropout",
    )
    accepted = {
        "hidden_act": Accepted("gelu", ACTIVATIONS),
        # The library ignores other kinds of positions, and a decoder would need a causal mask.
        "position_embedding_type": Accepted("absolute", ("absolute",)),
        "is_decoder": Accepted(False, (False, None)),
    }
    needs_types = True
    head_names = ("classifier", "classifier")
    tables = WORDS | TYPES | POSITIONS
    site_names = {
        "query": "attention/self/query",
        "key": "attention/self/key",
        "value": "attention/self/value",
        "attention_output": "attention/output/dense",
        "attention_norm": "attention/output/LayerNorm",
        "up": "intermediate/dense",
        "down": "output/dense",
        "output_norm": "output/LayerNorm",
    }
    pooler_name = "bert/pooler/dense"
    drops_before_pooler = False

    def places(self, wrapped: Any) -> Places:
        """Attributes of `TFBertForSequenceClassification`."""
        main = wrapped.bert
        return Places(
            [main.embeddings], list(main.encoder.layer), [main.pooler], wrapped.classifier
        )
