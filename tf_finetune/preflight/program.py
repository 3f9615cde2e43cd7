"""A lowered step in the form in which it is compiled for a TPU and carried to other machines."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from tf_finetune.errors import UserError
from tf_finetune.preflight import stablehlo_process
from tf_finetune.preflight.environment import Compiler, last_lines


class NoAnswerError(UserError):
    """A step cannot be asked about, or the compiler gave no answer; others may be answered."""


@dataclass(frozen=True)
class Program:
    """A whole step as a portable StableHLO module, large constants included.

    Attributes:
        stablehlo: The module; later versions of jax read it too.
        digest: Equal for equal programs, whatever their operations are called.
    """

    stablehlo: bytes
    digest: str


def portable_program(module: bytes, compiler: Compiler, *, exact_products: bool = False) -> Program:
    """Turns a serialised HLO module into a program.

    Args:
        module: As TensorFlow gives it.
        compiler: Whose environment does it.
        exact_products: Whether no device may round what goes into products of float32.

    Raises:
        NoAnswerError: It has no such form.
    """
    with tempfile.TemporaryDirectory(prefix="tf_finetune_preflight_") as scratch:
        given, made = Path(scratch) / "step.hlo.pb", Path(scratch) / "step.stablehlo"
        given.write_bytes(module)
        done = compiler.run(
            stablehlo_process.__file__, given, made, *(["float32"] if exact_products else [])
        )
        if done.returncode:
            raise NoAnswerError(
                f"preflight: the training step has no StableHLO form:\n{last_lines(done)}"
            )
        return Program(made.read_bytes(), done.stdout.strip())
