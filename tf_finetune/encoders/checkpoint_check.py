"""Holds a checkpoint against the expected variables before it is loaded.

Only what says which tensors there are is read, so a wrong checkpoint is refused in
milliseconds with the tensors that do not fit.
"""

from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.errors import UserError

_MOST_SHOWN = 8


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
    problems = _surplus_layers(files)
    new: list[str] = []
    for variable in files.variables(num_labels):
        if variable.part == "head" and not head_required:
            new.append(variable.path)
            continue
        if checkpoint.has(variable):
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


def _surplus_layers(files: EncoderFiles) -> list[str]:
    """Problems for encoder layers that stand in the checkpoint but not in config.json."""
    counted = "groups" if files.sizes.groups else "layers"
    expected = getattr(files.sizes, counted)
    return [
        f"{files.checkpoint.path}: holds encoder layer {layer}; expected layers 0 to "
        f"{expected - 1}, as {files.family.size_keys[counted]} of config.json says"
        for layer in sorted(files.checkpoint.layers)
        if layer >= expected
    ]
