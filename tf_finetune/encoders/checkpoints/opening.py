"""Opens the weights of a model folder, in whatever files they are."""

from pathlib import Path

from tf_finetune.encoders.checkpoints.checkpoint import Checkpoint
from tf_finetune.encoders.checkpoints.safetensors_file import SafetensorsFile
from tf_finetune.encoders.family import Family
from tf_finetune.errors import UserError

# What this project writes, and what is taken where there are others beside it.
WEIGHTS_FILE = "model.safetensors"


def open_checkpoint(folder: Path, family: Family) -> Checkpoint:
    """Opens a folder's weights; no values are read yet.

    Args:
        folder: A model folder.
        family: Of the encoder.

    Raises:
        UserError: There are no weights, or they cannot be read.
    """
    path = folder / WEIGHTS_FILE
    if not path.is_file():
        raise _missing(path)
    file = SafetensorsFile(path)
    _check_layout(file)
    return Checkpoint(file, family)


def _missing(path: Path) -> UserError:
    others = sorted(p.name for end in ("*model*.bin", "*model*.h5") for p in path.parent.glob(end))
    return UserError(
        f"{path}: no such file; accepted: a model folder with {WEIGHTS_FILE} "
        "(pickled .bin and .h5 weights are not loaded because they can carry code)",
        hint=_converted(path, ", from_tf=True" * others[0].endswith(".h5")) if others else None,
    )


def _converted(path: Path, how: str = "") -> str:
    """How weights that are not read become some that are."""
    return (
        "Where you trust the file, transformers 4 with PyTorch writes one that is read: "
        f'AutoModel.from_pretrained("{path.parent}"{how}).float().save_pretrained("NEW_FOLDER"), '
        "and the tokenizer's files copied beside it."
    )


def _check_layout(file: SafetensorsFile) -> None:
    """Refuses whole files of another kind in one sentence, and not tensor by tensor.

    Raises:
        UserError: The file holds bfloat16, or names and shapes of TensorFlow.
    """
    if any("/" in name for name in file.tensors):
        what, accepted = "in TensorFlow's layout (its names have slashes)", "PyTorch's layout"
    elif any(tensor.dtype == "BF16" for tensor in file.tensors.values()):
        what, accepted = "in bfloat16", "float32 or float16"
    else:
        return
    raise UserError(
        f"{file.path}: the weights are {what}, which is not read; accepted: {accepted}",
        hint=_converted(file.path),
    )
