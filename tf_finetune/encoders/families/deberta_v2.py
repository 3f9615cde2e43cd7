"""DeBERTa-v2 and v3.

He et al. 2021, "DeBERTa: Decoding-enhanced BERT with Disentangled Attention", and "DeBERTaV3".
Attention scores depend on how far apart two tokens stand, by vectors of distances that all layers
share; these are counted, trained and frozen with the embeddings. Encoders without a table of
positions take texts of any length: far distances share a vector.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from tf_finetune.encoders.families.bert import Bert
from tf_finetune.encoders.family import LARGEST, Accepted, Places, Product, Sizes
from tf_finetune.encoders.post_norm import Rates
from tf_finetune.encoders.variables import Variable, dense_variables, norm_variables

_ENCODER = "deberta/encoder"
_VECTORS = "rel_embeddings.weight"
# Of dense layers that read distances, where these have their own: names in TensorFlow, in PyTorch,
# and the product in whose place they stand.
_OWN_LAYERS = {
    "distance_key": ("pos_proj", "pos_key_proj", "key"),
    "distance_query": ("pos_q_proj", "pos_query_proj", "query"),
}


class DebertaV2(Bert):
    """DeBERTa-v2 and v3: attention by distance, and a pooler above the encoder."""

    model_type = "deberta-v2"
    library = "deberta_v2"
    classifier_class = "TFDebertaV2ForSequenceClassification"
    backbone = "deberta"
    dropout_keys = (
        *("hidden_dropout_prob", "attention_probs_dropout_prob"),
        *("cls_dropout", "pooler_dropout"),
    )
    accepted = {
        "hidden_act": Bert.accepted["hidden_act"],
        "pooler_hidden_act": Accepted("gelu", ("gelu",)),
        "relative_attention": Accepted(False, (True,)),
        "pos_att_type": Accepted(None, ("p2c|c2p", "c2p|p2c", ["p2c", "c2p"], ["c2p", "p2c"])),
        "norm_rel_ebd": Accepted("none", ("none", "layer_norm")),
        "share_att_key": Accepted(False, (True, False)),
        "position_biased_input": Accepted(True, (True, False)),
        # A convolution beside the first layer, which the largest encoders of v2 have.
        "conv_kernel_size": Accepted(0, (0,)),
    }
    needs_types = False
    bounded_pooler = False
    site_names = {
        "query": "attention/self/query_proj",
        "key": "attention/self/key_proj",
        "value": "attention/self/value_proj",
        **{k: v for k, v in Bert.site_names.items() if "self" not in v},
    }
    pooler_name = "pooler/dense"
    pooler_activation = "gelu"
    drops_before_pooler = True

    def problems(self, config: Mapping[str, Any], where: str) -> list[str]:
        """Those of every family, and widths and distances that are not computed."""
        found = super().problems(_with_types(config), where)
        if found:
            return found
        width = config["hidden_size"]
        fixed = {
            "embedding_size": width,
            "pooler_hidden_size": width,
            "attention_head_size": width // config["num_attention_heads"],
        }
        found = [
            f"{where}: {key}: received {config[key]!r}, accepted: {value}"
            for key, value in fixed.items()
            if config.get(key, value) != value
        ]
        for key in ("max_relative_positions", "position_buckets"):
            if type(config.get(key, -1)) is not int or config.get(key, -1) > LARGEST.positions:
                found.append(
                    f"{where}: {key}: received {config[key]!r}, accepted: an integer up to "
                    f"{LARGEST.positions:,}"
                )
        if found:
            return found
        buckets, most = _buckets(config), 2 * (_farthest(config) - 2)
        if buckets % 2 or buckets > max(most, 0):
            found = [
                f"{where}: position_buckets: received {buckets}, accepted: even numbers up to "
                f"{most}, or -1 for none"
            ]
        return found

    def sizes(self, config: Mapping[str, Any]) -> Sizes:
        """The sizes that config.json gives; without a table of positions nothing bounds a text."""
        sizes = super().sizes(_with_types(config))
        if config.get("position_biased_input", True):
            return sizes
        return sizes._replace(positions=LARGEST.positions)

    def embedding_variables(self, config: Mapping[str, Any]) -> Iterator[Variable]:
        """The tables that there are, their norm, and the vectors of distances with theirs."""
        absent = set()
        if not config.get("type_vocab_size", 0):
            absent.add("token_type_embeddings")
        if not config.get("position_biased_input", True):
            absent.add("position_embeddings")
        for variable in super().embedding_variables(_with_types(config)):
            if variable.site not in absent:
                yield variable
        hidden, tensor = config["hidden_size"], _ENCODER.replace("/", ".")
        yield Variable(
            f"{_ENCODER}/{_VECTORS}",
            f"{tensor}.{_VECTORS}",
            (2 * (_buckets(config) or _farthest(config)), hidden),
            "embeddings",
            "embedding",
            site="distance_vectors",
        )
        if config.get("norm_rel_ebd", "none") == "layer_norm":
            names = f"{_ENCODER}/LayerNorm", f"{tensor}.LayerNorm"
            yield from norm_variables(*names, hidden, "embeddings", "distance_norm")

    def layer_variables(
        self, config: Mapping[str, Any], layers: frozenset[int]
    ) -> Iterator[Variable]:
        """Those of a post-norm layer; distances are read by its own or by those of tokens."""
        shared = config.get("share_att_key", False)
        instead = {token: (site,) for site, (*_, token) in _OWN_LAYERS.items()} if shared else {}
        for variable in super().layer_variables(config, layers):
            yield replace(variable, other_sites=instead.get(variable.site, ()))
        if not shared:
            sizes = self.sizes(config)
            path, tensor = self.layer_names(min(layers), sizes)
            for site, (name, tensor_name, _) in _OWN_LAYERS.items():
                names = f"{path}/attention/self/{name}", f"{tensor}.attention.self.{tensor_name}"
                shape = (sizes.hidden, sizes.hidden)
                yield from dense_variables(*names, shape, "attention", site, layers)

    def products(self, sizes: Sizes, layer: int, tokens: int, queries: int) -> tuple[Product, ...]:
        """Those of a post-norm layer, and four of distances.

        Twice as many distances as tokens are made into keys and queries, once a batch. Every query
        of a token meets all of these keys, and every token's key all of these queries.
        """
        distances = 2 * tokens
        made = 2 * distances * sizes.hidden**2
        terms = {
            "scores_by_query": (queries, (("query",), ("distance_key",))),
            "scores_by_key": (tokens, (("key",), ("distance_query",))),
        }
        found = []
        for product in super().products(sizes, layer, tokens, queries):
            if product.name == "context":
                scores = ("scores", *terms)
                product = replace(product, operands=(scores, ("value",)))
            found.append(product)
            if product.name == "scores":
                for site in _OWN_LAYERS:
                    found.append(Product(site, made, (("embeddings",),), once=True))
                for name, (rows, operands) in terms.items():
                    found.append(Product(name, 2 * rows * distances * sizes.hidden, operands))
        return tuple(found)

    def rates(self, config: Any) -> Rates:
        """What `dropout_keys` say; the pooler has a rate of its own."""
        return super().rates(config)._replace(pooler=float(config.pooler_dropout))

    def adapted(self, config: Any) -> Any:
        """The library reads a rate before the head that its configuration does not have."""
        config.cls_dropout = getattr(config, "cls_dropout", None)
        return config

    def places(self, wrapped: Any) -> Places:
        """Attributes of `TFDebertaV2ForSequenceClassification`."""
        main = wrapped.deberta
        layers = list(main.encoder.layer)
        return Places([main.embeddings], layers, [wrapped.pooler], wrapped.classifier)

    def block(self, found: Any, config: Any, sizes: Sizes, index: int) -> Any:
        """A layer that reads the vectors of distances too."""
        from tf_finetune.encoders.blocks import distances_dropout
        from tf_finetune.encoders.disentangled import DisentangledLayer, DistanceVectors

        said = config.to_dict()
        vectors = DistanceVectors(
            found.variables[f"{_ENCODER}/{_VECTORS}"],
            found.layers.get(f"{_ENCODER}/LayerNorm"),
            _farthest(said),
            bucketed=_buckets(said) > 0,
        )
        parts = self.block_parts(found, config, sizes, index)
        own = distances_dropout(index, self.rates(config).hidden, sizes)
        parts["dropouts"] = parts["dropouts"]._replace(distances=own)
        path, _ = self.layer_names(index, sizes)
        layers = {
            site: found.layers.get(f"{path}/attention/self/{name}")
            for site, (name, *_) in _OWN_LAYERS.items()
        }
        return DisentangledLayer(**parts, **layers, distance_vectors=vectors)


def _with_types(config: Mapping[str, Any]) -> dict[str, Any]:
    """config.json in which no token types are one type, which is nobody's."""
    return {**config, "type_vocab_size": config.get("type_vocab_size", 0) or 1}


def _buckets(config: Mapping[str, Any]) -> int:
    return max(int(config.get("position_buckets", -1)), 0)


def _farthest(config: Mapping[str, Any]) -> int:
    """The distance from which on all share a vector."""
    said = int(config.get("max_relative_positions", -1))
    return said if said > 0 else int(config["max_position_embeddings"])
