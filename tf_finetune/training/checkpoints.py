"""Checkpoints of a running fit: what trains and the optimiser's state, nothing frozen.

A checkpoint is a folder that appears by one rename. It holds a TensorFlow checkpoint, the
best weights so far where early stopping wants them, a `state.json`, and a manifest with the
SHA-256 of each. A damaged one is noticed and the one before it is used.
"""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from safetensors.numpy import load_file, save_file

from tf_finetune.errors import UserError
from tf_finetune.storage.files import replaced_folder, write_atomically
from tf_finetune.storage.manifests import MANIFEST, damaged_files, write_manifest
from tf_finetune.training.fine_tuner import FineTuner

_KEPT = 2
_BEST = "best.safetensors"


@dataclass(frozen=True)
class Restored:
    """What stands in a checkpoint beside the variables, which are already assigned.

    Attributes:
        state: What was given to `save`.
        best_values: Variables by path of the best epoch so far.
    """

    state: dict[str, Any]
    best_values: dict[str, np.ndarray]


class RunCheckpoints:
    """Saves and restores the state of one run.

    Args:
        folder: `checkpoints/` of the run directory.
        model: The compiled model, its optimiser built.
        identity: What the state belongs to (hash of encoder, plan, data and options); a
            checkpoint of anything else is refused.
    """

    def __init__(self, folder: Path, model: FineTuner, identity: str):
        self._folder = folder
        self._identity = identity
        self.follow(model)

    def follow(self, model: FineTuner) -> None:
        """Saves and restores the variables of another model, of the same run, from now on."""
        # By number and not by object: an optimiser also tracks the variables it updates.
        trained = {f"trained_{i}": v for i, v in enumerate(model.classifier.trainable_weights)}
        slots = {f"slot_{i}": v for i, v in enumerate(model.optimizer_state.variables)}
        variables = trained | slots
        self._checkpoint = tf.train.Checkpoint(**variables)
        self._bytes = sum(v.shape.num_elements() * v.dtype.size for v in variables.values())
        # The host of a TPU over the network would write to its own disk. Of several processes
        # none is called localhost.
        on_tpu = isinstance(model.strategy, tf.distribute.TPUStrategy)
        self._options = tf.train.CheckpointOptions(
            experimental_io_device="/job:localhost" if on_tpu else None
        )

    def save(self, state: dict[str, Any], best_values: Mapping[str, np.ndarray]) -> Path:
        """Writes a checkpoint named after `state["step"]`; of those before it one is kept.

        One of a later step was passed over as damaged, or this run would not be here again.

        Raises:
            DiskFullError: There is no room for it; those before it stay.
        """
        final = self._folder / f"step-{state['step']:09d}"
        needed = self._bytes + sum(value.nbytes for value in best_values.values())
        with replaced_folder(final, needed) as temporary:
            self._checkpoint.write(str(temporary / "variables"), options=self._options)
            if best_values:
                # A transposed view would be written in the wrong order.
                whole = {path: np.ascontiguousarray(value) for path, value in best_values.items()}
                save_file(whole, temporary / _BEST)
            write_state(temporary, self._identity, state)
        saved = self.saved()
        before, after = saved[: saved.index(final)], saved[saved.index(final) + 1 :]
        for old in [*before[: 1 - _KEPT], *after]:
            shutil.rmtree(old)
        return final

    def saved(self) -> list[Path]:
        """Complete checkpoints, oldest first."""
        return sorted(self._folder.glob("step-*"))

    def restore_latest(
        self, model_at: Callable[[int], FineTuner] | None = None
    ) -> tuple[Restored | None, list[str]]:
        """Assigns the variables of the newest checkpoint that is whole.

        Args:
            model_at: Gives the model that made a step, by the number of steps with it, where a run
                has several.

        Returns:
            What else it holds, or None when there is none; and a line for each damaged one.

        Raises:
            UserError: A checkpoint belongs to another encoder, plan, data set or options.
        """
        for left in self._folder.glob(".step-*"):
            shutil.rmtree(left)  # what a process that was killed had begun to write
        damaged = []
        for path in reversed(self.saved()):
            try:
                state = read_state(path, self._identity)
            except ValueError as error:
                damaged.append(f"{error}: using the checkpoint before it")
                continue
            if model_at is not None:
                self.follow(model_at(state["step"]))
            restored = self._checkpoint.read(str(path / "variables"), options=self._options)
            restored.assert_consumed()
            best = load_file(path / _BEST) if (path / _BEST).is_file() else {}
            return Restored(state, best), damaged
        return None, damaged


def write_state(folder: Path, identity: str, state: dict[str, Any]) -> None:
    """Writes `state.json`, and the manifest of all that is in the folder."""
    content = {"identity": identity, "state": state}
    write_atomically(folder / "state.json", json.dumps(content, indent=1))
    write_manifest(folder)


def read_state(path: Path, identity: str) -> dict[str, Any]:
    """The state that `write_state` wrote, after checking the folder's files.

    Raises:
        ValueError: Files are missing or damaged; names them.
        UserError: It belongs to something else.
    """
    if not (path / MANIFEST).is_file():
        raise ValueError(f"{path / MANIFEST}: missing")
    problems = damaged_files(path)
    if problems:
        raise ValueError("; ".join(problems))
    content = json.loads((path / "state.json").read_text(encoding="utf-8"))
    if content["identity"] != identity:
        raise UserError(
            f"{path} belongs to another job (encoder, freeze plan, data or training options "
            "differ)",
            hint="Choose another run.dir, or replace this run with run.overwrite=true.",
        )
    return dict(content["state"])
