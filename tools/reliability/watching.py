"""What a forked run tells its parent: how far it is, whether it saves, what it saved.

The numbers are in memory that both share, so that they stand when the run is killed.
"""

import ctypes
import hashlib
import mmap
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

_NOTHING = -1


class Watched(ctypes.Structure):
    """Numbers of the fits of one process; made by `shared`.

    Attributes:
        job: Which fit it is at, a number made of its folder's name; -1 before any.
        step: The last step that it finished.
        saved: The last step whose save came to its end.
        begun: Saves that were begun.
        ended: Saves that came to their end.
        first_job: Which fit was its first.
        resumed: The step that its first fit went on from.
    """

    _fields_ = [
        (name, ctypes.c_int64)
        for name in ("job", "step", "saved", "begun", "ended", "first_job", "resumed")
    ]

    @classmethod
    def shared(cls) -> "Watched":
        """Numbers that processes forked from this one share with it."""
        watched = cls.from_buffer(mmap.mmap(-1, ctypes.sizeof(cls)))
        watched.clear()
        return watched

    def clear(self) -> None:
        """As before a start."""
        self.job = self.step = self.saved = self.first_job = self.resumed = _NOTHING
        self.begun = self.ended = 0

    @property
    def is_saving(self) -> bool:
        """Whether a save has begun and not ended."""
        return bool(self.begun > self.ended)

    def install(self, digests: Path | None = None) -> Callable[[], None]:
        """Gives a function that makes the process in which it is called report here.

        Args:
            digests: Gets a line a save: the job, the step, and the SHA-256 of all variables that
                train and of the optimiser's; None keeps none.
        """

        def install() -> None:
            from tf_finetune.training.checkpoint_callback import SaveCheckpoints
            from tf_finetune.training.checkpoints import RunCheckpoints

            _wrap_save(RunCheckpoints, self, digests)
            _wrap_steps(SaveCheckpoints, self)

        return install


def job_number(folder: str) -> int:
    """The number of the fit in a folder of this name."""
    return zlib.crc32(folder.encode())


def read_digests(path: Path) -> set[tuple[str, ...]]:
    """The whole lines of a file of digests, each job, step and SHA-256."""
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    return {tuple(line.split()) for line in lines}


def _wrap_save(checkpoints: Any, watched: Watched, digests: Path | None) -> None:
    initialize, save = checkpoints.__init__, checkpoints.save

    def new_init(self: Any, folder: Path, model: Any, identity: str) -> None:
        initialize(self, folder, model, identity)
        self.watched_model = model

    def new_save(self: Any, state: dict[str, Any], best_values: Any) -> Path:
        watched.begun += 1
        path: Path = save(self, state, best_values)
        watched.saved = state["step"]
        watched.ended += 1
        if digests is not None:
            with digests.open("a", encoding="utf-8") as file:
                name, digest = path.parent.parent.name, _digest(self.watched_model)
                file.write(f"{name} {state['step']} {digest}\n")
        return path

    checkpoints.__init__, checkpoints.save = new_init, new_save


def _digest(model: Any) -> str:
    digest = hashlib.sha256()
    for variable in [*model.classifier.trainable_weights, *model.optimizer_state.variables]:
        digest.update(variable.numpy().tobytes())
    return digest.hexdigest()


def _wrap_steps(callback: Any, watched: Watched) -> None:
    resume, on_step = callback.resume, callback.on_train_batch_end

    def new_resume(self: Any, *arguments: Any) -> int:
        step: int = resume(self, *arguments)
        job = job_number(self._checkpoints._folder.parent.name)
        if watched.first_job == _NOTHING:
            watched.first_job, watched.resumed = job, step
        watched.job, watched.step, watched.saved = job, step, step
        return step

    def new_on_step(self: Any, batch: int, logs: Any = None) -> None:
        # The original counts the step and then may save it.
        watched.step = self.step + 1
        on_step(self, batch, logs)

    callback.resume, callback.on_train_batch_end = new_resume, new_on_step
