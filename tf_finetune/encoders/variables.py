"""The variables of a BERT sequence classifier, derived from its configuration alone.

The table is the single source for the freeze plan, for parameter arithmetic, for checking
a checkpoint before anything is built, and for writing weights in PyTorch layout. It needs
neither TensorFlow nor weights; a test holds it against the real model.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Part = Literal["embeddings", "attention", "feed_forward", "layer_norm", "pooler", "head"]


@dataclass(frozen=True)
class Variable:
    """One variable of the model.

    Attributes:
        path: Name in the TensorFlow model, without the model's own name.
        tensor: Name of the same values in a PyTorch-layout checkpoint.
        shape: Shape in TensorFlow; a `kernel` is stored transposed in PyTorch layout.
        part: What it belongs to. A layer norm inside an encoder layer counts as
            "layer_norm", one inside the embeddings as "embeddings".
        layer: Index of the encoder layer, or None outside the encoder layers.
    """

    path: str
    tensor: str
    shape: tuple[int, ...]
    part: Part
    layer: int | None = None

    @property
    def count(self) -> int:
        """Number of parameters."""
        return math.prod(self.shape)

    @property
    def is_bias(self) -> bool:
        """Whether this is the bias of a dense layer."""
        return self.path.endswith("/bias")

    @property
    def is_kernel(self) -> bool:
        """Whether this is the matrix of a dense layer."""
        return self.path.endswith("/kernel")

    @property
    def is_layer_norm(self) -> bool:
        """Whether this is the scale or the shift of a layer norm."""
        return "/LayerNorm/" in self.path

    @property
    def tensor_shape(self) -> tuple[int, ...]:
        """Shape in a PyTorch-layout checkpoint."""
        return self.shape[::-1] if self.is_kernel else self.shape


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
        *_dense("bert/pooler/dense", "bert.pooler.dense", hidden, hidden, "pooler", None),
        *_dense("classifier", "classifier", hidden, num_labels, "head", None),
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
        )
    yield from _layer_norm("bert/embeddings", "bert.embeddings", hidden, "embeddings", None)


def _encoder_layer(index: int, config: Mapping[str, Any], hidden: int) -> Iterator[Variable]:
    path, tensor = f"bert/encoder/layer_._{index}", f"bert.encoder.layer.{index}"
    inner = config["intermediate_size"]
    for name in ("query", "key", "value"):
        yield from _dense(
            f"{path}/attention/self/{name}",
            f"{tensor}.attention.self.{name}",
            hidden,
            hidden,
            "attention",
            index,
        )
    output = (f"{path}/attention/output", f"{tensor}.attention.output")
    yield from _dense(
        f"{output[0]}/dense", f"{output[1]}.dense", hidden, hidden, "attention", index
    )
    yield from _layer_norm(*output, hidden, "layer_norm", index)
    for name, width_in, width_out in (("intermediate", hidden, inner), ("output", inner, hidden)):
        yield from _dense(
            f"{path}/{name}/dense",
            f"{tensor}.{name}.dense",
            width_in,
            width_out,
            "feed_forward",
            index,
        )
    yield from _layer_norm(f"{path}/output", f"{tensor}.output", hidden, "layer_norm", index)


def _dense(
    path: str, tensor: str, width_in: int, width_out: int, part: Part, layer: int | None
) -> Iterator[Variable]:
    yield Variable(f"{path}/kernel", f"{tensor}.weight", (width_in, width_out), part, layer)
    yield Variable(f"{path}/bias", f"{tensor}.bias", (width_out,), part, layer)


def _layer_norm(
    path: str, tensor: str, width: int, part: Part, layer: int | None
) -> Iterator[Variable]:
    for name, tensor_name in (("gamma", "weight"), ("beta", "bias")):
        yield Variable(
            f"{path}/LayerNorm/{name}", f"{tensor}.LayerNorm.{tensor_name}", (width,), part, layer
        )
