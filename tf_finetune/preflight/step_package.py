"""Writes a training step so that a machine with nothing but jax and numpy can execute it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tf_finetune.preflight.environment import Compiler
from tf_finetune.preflight.program import portable_program
from tf_finetune.preflight.real_step import RealStep

# Of what a device computes against what TensorFlow does: shares of the scalars, and differences
# of what was updated.
TOLERANCES = {"float32": 1e-4, "mixed_bfloat16": 3e-2, "mixed_float16": 3e-3}


@dataclass(frozen=True)
class StepOf:
    """What a packed step is about.

    Attributes:
        name: Of its folder and of its row in the table.
        depth: Frozen depth.
        batch_size: Examples.
        length: Tokens of a row.
        precision: `training.precision`.
        cached: Whether it reads states of the frozen layers.
        flops: Floating-point operations of its matrix products.
    """

    name: str
    depth: int
    batch_size: int
    length: int
    precision: str
    cached: bool
    flops: float


def write_package(folder: Path, what: StepOf, step: RealStep, compiler: Compiler) -> Path:
    """Writes a step into a folder of its own; gives that.

    Arguments that are one value throughout, as an optimiser's first slots are, take no room.

    Args:
        folder: Where all steps are.
        what: What it is.
        step: The step.
        compiler: Whose environment turns HLO into StableHLO.

    Raises:
        NoAnswerError: The program could not be converted.
    """
    place = folder / what.name
    place.mkdir(parents=True)
    described, stored = _described(step)
    np.savez(place / "inputs.npz", **stored)  # type: ignore[arg-type]
    expected = {f"output_{n}": value for n, value in enumerate(step.updated)}
    np.savez(place / "expected.npz", **expected)  # type: ignore[arg-type]
    program = portable_program(step.module, compiler)
    (place / "step.stablehlo").write_bytes(program.stablehlo)
    meta = {
        **what.__dict__,
        "inputs": described,
        "results": step.results,
        "result_dtypes": step.result_dtypes,
        "replaced": step.replaced,
        "expected": step.expected,
        "tolerance": TOLERANCES[what.precision],
    }
    (place / "step.json").write_text(json.dumps(meta), encoding="utf-8")
    return place


def _described(step: RealStep) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    described, stored = [], {}
    for place, value in enumerate(step.inputs):
        entry: dict[str, Any] = {"shape": value.shape, "dtype": value.dtype.name}
        if value.size and (value == value.flat[0]).all():
            entry["value"] = value.flat[0].item()
        else:
            stored[f"input_{place}"] = value
        described.append(entry)
    return described, stored
