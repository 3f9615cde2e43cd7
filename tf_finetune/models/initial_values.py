"""The values that the variables have before fine-tuning, read tensor by tensor."""

import math
import zlib
from collections.abc import Iterator, Sequence

import numpy as np

from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.encoders.variables import Variable
from tf_finetune.errors import UserError
from tf_finetune.models.head_start import HeadStart
from tf_finetune.tasks.output_scale import OutputScale

_CONSTANTS = {"zeros": 0.0, "ones": 1.0}


def initial_values(
    files: EncoderFiles,
    variables: Sequence[Variable],
    seed: int,
    *,
    head: HeadStart | None = None,
    scale: OutputScale | None = None,
    anew: frozenset[str] = frozenset(),
    only: frozenset[str] | None = None,
) -> Iterator[tuple[str, np.ndarray]]:
    """Yields (path, value) in TensorFlow layout, float32, one variable in memory at a time.

    A variable that the checkpoint lacks or that is to begin anew, and each row of the head that is
    not kept, gets a new value that is a pure function of (seed, path), whatever else is kept.

    Args:
        files: The encoder; its checkpoint has been checked.
        variables: The model's variables.
        seed: Seed of the new values.
        head: Which rows of the checkpoint's head are kept; None: none.
        scale: By which the head's outputs are standardised; the kept one, whose outputs are in
            the targets' own units, is converted.
        anew: Paths of what is not taken from the checkpoint, though it has it.
        only: Paths to yield; None for all.

    Raises:
        UserError: A tensor holds NaN or infinity.
    """
    checkpoint = files.checkpoint
    with checkpoint.reading() as read:
        for variable in variables:
            if only is not None and variable.path not in only:
                continue
            if variable.part == "head":
                value = new_value(variable, files, seed)
                if head is not None and not head.is_new:
                    kept = read(variable)
                    _check_finite(kept, checkpoint.where(variable))
                    _keep_rows(value, kept, head.rows)
                    value = value if scale is None else scale.standardised(variable, value)
                yield variable.path, value
            elif variable.init == "lengths" and variable.beside is not None:
                yield variable.path, np.linalg.norm(read(variable.beside), axis=0)
            elif variable.path not in anew and checkpoint.has(variable):
                value = read(variable)
                _check_finite(value, checkpoint.where(variable))
                yield variable.path, value
            else:
                yield variable.path, new_value(variable, files, seed)


def _keep_rows(value: np.ndarray, kept: np.ndarray, rows: Sequence[int | None]) -> None:
    """Puts rows of a checkpoint's head, [..., rows], into new values, [..., outputs]."""
    for output, row in enumerate(rows):
        if row is not None:
            value[..., output] = kept[..., row]


def _check_finite(value: np.ndarray, what: str) -> None:
    # The sum is not finite if any value is not, and is all that a whole tensor costs; values that
    # are finite and sum to infinity are looked at one by one.
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(value.sum()):
            return
    bad = ~np.isfinite(value)
    if bad.any():
        first = tuple(int(place[0]) for place in np.nonzero(bad))
        raise UserError(
            f"{what}: {int(bad.sum()):,} of {value.size:,} values are no finite numbers; the first "
            f"is {value[first]} at {list(first)}; expected finite numbers",
            hint="The checkpoint comes from a training that failed, or is damaged.",
        )


def new_value(variable: Variable, files: EncoderFiles, seed: int) -> np.ndarray:
    """Initial value of a variable that is new, as its `begins_as` says.

    "normal" is cut at two deviations; the deviation is the encoder's `initializer_range`
    (Devlin et al. 2019: 0.02).
    """
    if variable.begins_as in _CONSTANTS:
        return np.full(variable.shape, _CONSTANTS[variable.begins_as], np.float32)
    path_number = zlib.crc32(variable.path.encode())
    generator = np.random.Generator(np.random.Philox(key=[seed, path_number]))
    if variable.begins_as == "uniform":
        bound = 1 / math.sqrt(variable.shape[0])
        return generator.uniform(-bound, bound, variable.shape).astype(np.float32)
    draws = generator.standard_normal(4 * variable.count)
    draws = draws[np.abs(draws) < 2][: variable.count]
    scale = float(files.config.get("initializer_range", 0.02))
    return (scale * draws.reshape(variable.shape)).astype(np.float32)
