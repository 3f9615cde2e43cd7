"""What a folder holds that has no weights which are read, and what its user can do."""

import json
import shlex
from pathlib import Path
from typing import NamedTuple

from tf_finetune.encoders.checkpoints.tensor_file import quoted
from tf_finetune.encoders.peft.names import ADAPTER_CONFIG


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
    if is_adapter(folder):
        return _adapter(folder)
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


def is_adapter(folder: Path) -> bool:
    """Whether a folder is one of the library PEFT, which may hold a config.json too."""
    return (folder / ADAPTER_CONFIG).is_file()


def _adapter(folder: Path) -> tuple[str, str]:
    """What to say of an adapter."""
    try:
        config = json.loads((folder / ADAPTER_CONFIG).read_text(encoding="utf-8"))
        base = config["base_model_name_or_path"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        base = None
    named = isinstance(base, str)
    return (
        "is an adapter of PEFT and no encoder; its base model is "
        f"{quoted(base) if named else 'not named'}",
        f"Write encoder.name={shlex.quote(base) if named else 'BASE'} "
        f"encoder.adapter={shlex.quote(str(folder))}"
        + ("." if named else ", where BASE is the encoder that it was trained for."),
    )
