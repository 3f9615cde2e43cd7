"""Holds a checkpoint against the expected variables before it is loaded.

Only what says which tensors there are is read, so a wrong checkpoint is refused in
milliseconds with the tensors that do not fit.
"""

from collections.abc import Iterable, Sequence

from tf_finetune.encoders.checkpoints.tensor_file import quoted
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.encoders.variables import Variable
from tf_finetune.errors import UserError

_MOST_SHOWN = 8
_NAMES_SHOWN = 3


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
    checkpoint = files.checkpoint
    variables = files.variables(num_labels)
    _check_kind(files, variables)
    problems, absent = _wrong_layers(files, variables)
    new: list[str] = []
    for variable in variables:
        if variable.part == "head" and not head_required:
            new.append(variable.path)
            continue
        if checkpoint.has(variable) or variable.layers in absent:
            continue
        _, tensor, expected = checkpoint.find(variable)
        if variable.init != "checkpoint" and tensor is None and not head_required:
            new.append(variable.path)
        else:
            received = "missing" if tensor is None else f"{tensor.dtype} {list(tensor.shape)}"
            problems.append(
                f"{checkpoint.where(variable)} is {received}; "
                f"expected {checkpoint.accepted} {list(expected)}"
            )
    if problems:
        shown = problems[:_MOST_SHOWN]
        if len(problems) > len(shown):
            shown.append(f"… and {len(problems) - len(shown)} more tensors")
        raise UserError(shown, hint="The weights do not belong to the config.json beside them.")
    return new


def _check_kind(files: EncoderFiles, variables: Sequence[Variable]) -> None:
    """Refuses the weights of something else in one sentence, and not tensor by tensor.

    Raises:
        UserError: No tensor is one of the encoder's.
    """
    checkpoint = files.checkpoint
    if any(checkpoint.find(v).tensor is not None for v in variables if v.part != "head"):
        return
    names = [quoted(name) for name in list(checkpoint.names)[:_NAMES_SHOWN]]
    raise UserError(
        f"{checkpoint.path}: holds no tensor of {files.family.model_type}, which config.json says "
        f"it is; received: {', '.join(names) or 'nothing'}; expected, for example: "
        f"{checkpoint.find(variables[0]).name}",
        hint="The weights do not belong to the config.json beside them.",
    )


def _wrong_layers(
    files: EncoderFiles, variables: Iterable[Variable]
) -> tuple[list[str], set[frozenset[int]]]:
    """Problems for layers that stand in the checkpoint or in config.json alone; the latter too.

    Of layers that are not used only those are looked for that config.json does not have.
    """
    counted = "groups" if files.whole_sizes.groups else "layers"
    checkpoint, key = files.checkpoint, files.family.size_keys[counted]
    expected: int = getattr(files.whole_sizes, counted)
    said = f"expected layers 0 to {expected - 1}, as {key} of config.json says"
    wanted, found = set(), set()
    for variable in variables:
        if len(variable.layers) == 1:
            wanted.add(variable.layers)
            name, tensor, _ = checkpoint.find(variable)
            # A norm above the last layer is there whichever that is.
            if tensor is not None and checkpoint.layer_of(name) is not None:
                found.add(variable.layers)
    absent = wanted - found
    numbers = sorted(layer for layers in absent for layer in layers)
    problems = [
        f"{checkpoint.path}: holds encoder layer {layer}; {said}"
        for layer in sorted(checkpoint.layers)
        if layer >= expected
    ]
    if numbers:
        listed = f"{numbers[0]}" if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"
        problems.append(f"{checkpoint.path}: holds no encoder layer {listed}; {said}")
    return problems, absent
