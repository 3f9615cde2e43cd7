"""Opens the weights of a model folder, in whatever files they are."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tf_finetune.encoders.checkpoints.checkpoint import Checkpoint
from tf_finetune.encoders.checkpoints.google_checkpoint import GoogleCheckpoint
from tf_finetune.encoders.checkpoints.hdf5_file import Hdf5File
from tf_finetune.encoders.checkpoints.other_files import what_lies_there
from tf_finetune.encoders.checkpoints.pickled_file import PickledFile
from tf_finetune.encoders.checkpoints.safetensors_file import SafetensorsFile
from tf_finetune.encoders.checkpoints.shards import Shards
from tf_finetune.encoders.checkpoints.tensor_file import TensorFile
from tf_finetune.encoders.family import Family
from tf_finetune.errors import UserError

# What this project writes, and what is taken where there are others beside it.
WEIGHTS_FILE = "model.safetensors"
# The same where a method added what plain weights cannot hold. Another name, so that nobody loads
# the pretrained part alone as if it were the model.
UNMERGED_FILE = "unmerged.safetensors"


class Format(NamedTuple):
    """A kind of weights.

    Attributes:
        pattern: Of the name of the file that is opened.
        open: Opens it.
        others: Pattern of the files that belong to it; empty: none.
    """

    pattern: str
    open: Callable[[Path], TensorFile]
    others: str = ""


def _shards(name: str, one: Callable[[Path], TensorFile]) -> Format:
    stem, ending = name.split(".")
    return Format(f"{name}.index.json", partial(Shards, opened=one), f"{stem}-*.{ending}")


# The first that a folder has is taken.
FORMATS = (
    Format(WEIGHTS_FILE, SafetensorsFile),
    _shards(WEIGHTS_FILE, SafetensorsFile),
    Format("tf_model.h5", Hdf5File),
    _shards("tf_model.h5", Hdf5File),
    Format("pytorch_model.bin", PickledFile),
    _shards("pytorch_model.bin", PickledFile),
    Format("bert_model.ckpt.index", GoogleCheckpoint, "bert_model.ckpt.data-*"),
    Format("*.ckpt*.index", GoogleCheckpoint, "*.ckpt*.data-*"),
)
ACCEPTED = (
    f"{WEIGHTS_FILE}, tf_model.h5, pytorch_model.bin (each also in shards with its index) or "
    "bert_model.ckpt.*"
)


def find_weights(folder: Path) -> list[tuple[Format, Path]]:
    """The files that could be opened in a model folder, the one that is taken first.

    Raises:
        UserError: There are several checkpoints of TensorFlow 1, and nothing says which is meant.
    """
    found: list[tuple[Format, Path]] = []
    for kind in (Format(UNMERGED_FILE, SafetensorsFile), *FORMATS):
        paths = sorted(path for path in folder.glob(kind.pattern) if path.is_file())
        if len(paths) > 1 and not found:
            raise UserError(
                f"{folder}: holds {len(paths)} checkpoints: {', '.join(p.name for p in paths)}; "
                "accepted: one"
            )
        found += [(kind, path) for path in paths]
    return found


def open_checkpoint(folder: Path, family: Family) -> Checkpoint:
    """Opens a folder's weights; no values are read yet.

    Args:
        folder: A model folder.
        family: Of the encoder.

    Raises:
        UserError: There are no weights, or they cannot be read.
    """
    return Checkpoint(open_weights(folder), family)


def open_weights(folder: Path) -> TensorFile:
    """The tensors of a folder; no values are read yet.

    Raises:
        UserError: There are no weights, or they cannot be read.
    """
    found = find_weights(folder)
    if not found:
        raise no_weights(folder)
    kind, path = found[0]
    return kind.open(path)


def no_weights(folder: Path) -> UserError:
    """Says what a folder without weights holds instead, and what to do."""
    what, hint = what_lies_there(folder)
    return UserError(f"{folder}: {what}; accepted: a model folder with {ACCEPTED}", hint=hint)


def choice_note(folder: Path) -> list[str]:
    """A sentence on which of several files of weights is taken; none where there is one."""
    # Two patterns may match one file.
    names = list(dict.fromkeys(path.name for _, path in find_weights(folder)))
    if len(names) < 2:
        return []
    return [f"weights: {names[0]}; not read: {', '.join(names[1:])}"]
