"""What a run does when a training step does not fit the memory."""

from typing import Literal

from tf_finetune.errors import RunFailedError
from tf_finetune.training.fine_tuner import FineTuner


class OutOfMemoryError(RunFailedError):
    """The memory is too small for a run, however it is cut."""


def cut_smaller(
    model: FineTuner, action: Literal["stop", "accumulate"], piece_rows: int, problem: str
) -> str:
    """Halves the micro-batches of a model whose step ran out of memory.

    The global batch stays, and so does what a step computes.

    Args:
        model: Its steps are traced again.
        action: `training.on_out_of_memory`.
        piece_rows: Rows of a micro-batch until now.
        problem: What did not fit.

    Returns:
        A line about it.

    Raises:
        OutOfMemoryError: It is forbidden, or no batch can be cut further.
    """
    if action == "stop":
        raise OutOfMemoryError(
            f"{problem} in micro-batches of {piece_rows} row(s)",
            hint="Raise training.accumulation_steps, set training.on_out_of_memory=accumulate, "
            "lower training.batch_size or data.max_length, or freeze more layers.",
        )
    if piece_rows == 1:
        raise OutOfMemoryError(
            f"{problem} although each row is computed by itself",
            hint="Lower data.max_length, freeze more layers, or take a smaller encoder.",
        )
    before = model.micro_batches
    model.cut_batches(2 * before)
    return (
        f"{problem}; on from the last checkpoint with {2 * before} micro-batches a step instead of "
        f"{before}: the same batches, and the same result but for rounding"
    )
