"""GPT-2 (Radford et al. 2019, "Language Models are Unsupervised Multitask Learners").

A layer normalises what it reads, not what it gives. What the layers add up is normalised once,
above the last of them: that norm is computed, counted and frozen with the last layer. A token
sees those before it alone, so that the last one knows the text.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tf_finetune.encoders.family import Accepted, Family, Places, Product, Sizes
from tf_finetune.encoders.post_norm import ACTIVATIONS
from tf_finetune.encoders.variables import Part, Variable, norm_variables

if TYPE_CHECKING:
    from tf_finetune.encoders.encoder import Encoder

_LAST_NORM = "ln_f"


class Gpt2(Family):
    """GPT-2 and every decoder that is saved as one."""

    model_type = "gpt2"
    library = "gpt2"
    classifier_class = "TFGPT2ForSequenceClassification"
    backbone = "transformer"
    layer_tensors = "h"
    size_keys = {
        "vocabulary": "vocab_size",
        "hidden": "n_embd",
        "layers": "n_layer",
        "heads": "n_head",
        "inner": "n_inner",
        "positions": "n_positions",
    }
    dropout_keys = ("resid_pdrop", "attn_pdrop", "embd_pdrop")
    accepted = {
        "activation_function": Accepted("gelu_new", ACTIVATIONS),
        # The library's TensorFlow models divide by the root of a head's width, whatever is said.
        "scale_attn_weights": Accepted(True, (True,)),
        "scale_attn_by_inverse_layer_idx": Accepted(False, (False,)),
        "add_cross_attention": Accepted(False, (False,)),
    }
    head_names = ("score", "score")
    head_has_bias = False
    pooling = "last"
    poolings = ("mean", "max", "last", "words")  # the first token sees no other
    kept_of_all = kept_of_read = 4

    def problems(self, config: Mapping[str, Any], where: str) -> list[str]:
        """Those of every family; the inner width may be left out."""
        return super().problems(_with_inner(config), where)

    def sizes(self, config: Mapping[str, Any]) -> Sizes:
        """The sizes that config.json gives."""
        return super().sizes(_with_inner(config))

    def encoder_variables(self, config: Mapping[str, Any]) -> tuple[Variable, ...]:
        """The tables, the layers, and the norm above them."""
        sizes = self.sizes(config)
        return (
            *self._table_variables(sizes),
            *(v for layer in range(sizes.layers) for v in self._layer_variables(layer, sizes)),
        )

    def _table_variables(self, sizes: Sizes) -> Iterator[Variable]:
        for name, rows in (("wte", sizes.vocabulary), ("wpe", sizes.positions)):
            yield Variable(
                f"{self.backbone}/{name}/embeddings",
                f"{self.backbone}.{name}.weight",
                (rows, sizes.hidden),
                "embeddings",
                "embedding",
                site=name,
            )

    def _layer_variables(self, layer: int, sizes: Sizes) -> Iterator[Variable]:
        path = f"{self.backbone}/h_._{layer}"
        tensor = f"{self.backbone}.{self.layer_tensors}.{layer}"
        hidden, layers = sizes.hidden, frozenset({layer})

        def norm(name: str, site: str) -> Iterator[Variable]:
            names = f"{path}/{name}", f"{tensor}.{name}"
            return norm_variables(*names, hidden, "layer_norm", site, layers)

        def product(name: str, width: int, units: int, part: Part, site: str) -> Iterator[Variable]:
            names = f"{path}/{name}", f"{tensor}.{name.replace('/', '.')}"
            return _product_variables(*names, (width, units), part, site, layers)

        yield from norm("ln_1", "attention_norm")
        yield from product("attn/c_attn", hidden, 3 * hidden, "attention", "query_key_value")
        yield from product("attn/c_proj", hidden, hidden, "attention", "attention_output")
        yield from norm("ln_2", "feed_forward_norm")
        yield from product("mlp/c_fc", hidden, sizes.inner, "feed_forward", "up")
        yield from product("mlp/c_proj", sizes.inner, hidden, "feed_forward", "down")
        if layer == sizes.layers - 1:
            names = f"{self.backbone}/{_LAST_NORM}", f"{self.backbone}.{_LAST_NORM}"
            yield from norm_variables(*names, hidden, "layer_norm", "last_norm", layers)

    def products(self, sizes: Sizes, layer: int, tokens: int, queries: int) -> tuple[Product, ...]:
        """Those of a pre-norm layer; above the last one is a norm.

        Keys and values are computed of all tokens, everything else of the queries alone.
        """
        square = 2 * queries * sizes.hidden**2
        keys_and_values = 2 * 2 * tokens * sizes.hidden**2
        attention = 2 * queries * tokens * sizes.hidden
        inner = 2 * queries * sizes.hidden * sizes.inner
        of_norm, all_three = ("attention_norm",), ("query_key_value",)
        attended = ("attention_output", "input")
        is_last = layer == sizes.layers - 1
        result = "last_norm" if is_last else "sum"
        rows = sizes.heads * queries
        pieces = 3 if is_last and queries < tokens else 1
        return (
            Product("attention_norm", 0, (("input",),)),
            Product("query_key_value", square + keys_and_values, (of_norm,), pieces=pieces),
            Product("scores", attention, (all_three, all_three), keys=tokens, rows=rows),
            Product("context", attention, (("scores",), all_three), keys=tokens, rows=rows),
            Product("attention_output", square, (("context",),)),
            Product("feed_forward_norm", 0, (attended,)),
            Product("up", inner, (("feed_forward_norm",),)),
            Product("down", inner, (("up",),)),
            Product(result, 0, (("down", *attended),)),
        )

    def places(self, wrapped: Any) -> Places:
        """Attributes of `TFGPT2ForSequenceClassification`."""
        main = wrapped.transformer
        return Places([main.wte, main.wpe], main.h, [], wrapped.score, with_last=[main.ln_f])

    def encoder(self, wrapped: Any, sizes: Sizes) -> "Encoder":
        """A pre-norm encoder in which a token sees none behind it."""
        from tf_finetune.encoders import blocks, causal
        from tf_finetune.encoders.sublayers import Sublayers

        config, found = wrapped.config, Sublayers(wrapped)
        states, attention, embeddings = (float(getattr(config, key)) for key in self.dropout_keys)
        last_norm = found.layers[f"{self.backbone}/{_LAST_NORM}"]
        dtype = last_norm.compute_dtype

        def layer(index: int) -> causal.CausalLayer:
            path = f"{self.backbone}/h_._{index}"

            def product(name: str) -> causal.StoredProduct:
                kernel, bias = (found.variables[f"{path}/{name}/{v}"] for v in ("weight", "bias"))
                return causal.StoredProduct(kernel, bias)

            return causal.CausalLayer(
                name=f"h_._{index}",
                attention_norm=found.layers[f"{path}/ln_1"],
                query_key_value=product("attn/c_attn"),
                attention_output=product("attn/c_proj"),
                feed_forward_norm=found.layers[f"{path}/ln_2"],
                up=product("mlp/c_fc"),
                down=product("mlp/c_proj"),
                last_norm=last_norm if index == sizes.layers - 1 else None,
                activation=blocks.activation(config.activation_function),
                head_width=sizes.hidden // sizes.heads,
                dropouts=blocks.layer_dropouts(index, states, attention, sizes),
            )

        return causal.CausalEncoder(
            blocks.SummedEmbeddings(
                words=found.variables[f"{self.backbone}/wte/embeddings"],
                positions=found.variables[f"{self.backbone}/wpe/embeddings"],
                types=None,
                norm=None,
                dropout=blocks.embeddings_dropout(embeddings),
                dtype=dtype,
            ),
            [layer(index) for index in range(sizes.layers)],
        )


def _with_inner(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """config.json with the width of the feed-forward part, which is by default four states'."""
    if config.get("n_inner") is not None:
        return config
    width = config.get("n_embd")
    # Where n_embd is wrong, nothing else is.
    return {**config, "n_inner": 4 * width if isinstance(width, int) and width > 0 else 1}


def _product_variables(
    path: str,
    tensor: str,
    shape: tuple[int, int],
    part: Part,
    site: str,
    layers: frozenset[int],
) -> Iterator[Variable]:
    """Matrix and bias as in OpenAI's program: [in, out] in PyTorch too, and the bias one row."""
    names = f"{path}/weight", f"{tensor}.weight"
    yield Variable(*names, shape, part, "kernel", layers, site)
    names = f"{path}/bias", f"{tensor}.bias"
    yield Variable(*names, (1, shape[1]), part, "bias", layers, site, is_row=True)
