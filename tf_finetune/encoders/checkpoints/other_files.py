"""What a folder holds that has no weights which are read, and what its user can do."""

import json
from pathlib import Path
from typing import NamedTuple

from tf_finetune.encoders.checkpoints.tensor_file import quoted


class Other(NamedTuple):
    """A kind of file that people have in the place of weights.

    Attributes:
        pattern: Of its name.
        what: It is.
        hint: What to do.
    """

    pattern: str
    what: str
    hint: str


_PYTORCH = 'Where you trust it, load it with PyTorch and write model.save_pretrained("DIR").'
_KERAS = 'Where you trust it, load it with Keras and write model.save_pretrained("DIR").'
_ORIGINAL = "Take the model it was made from: it has the weights that training needs."
_OTHERS = (
    Other(
        "model-*-of-*.safetensors",
        "one of several shards, whose model.safetensors.index.json is missing",
        "Download or copy the index and all shards.",
    ),
    Other(
        "pytorch_model-*-of-*.bin",
        "one of several shards, whose pytorch_model.bin.index.json is missing",
        "Download or copy the index and all shards.",
    ),
    Other(
        "tf_model-*-of-*.h5",
        "one of several shards, whose tf_model.h5.index.json is missing",
        "Download or copy the index and all shards.",
    ),
    Other(
        "*.ckpt*.data-*",
        "the values of a TensorFlow checkpoint, whose .index file is missing",
        "Copy the .index file too.",
    ),
    Other(
        "flax_model*.msgpack",
        "weights of Flax",
        'With Flax: AutoModel.from_pretrained("DIR", from_flax=True).save_pretrained("DIR").',
    ),
    Other("*.onnx", "a graph for inference (ONNX)", _ORIGINAL),
    Other("*.gguf", "quantised weights for inference (GGUF)", _ORIGINAL),
    Other("*.tflite", "a graph for inference (LiteRT)", _ORIGINAL),
    Other("saved_model.pb", "a SavedModel, a graph for inference", _ORIGINAL),
    Other("*.keras", "a whole Keras model, which can hold code", _KERAS),
    Other("*.h5", "an HDF5 file of another name than tf_model.h5", _KERAS),
    Other("*.ckpt", "a checkpoint of a training program such as Lightning", _PYTORCH),
    Other("*.safetensors", "weights of another name than model.safetensors", "Rename it."),
    Other("*.bin", "a file of another name than pytorch_model.bin", _PYTORCH),
    Other("*.pt", "a file of PyTorch", _PYTORCH),
    Other("*.pth", "a file of PyTorch", _PYTORCH),
    Other("*.pkl", "a pickle, which can run code", _PYTORCH),
)
# Beside a model, and no model.
_NOT_WEIGHTS = {"training_args.bin", "optimizer.pt", "scheduler.pt", "optimizer.bin"}


def what_lies_there(folder: Path) -> tuple[str, str | None]:
    """Says what is there in the place of weights, and what to do about it, if that is known."""
    adapter = folder / "adapter_config.json"
    if adapter.is_file():
        return _adapter(adapter)
    for kind in _OTHERS:
        names = sorted(p.name for p in folder.glob(kind.pattern) if p.name not in _NOT_WEIGHTS)
        if names:
            return f"{quoted(names[0])} is {kind.what}", kind.hint
    inside = [path for path in folder.glob("checkpoint-*") if path.name[11:].isdecimal()]
    if inside:
        last = max(inside, key=lambda path: int(path.name[11:]))
        return "holds no weights but those of a training's steps", (
            f"Give one of its folders, such as {last}, with the tokenizer's files copied into it."
        )
    return "has no weights", None


def _adapter(path: Path) -> tuple[str, str]:
    """What to say of a folder of the library PEFT."""
    try:
        base = json.loads(path.read_text(encoding="utf-8"))["base_model_name_or_path"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        base = None
    shown = quoted(base) if isinstance(base, str) else "not named"
    return (
        f"is an adapter of PEFT and no encoder; its base model is {shown}",
        "Give the base model as encoder.name, and this folder as encoder.adapter.",
    )
