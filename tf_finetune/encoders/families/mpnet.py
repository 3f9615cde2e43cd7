"""MPNet (Song et al. 2020, "Masked and Permuted Pre-training for Language Understanding").

Every layer adds the same bias to its attention scores, by how far apart two tokens stand.
It is counted, trained and frozen with the embeddings.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tf_finetune.encoders.families.bert import Bert
from tf_finetune.encoders.families.roberta import Roberta
from tf_finetune.encoders.family import Accepted, Sizes
from tf_finetune.encoders.post_norm import POSITIONS, WORDS
from tf_finetune.encoders.variables import Variable

_BIAS = "mpnet/encoder/relative_attention_bias"
_BUCKETS = 32


class Mpnet(Roberta):
    """MPNet: positions and head as in RoBERTa, no token types, and a bias by distance."""

    model_type = "mpnet"
    library = "mpnet"
    classifier_class = "TFMPNetForSequenceClassification"
    backbone = "mpnet"
    choice_pooler = "mpnet.pooler.dense"
    size_keys = {name: key for name, key in Bert.size_keys.items() if name != "types"}
    dropout_keys = ("hidden_dropout_prob", "attention_probs_dropout_prob")
    accepted = {
        "hidden_act": Bert.accepted["hidden_act"],
        "pad_token_id": Roberta.accepted["pad_token_id"],
        # PyTorch counts distances in 32 buckets, whatever is said here.
        "relative_attention_num_buckets": Accepted(_BUCKETS, (_BUCKETS,)),
    }
    unread = frozenset(f"mpnet/pooler/dense/{name}" for name in ("kernel", "bias"))
    tables = WORDS | POSITIONS
    site_names = {
        "query": "attention/attn/q",
        "key": "attention/attn/k",
        "value": "attention/attn/v",
        "attention_output": "attention/attn/o",
        "attention_norm": "attention/LayerNorm",
        "up": "intermediate/dense",
        "down": "output/dense",
        "output_norm": "output/LayerNorm",
    }

    def embedding_variables(self, config: Mapping[str, Any]) -> Iterator[Variable]:
        """The tables, their norm, and the bias by distance."""
        yield from super().embedding_variables(config)
        yield Variable(
            f"{_BIAS}/embeddings",
            f"{_BIAS.replace('/', '.')}.weight",
            (_BUCKETS, self.sizes(config).heads),
            "embeddings",
            "embedding",
            site="relative_attention_bias",
        )

    def distances(self, found: Any, sizes: Sizes) -> Any:
        """The bias that every layer adds."""
        from tf_finetune.encoders.distances import Distances

        return Distances(found.variables[f"{_BIAS}/embeddings"], sizes.positions)
