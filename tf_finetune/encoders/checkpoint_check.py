"""Checks a PyTorch-layout checkpoint against the expected variables before it is loaded.

Only the header of the safetensors file is read, so a wrong checkpoint is refused in
milliseconds with the tensors that do not fit.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open

from tf_finetune.encoders.family import Family
from tf_finetune.encoders.locating import WEIGHTS_FILE, EncoderFiles
from tf_finetune.encoders.variables import Variable
from tf_finetune.errors import UserError

_MOST_SHOWN = 8
FLOATS = ("F32", "F16")


def read_tensor_shapes(path: Path) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Types (such as "F32") and shapes of all tensors in a safetensors file, by name.

    Raises:
        UserError: The file is missing, cut or not a safetensors file.
    """
    if not path.is_file():
        others = sorted(
            p.name for end in ("*model*.bin", "*model*.h5") for p in path.parent.glob(end)
        )
        raise UserError(
            f"{path}: no such file; accepted: a model folder with {WEIGHTS_FILE} "
            "(pickled .bin and .h5 weights are not loaded because they can carry code)",
            hint=_converted(path, ", from_tf=True" * others[0].endswith(".h5")) if others else None,
        )
    try:
        with safe_open(str(path), framework="np") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            return {name: (s.get_dtype(), tuple(s.get_shape())) for name, s in slices.items()}
    except SafetensorError as error:
        raise UserError(f"{path}: damaged or not a safetensors file: {error}") from None


def _converted(path: Path, how: str = "") -> str:
    """How weights that are not read become some that are."""
    return (
        "Where you trust the file, transformers 4 with PyTorch writes one that is read: "
        f'AutoModel.from_pretrained("{path.parent}"{how}).float().save_pretrained("NEW_FOLDER"), '
        "and the tokenizer's files copied beside it."
    )


def _check_layout(path: Path, tensors: Mapping[str, tuple[str, tuple[int, ...]]]) -> None:
    """Refuses whole files of another kind in one sentence, and not tensor by tensor.

    Raises:
        UserError: The file holds bfloat16, or names and shapes of TensorFlow.
    """
    if any("/" in name for name in tensors):
        what, accepted = "in TensorFlow's layout (its names have slashes)", "PyTorch's layout"
    elif any(dtype == "BF16" for dtype, _ in tensors.values()):
        what, accepted = "in bfloat16", "float32 or float16"
    else:
        return
    raise UserError(
        f"{path}: the weights are {what}, which is not read; accepted: {accepted}",
        hint=_converted(path),
    )


def tensor_name(variable: Variable, family: Family, present: Collection[str]) -> str:
    """Name under which a checkpoint holds a variable's values.

    A checkpoint of the bare encoder (`BertModel`) leaves out the backbone's prefix, and one
    converted from TensorFlow 1, such as google-bert/bert-base-uncased, has other names.

    Returns:
        The first of these names that is present, otherwise the usual one.
    """
    prefix = f"{family.backbone}."
    full = (variable.tensor, *variable.aliases)
    names = (name for usual in full for name in (usual, usual.removeprefix(prefix)))
    return next((name for name in names if name in present), variable.tensor)


def check_checkpoint(files: EncoderFiles, num_labels: int, *, head_required: bool) -> list[str]:
    """Checks that every encoder variable stands in the checkpoint with its shape.

    Args:
        files: The encoder.
        num_labels: Width of the head that will be built.
        head_required: Whether the head must be in the checkpoint too (a fine-tuned model);
            otherwise it is not looked at, see `matched_head`.

    Returns:
        Paths of the variables that are not the checkpoint's: the head unless it is required,
        and the pooler where the encoder was saved without one.

    Raises:
        UserError: With every tensor that is missing or has another shape.
    """
    tensors = read_tensor_shapes(files.weights)
    _check_layout(files.weights, tensors)
    problems = _surplus_layers(files, tensors)
    new: list[str] = []
    for variable in files.family.variables(files.config, num_labels):
        if variable.part == "head" and not head_required:
            new.append(variable.path)
            continue
        name = tensor_name(variable, files.family, tensors)
        dtype, shape = tensors.get(name, ("", None))
        if dtype in FLOATS and shape == variable.tensor_shape:
            continue
        if variable.init != "checkpoint" and shape is None and not head_required:
            new.append(variable.path)
        else:
            received = "is missing" if shape is None else f"is {dtype} {list(shape)}"
            problems.append(
                f"{files.weights}: tensor {name} {received}; "
                f"expected F32 or F16 {list(variable.tensor_shape)}"
            )
    if problems:
        shown = problems[:_MOST_SHOWN]
        if len(problems) > len(shown):
            shown.append(f"… and {len(problems) - len(shown)} more tensors")
        raise UserError(shown, hint="The weights do not belong to the config.json beside them.")
    return new


def _surplus_layers(files: EncoderFiles, tensors: Iterable[str]) -> list[str]:
    """Problems for encoder layers that stand in the checkpoint but not in config.json."""
    layer = re.compile(rf"(?:^|\.){re.escape(files.family.layer_tensors)}\.(\d+)\.")
    found = {int(match[1]) for name in tensors if (match := layer.search(name))}
    return [
        f"{files.weights}: holds encoder layer {layer}; expected layers 0 to "
        f"{files.num_layers - 1}, as {files.family.size_keys['layers']} of config.json says"
        for layer in sorted(found)
        if layer >= files.num_layers
    ]
