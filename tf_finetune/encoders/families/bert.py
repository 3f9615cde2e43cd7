"""BERT (Devlin et al. 2019, "BERT: Pre-training of Deep Bidirectional Transformers")."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tf_finetune.encoders.family import Accepted, Family, Places, Product, Sizes
from tf_finetune.encoders.post_norm import post_norm_products
from tf_finetune.encoders.variables import Part, Variable, dense_variables, norm_variables

if TYPE_CHECKING:
    from tf_finetune.encoders.encoder import Encoder

# Those of transformers' TensorFlow models; looking there would load TensorFlow.
_ACTIVATIONS = (
    *("gelu", "gelu_10", "gelu_fast", "gelu_new", "glu", "mish"),
    *("quick_gelu", "relu", "sigmoid", "silu", "swish", "tanh"),
)


class Bert(Family):
    """BERT and every encoder that is saved as one; names as in transformers 4."""

    model_type = "bert"
    library = "bert"
    classifier_class = "TFBertForSequenceClassification"
    backbone = "bert"
    layer_tensors = "encoder.layer"
    size_keys = {
        "vocabulary": "vocab_size",
        "hidden": "hidden_size",
        "layers": "num_hidden_layers",
        "heads": "num_attention_heads",
        "inner": "intermediate_size",
        "positions": "max_position_embeddings",
        "types": "type_vocab_size",
    }
    dropout_keys = ("hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout")
    accepted = {
        "hidden_act": Accepted("gelu", _ACTIVATIONS),
        # The library ignores other kinds of positions, and a decoder would need a causal mask.
        "position_embedding_type": Accepted("absolute", ("absolute",)),
        "is_decoder": Accepted(False, (False, None)),
    }
    head_names = ("classifier", "classifier")

    def encoder_variables(self, config: Mapping[str, Any]) -> tuple[Variable, ...]:
        """Embeddings, layers and pooler."""
        sizes = self.sizes(config)
        return (
            *self._embeddings(config, sizes.hidden),
            *(v for index in range(sizes.layers) for v in self._layer(index, sizes)),
            *dense_variables(
                f"{self.backbone}/pooler/dense",
                f"{self.backbone}.pooler.dense",
                (sizes.hidden, sizes.hidden),
                *("pooler", "pooler"),
            ),
        )

    def _embeddings(self, config: Mapping[str, Any], hidden: int) -> Iterator[Variable]:
        path, tensor = f"{self.backbone}/embeddings", f"{self.backbone}.embeddings"
        for name, inside, size in (
            ("word_embeddings", "weight", "vocabulary"),
            ("token_type_embeddings", "embeddings", "types"),
            ("position_embeddings", "embeddings", "positions"),
        ):
            yield Variable(
                f"{path}/{name}/{inside}",
                f"{tensor}.{name}.weight",
                (config[self.size_keys[size]], hidden),
                "embeddings",
                "embedding",
                site=name,
            )
        yield from norm_variables(
            f"{path}/LayerNorm", f"{tensor}.LayerNorm", hidden, "embeddings", "norm"
        )

    def _layer(self, index: int, sizes: Sizes) -> Iterator[Variable]:
        path = f"{self.backbone}/encoder/layer_._{index}"
        tensor = f"{self.backbone}.{self.layer_tensors}.{index}"
        hidden, inner, layers = sizes.hidden, sizes.inner, frozenset({index})

        def dense(name: str, shape: tuple[int, int], part: Part, site: str) -> Iterator[Variable]:
            names = f"{path}/{name}", f"{tensor}.{name.replace('/', '.')}"
            return dense_variables(*names, shape, part, site, layers)

        def norm(name: str, site: str) -> Iterator[Variable]:
            names = f"{path}/{name}", f"{tensor}.{name.replace('/', '.')}"
            return norm_variables(*names, hidden, "layer_norm", site, layers)

        for name in ("query", "key", "value"):
            yield from dense(f"attention/self/{name}", (hidden, hidden), "attention", name)
        output = "attention/output/dense"
        yield from dense(output, (hidden, hidden), "attention", "attention_output")
        yield from norm("attention/output/LayerNorm", "attention_norm")
        yield from dense("intermediate/dense", (hidden, inner), "feed_forward", "up")
        yield from dense("output/dense", (inner, hidden), "feed_forward", "down")
        yield from norm("output/LayerNorm", "output_norm")

    def products(self, sizes: Sizes, layer: int, tokens: int, queries: int) -> tuple[Product, ...]:
        """Those of a post-norm layer, in every layer."""
        return post_norm_products(sizes, tokens, queries)

    def places(self, wrapped: Any) -> Places:
        """Attributes of `TFBertForSequenceClassification`."""
        main = getattr(wrapped, self.backbone)
        layers = list(main.encoder.layer)
        return Places([main.embeddings], layers, [main.pooler], wrapped.classifier)

    def encoder(self, wrapped: Any, sizes: Sizes) -> "Encoder":
        """A post-norm encoder above sums of three embeddings."""
        from tf_finetune.encoders import blocks

        (embeddings,), layers, (pooler,), _ = self.places(wrapped)
        config = wrapped.config
        rates = blocks.Rates(config.hidden_dropout_prob, config.attention_probs_dropout_prob)
        head_rate = config.classifier_dropout
        return blocks.PostNormEncoder(
            blocks.SummedEmbeddings(
                words=embeddings.weight,
                positions=embeddings.position_embeddings,
                types=embeddings.token_type_embeddings,
                norm=embeddings.LayerNorm,
                dropout=blocks.embeddings_dropout(rates.hidden),
            ),
            [
                blocks.PostNormLayer(
                    name=layer.name,
                    query=layer.attention.self_attention.query,
                    key=layer.attention.self_attention.key,
                    value=layer.attention.self_attention.value,
                    attention_output=layer.attention.dense_output.dense,
                    attention_norm=layer.attention.dense_output.LayerNorm,
                    up=layer.intermediate.dense,
                    down=layer.bert_output.dense,
                    output_norm=layer.bert_output.LayerNorm,
                    activation=blocks.activation(config.hidden_act),
                    head_width=sizes.hidden // sizes.heads,
                    dropouts=blocks.layer_dropouts(index, rates, sizes),
                )
                for index, layer in enumerate(layers)
            ],
            pooler=pooler.dense,
            head_dropout=blocks.head_dropout(rates.hidden if head_rate is None else head_rate),
        )
