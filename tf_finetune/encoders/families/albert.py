"""ALBERT (Lan et al. 2020, "A Lite BERT for Self-supervised Learning").

Layers share their weights, all of them or groups of neighbours: what is frozen in one of them is
frozen in all that share it. So the prefix can end only where a group does, with one group at
depth 0 and at depth L. A prefix of some applications with frozen weights and a suffix of others
with trained ones would be an encoder with two sets of weights, which no ALBERT folder can hold.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tf_finetune.encoders.families.bert import Bert
from tf_finetune.encoders.family import Accepted, Places, Sizes
from tf_finetune.encoders.post_norm import names_of
from tf_finetune.encoders.variables import Variable, dense_variables

_PROJECTION = "albert/encoder/embedding_hidden_mapping_in"


class Albert(Bert):
    """ALBERT: one layer, or one a group, applied L times to narrow embeddings that are widened."""

    model_type = "albert"
    library = "albert"
    classifier_class = "TFAlbertForSequenceClassification"
    backbone = "albert"
    layer_tensors = "encoder.albert_layer_groups"
    size_keys = {
        **Bert.size_keys,
        "embedding": "embedding_size",
        "groups": "num_hidden_groups",
    }
    dropout_keys = (
        *("hidden_dropout_prob", "attention_probs_dropout_prob"),
        "classifier_dropout_prob",
    )
    accepted = {
        "hidden_act": Accepted("gelu_new", Bert.accepted["hidden_act"].values),
        "position_embedding_type": Bert.accepted["position_embedding_type"],
        "inner_group_num": Accepted(1, (1,)),
    }
    site_names = {
        "query": "attention/query",
        "key": "attention/key",
        "value": "attention/value",
        "attention_output": "attention/dense",
        "attention_norm": "attention/LayerNorm",
        "up": "ffn",
        "down": "ffn_output",
        "output_norm": "full_layer_layer_norm",
    }
    pooler_name = "albert/pooler"

    def problems(self, config: Mapping[str, Any], where: str) -> list[str]:
        """Those of every family, and groups that no layer is left for."""
        found = super().problems(config, where)
        if found:
            return found
        layers, groups = config["num_hidden_layers"], config["num_hidden_groups"]
        if groups > layers:
            found = [f"{where}: num_hidden_groups: received {groups}, accepted: up to {layers}"]
        return found

    def with_layers(self, config: Mapping[str, Any], layers: int) -> dict[str, Any]:
        """With the groups that these layers use."""
        groups = 1 + _group(layers - 1, self.sizes(config))
        return {**super().with_layers(config, layers), self.size_keys["groups"]: groups}

    def possible_layers(self, config: Mapping[str, Any]) -> list[int]:
        """Those of which the library, which counts anew, shares the same among the same."""
        whole = self.sizes(config)

        def is_shared_alike(layers: int) -> bool:
            cut = self.sizes(self.with_layers(config, layers))
            return all(_group(layer, cut) == _group(layer, whole) for layer in range(layers))

        return [layers for layers in super().possible_layers(config) if is_shared_alike(layers)]

    def sharing(self, sizes: Sizes) -> list[frozenset[int]]:
        """The layers of each group."""
        layers = range(sizes.layers)
        return [
            frozenset(layer for layer in layers if _group(layer, sizes) == group)
            for group in range(sizes.groups)
        ]

    def layer_names(self, layer: int, sizes: Sizes) -> tuple[str, str]:
        """Those of the layer's group."""
        group = _group(layer, sizes)
        path = f"albert/encoder/albert_layer_groups_._{group}/albert_layers_._0"
        return path, f"albert.{self.layer_tensors}.{group}.albert_layers.0"

    def embedding_variables(self, config: Mapping[str, Any]) -> Iterator[Variable]:
        """The tables, their norm, and what widens the sum."""
        yield from super().embedding_variables(config)
        sizes, names = self.sizes(config), names_of(_PROJECTION)
        shape = (sizes.embedding, sizes.hidden)
        yield from dense_variables(*names, shape, "embeddings", "embeddings_project")

    def projection(self, found: Any) -> Any:
        """What widens the embeddings, also where they are as wide as the layers."""
        return found.layers[_PROJECTION]

    def places(self, wrapped: Any) -> Places:
        """Attributes of `TFAlbertForSequenceClassification`."""
        main, config = wrapped.albert, wrapped.config
        groups = main.encoder.albert_layer_groups
        share = config.num_hidden_layers / config.num_hidden_groups
        layers = [groups[int(layer / share)] for layer in range(config.num_hidden_layers)]
        embeddings = [main.embeddings, main.encoder.embedding_hidden_mapping_in]
        return Places(embeddings, layers, [main.pooler], wrapped.classifier)


def _group(layer: int, sizes: Sizes) -> int:
    """As the library counts, also where groups are not of one size."""
    return int(layer / (sizes.layers / sizes.groups))
