"""The variables of a BERT sequence classifier, derived from its configuration alone.

The table is the single source for the freeze plan, for parameter arithmetic, for checking
a checkpoint before anything is built, and for writing weights in PyTorch layout. It needs
neither TensorFlow nor weights; a test holds it against the real model.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Part = Literal["embeddings", "attention", "feed_forward", "layer_norm", "pooler", "head"]
Kind = Literal["kernel", "bias", "norm", "embedding"]
Init = Literal["checkpoint", "normal", "zeros", "ones"]


@dataclass(frozen=True)
class Variable:
    """One variable of the model, and all that the rest of the project asks about it.

    Attributes:
        path: Name in the TensorFlow model, without the model's own name.
        tensor: Name of the same values in a PyTorch-layout checkpoint.
        shape: Shape in TensorFlow.
        part: What it belongs to. A layer norm inside an encoder layer counts as
            "layer_norm", one inside the embeddings as "embeddings".
        kind: Matrix or bias of a dense layer, scale or shift of a norm, or a table of vectors.
        layers: Every encoder layer that uses it; empty outside the layers.
        site: Which of its layer's products or norms it is of, such as "query".
        init: What it starts with where a checkpoint lacks it; "checkpoint": none may lack it.
        transposed: Whether PyTorch's tensor is its transpose.
        aliases: Other names of the tensor in checkpoints.
    """

    path: str
    tensor: str
    shape: tuple[int, ...]
    part: Part
    kind: Kind
    layers: frozenset[int] = frozenset()
    site: str = ""
    init: Init = "checkpoint"
    transposed: bool = False
    aliases: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """Number of parameters."""
        return math.prod(self.shape)

    @property
    def tensor_shape(self) -> tuple[int, ...]:
        """Shape in a PyTorch-layout checkpoint."""
        return self.shape[::-1] if self.transposed else self.shape


def number_of_layers(variables: Iterable[Variable]) -> int:
    """Encoder layers that a table of variables is of."""
    return 1 + max((layer for variable in variables for layer in variable.layers), default=-1)


def bert_variables(config: Mapping[str, Any], num_labels: int) -> tuple[Variable, ...]:
    """Lists the variables of `TFBertForSequenceClassification` in forward order.

    Args:
        config: A BERT `config.json` as a mapping.
        num_labels: Width of the classification head.

    Source: Devlin et al. 2019, "BERT"; names as in transformers 4.
    """
    hidden = config["hidden_size"]
    return (
        *_embeddings(config, hidden),
        *(v for i in range(config["num_hidden_layers"]) for v in _encoder_layer(i, config, hidden)),
        *_dense("bert/pooler/dense", "bert.pooler.dense", (hidden, hidden), "pooler", "pooler"),
        *_dense("classifier", "classifier", (hidden, num_labels), "head", "head"),
    )


def _embeddings(config: Mapping[str, Any], hidden: int) -> Iterator[Variable]:
    tables = (
        ("word_embeddings/weight", "word_embeddings", config["vocab_size"]),
        ("token_type_embeddings/embeddings", "token_type_embeddings", config["type_vocab_size"]),
        (
            "position_embeddings/embeddings",
            "position_embeddings",
            config["max_position_embeddings"],
        ),
    )
    for path, tensor, rows in tables:
        yield Variable(
            f"bert/embeddings/{path}",
            f"bert.embeddings.{tensor}.weight",
            (rows, hidden),
            "embeddings",
            "embedding",
            site=tensor,
        )
    yield from _layer_norm("bert/embeddings", "bert.embeddings", hidden, "embeddings", "norm")


def _encoder_layer(index: int, config: Mapping[str, Any], hidden: int) -> Iterator[Variable]:
    path, tensor = f"bert/encoder/layer_._{index}", f"bert.encoder.layer.{index}"
    inner, layers = config["intermediate_size"], frozenset({index})
    square = (hidden, hidden)

    def dense(name: str, shape: tuple[int, int], part: Part, site: str) -> Iterator[Variable]:
        places = f"{path}/{name}", f"{tensor}.{name.replace('/', '.')}"
        return _dense(*places, shape, part, site, layers)

    for name in ("query", "key", "value"):
        yield from dense(f"attention/self/{name}", square, "attention", name)
    yield from dense("attention/output/dense", square, "attention", "attention_output")
    yield from _layer_norm(
        f"{path}/attention/output",
        f"{tensor}.attention.output",
        *(hidden, "layer_norm", "attention_norm", layers),
    )
    yield from dense("intermediate/dense", (hidden, inner), "feed_forward", "up")
    yield from dense("output/dense", (inner, hidden), "feed_forward", "down")
    yield from _layer_norm(
        f"{path}/output", f"{tensor}.output", hidden, "layer_norm", "output_norm", layers
    )


def _dense(
    path: str,
    tensor: str,
    shape: tuple[int, int],
    part: Part,
    site: str,
    layers: frozenset[int] = frozenset(),
) -> Iterator[Variable]:
    """Matrix and bias of a product; those above the layers may be new."""
    may_be_new = part in ("pooler", "head")
    yield Variable(
        f"{path}/kernel",
        f"{tensor}.weight",
        shape,
        part,
        "kernel",
        layers,
        site,
        init="normal" if may_be_new else "checkpoint",
        transposed=True,
    )
    yield Variable(
        f"{path}/bias",
        f"{tensor}.bias",
        shape[1:],
        part,
        "bias",
        layers,
        site,
        init="zeros" if may_be_new else "checkpoint",
    )


def _layer_norm(
    path: str,
    tensor: str,
    width: int,
    part: Part,
    site: str,
    layers: frozenset[int] = frozenset(),
) -> Iterator[Variable]:
    """Scale and shift; a checkpoint converted from TensorFlow 1 calls them gamma and beta."""
    for name, tensor_name in (("gamma", "weight"), ("beta", "bias")):
        yield Variable(
            f"{path}/LayerNorm/{name}",
            f"{tensor}.LayerNorm.{tensor_name}",
            (width,),
            part,
            "norm",
            layers,
            site,
            aliases=(f"{tensor}.LayerNorm.{name}",),
        )
