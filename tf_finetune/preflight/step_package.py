"""Writes training steps so that a machine with nothing but jax and numpy can execute them."""

import json
import lzma
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from tf_finetune.machine.environment import installed_version
from tf_finetune.preflight import device
from tf_finetune.preflight.device import start
from tf_finetune.preflight.device.arrays import ArrayStore
from tf_finetune.preflight.device.comparison import compared_values, root_mean_square
from tf_finetune.preflight.environment import Compiler
from tf_finetune.preflight.program import portable_program
from tf_finetune.preflight.real_step import RealStep

# Of what a device computes against what TensorFlow does, see `device.comparison`.
TOLERANCES = {"float32": 1e-4, "mixed_bfloat16": 3e-2, "mixed_float16": 3e-3}
RUN_FILE = "run.py"


@dataclass(frozen=True)
class StepOf:
    """What a packed step is about.

    Attributes:
        name: Of its files.
        encoder: What the table calls the encoder.
        depth: Frozen depth.
        batch_size: Examples.
        length: Tokens of a row, padding included.
        precision: `training.precision`.
        cached: Whether it reads states of the frozen layers.
        flops: Floating-point operations of its matrix products, padding included.
    """

    name: str
    encoder: str
    depth: int
    batch_size: int
    length: int
    precision: str
    cached: bool
    flops: float


class StepPackage:
    """A folder that holds steps, all that they take, and what executes them.

    Args:
        folder: Where; replaced.
        compiler: Whose environment turns HLO into StableHLO.
        compared: How many values of every updated array are held against TensorFlow's; None: all.
    """

    def __init__(self, folder: Path, compiler: Compiler, compared: int | None = None):
        shutil.rmtree(folder, ignore_errors=True)
        self.folder = folder
        self.arrays = ArrayStore(folder / "arrays")
        self._compiler = compiler
        self._compared = compared
        self._steps = folder / "steps"
        self._steps.mkdir(parents=True)

    def add(self, what: StepOf, step: RealStep) -> None:
        """Packs a step.

        Raises:
            NoAnswerError: Its program could not be converted.
        """
        program = portable_program(step.module, self._compiler, exact_products=True)
        path = self._steps / what.name
        path.with_suffix(".stablehlo.xz").write_bytes(lzma.compress(program.stablehlo))
        values = {
            f"output_{number}": compared_values(value, number, self._compared)
            for number, value in enumerate(step.updated)
        }
        np.savez_compressed(path.with_suffix(".npz"), **values)  # type: ignore[arg-type]
        meta = {
            **asdict(what),
            "inputs": [self.arrays.put(value) for value in step.inputs],
            "of_batch": step.of_batch,
            "results": step.results,
            "result_dtypes": step.result_dtypes,
            "replaced": step.replaced,
            "expected": {
                "scalars": step.expected,
                "groups": step.groups,
                "root_mean_squares": [root_mean_square(value) for value in step.updated],
                "compared": self._compared,
            },
            "tolerance": TOLERANCES[what.precision],
        }
        path.with_suffix(".json").write_text(json.dumps(meta), encoding="utf-8")

    def finish(self, order: Sequence[str], weights: Mapping[str, str], minutes: float = 0) -> None:
        """Adds what executes the steps.

        Args:
            order: Names of the steps, the most telling first.
            weights: What the values of each encoder are, for the table.
            minutes: What may be used for all of it; 0: as long as it takes.
        """
        package = {
            "steps": list(order),
            "weights": dict(weights),
            "minutes": minutes,
            "made_on": f"TensorFlow {installed_version('tensorflow')} on a CPU",
        }
        (self.folder / "package.json").write_text(json.dumps(package), encoding="utf-8")
        shutil.copy(start.__file__, self.folder / RUN_FILE)
        source = Path(device.__file__).parent
        place = self.folder.joinpath(*device.__name__.split("."))
        place.mkdir(parents=True)
        for parent in (place.parent, place.parent.parent):
            (parent / "__init__.py").touch()
        for path in sorted(source.glob("*.py")):
            shutil.copy(path, place / path.name)

    @property
    def bytes(self) -> int:
        """Size of all files."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())
