"""The weights file has the tensors of PyTorch's BertForSequenceClassification, by name and shape.

That PyTorch computes the same logits with them is checked by `tools/check_pytorch`.
"""

from safetensors import safe_open

from tf_finetune.models.building import build
from tf_finetune.models.weights import Pretrained
from tf_finetune.runs.model_folder import write_model_folder
from tf_finetune.tasks.classes import Classes

HIDDEN, INNER = 32, 64


def layer(index):
    """`state_dict` of one layer, as PyTorch has it in transformers 4.54 and 5.23."""
    prefix = f"bert.encoder.layer.{index}"
    square = {
        f"{prefix}.attention.{name}": (HIDDEN, HIDDEN)
        for name in ("self.query", "self.key", "self.value", "output.dense")
    }
    dense = square | {
        f"{prefix}.intermediate.dense": (INNER, HIDDEN),
        f"{prefix}.output.dense": (HIDDEN, INNER),
    }
    norms = [f"{prefix}.{name}.LayerNorm" for name in ("attention.output", "output")]
    return dense, norms


def pytorch_tensors(vocabulary, num_layers, num_labels):
    tables = {"word": vocabulary, "position": 64, "token_type": 2}
    tensors = {
        f"bert.embeddings.{name}_embeddings.weight": (rows, HIDDEN) for name, rows in tables.items()
    }
    dense = {"bert.pooler.dense": (HIDDEN, HIDDEN), "classifier": (num_labels, HIDDEN)}
    norms = ["bert.embeddings.LayerNorm"]
    for index in range(num_layers):
        more_dense, more_norms = layer(index)
        dense |= more_dense
        norms += more_norms
    for name, (rows, columns) in dense.items():
        tensors |= {f"{name}.weight": (rows, columns), f"{name}.bias": (rows,)}
    for name in norms:
        tensors |= {f"{name}.weight": (HIDDEN,), f"{name}.bias": (HIDDEN,)}
    return tensors


def test_tensors_are_those_of_pytorch(tiny_encoder, spec_for, tiny_tokenizer, tmp_path):
    labels = Classes(tuple("abcde"))
    classifier = build(spec_for(tiny_encoder, labels), Pretrained())

    write_model_folder(tmp_path / "model", classifier, tiny_tokenizer, labels, max_length=32)

    with safe_open(tmp_path / "model" / "model.safetensors", framework="np") as file:
        found = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
        types = {file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
        assert file.metadata() == {"format": "pt"}
    assert found == pytorch_tensors(len(tiny_tokenizer), 3, 5)
    assert types == {"F32"}
