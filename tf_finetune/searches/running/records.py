"""What the journal keeps of a trial, and its validation or out-of-fold outputs beside it."""

import hashlib
import io
import math
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tf_finetune.results.trial import OutOfFold, Predictions, TrialResult
from tf_finetune.searches.running.journal import Journal
from tf_finetune.searches.running.trial_request import TrialRequest
from tf_finetune.storage.files import file_sha256, write_atomically

History = tuple[Mapping[str, float | None], ...]
Stage = Literal["first", "explore", "complete", "widen", "repeat", "race"]
WEIGHTS = "weights.safetensors"  # in the folder of a trial, with `search.ensemble`


@dataclass(frozen=True)
class TrialRecord:
    """A trial that ended.

    Attributes:
        request: What was asked.
        stage: Why: "first" (of the first answer), "explore" (the oracle wanted it), "complete"
            (best of its depth, all epochs), "widen" (beyond an edge), "repeat" (another seed) or
            "race" (see `why`).
        result: What came of it.
        wall_seconds: From its beginning to its end, all of it, over all processes that
            worked on it as far as they could tell.
        history: One entry an epoch: loss, `val_` scores, seconds, examples_per_second. With
            folds, means over their trainings.
        folder: Its folder under `trials/`.
        predictions_sha256: Of its `validation.npz`; None if it failed.
        fold_histories: With folds, those of each fold's training.
        weights_sha256: Of the weights that it kept, see `trial_weights`; None if it kept none.
            They may be gone since.
        why: What a race ran it for, in a few words; empty where the stage says it.
        chance_right: The probability, when a race asked for it, that the likeliest answer so far
            was right; None where nothing could be compared yet, and without a race.
    """

    request: TrialRequest
    stage: Stage
    result: TrialResult
    wall_seconds: float
    history: History
    folder: str
    predictions_sha256: str | None = None
    fold_histories: tuple[History, ...] = ()
    weights_sha256: str | None = None
    why: str = ""
    chance_right: float | None = None

    @property
    def histories(self) -> tuple[History, ...]:
        """Of each training."""
        return self.fold_histories or (self.history,)

    @property
    def is_completed(self) -> bool:
        """Whether it ended in a score."""
        return self.result.status == "completed"

    def is_whole(self, epochs: int) -> bool:
        """Whether it trained for all `epochs` that a trial of the search has."""
        return self.is_completed and self.request.epochs == epochs and not self.result.given_up

    def to_dict(self) -> dict[str, Any]:
        """As strict JSON, without the predictions."""
        return {
            "request": self.request.to_dict(),
            "stage": self.stage,
            "result": self.result.to_dict(),
            "wall_seconds": self.wall_seconds,
            "history": [dict(entry) for entry in self.history],
            "folder": self.folder,
            "predictions_sha256": self.predictions_sha256,
            "fold_histories": [list(map(dict, history)) for history in self.fold_histories],
            "weights_sha256": self.weights_sha256,
            "why": self.why,
            "chance_right": self.chance_right,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any], trials: Path) -> "TrialRecord":
        """The record that `to_dict` wrote; its result loads its predictions when needed.

        Args:
            value: What stands in the journal.
            trials: The folder `trials/` of the search.

        Raises:
            ValueError: `value` is no such record, or the predictions are missing or damaged.
        """
        try:
            folder = trial_folder_name(value)
            path = trials / folder / "validation.npz"
            digest = value["predictions_sha256"]
            if digest is not None and (not path.is_file() or file_sha256(path) != digest):
                raise ValueError(f"{path} is missing or damaged")
            loaders = (lambda: load_predictions(path), lambda: load_out_of_fold(path))
            return cls(
                request=TrialRequest.from_dict(value["request"]),
                stage=value["stage"],
                result=TrialResult.from_dict(
                    value["result"], *(loaders if digest is not None else ())
                ),
                wall_seconds=value["wall_seconds"],
                history=tuple(value["history"]),
                folder=folder,
                predictions_sha256=digest,
                # Journals of earlier versions have none of these.
                fold_histories=tuple(map(tuple, value.get("fold_histories", ()))),
                weights_sha256=value.get("weights_sha256"),
                why=value.get("why", ""),
                chance_right=value.get("chance_right"),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a record of a trial: {error}") from error


def finite_history(history: Iterable[Mapping[str, float]]) -> History:
    """What JSON can hold of a history: what is no number is null."""
    return tuple(
        {name: value if math.isfinite(value) else None for name, value in entry.items()}
        for entry in history
    )


def trial_folder_name(record: Mapping[str, Any]) -> str:
    """The folder under `trials/` that a record of the journal names.

    Raises:
        ValueError: It names none, or a place outside `trials/`.
    """
    folder = record.get("folder")
    if not isinstance(folder, str) or Path(folder).name != folder or folder in ("", ".."):
        raise ValueError(f"{folder!r} is no name of a folder under trials")
    return folder


def write_predictions(
    path: Path, predictions: Predictions, out_of_fold: OutOfFold | None = None
) -> str:
    """Writes targets and logits as npz, whose parts have checksums; returns its SHA-256.

    The folder may be new: a trial that takes no steps leaves neither checkpoints nor, without
    TensorBoard, anything else.
    """
    arrays: dict[str, Any] = {"targets": predictions.targets, "logits": predictions.logits}
    if out_of_fold is not None:
        targets, logits = out_of_fold.predictions
        arrays |= {"out_of_fold_targets": targets, "out_of_fold_logits": logits}
        arrays["folds"] = np.array(out_of_fold.folds)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    content = buffer.getvalue()
    path.parent.mkdir(exist_ok=True)
    write_atomically(path, content)
    return hashlib.sha256(content).hexdigest()


def load_predictions(path: Path) -> Predictions:
    """Reads what `write_predictions` wrote.

    Raises:
        ValueError: The file is damaged.
    """
    with _opened(path) as file:
        return Predictions(file["targets"], file["logits"])


def load_out_of_fold(path: Path) -> OutOfFold | None:
    """Reads what `write_predictions` wrote of training examples; None if that was nothing.

    Raises:
        ValueError: The file is damaged.
    """
    with _opened(path) as file:
        if "folds" not in file:
            return None
        answered = Predictions(file["out_of_fold_targets"], file["out_of_fold_logits"])
        return OutOfFold(answered, int(file["folds"]))


@contextmanager
def _opened(path: Path) -> Iterator[Mapping[str, np.ndarray]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            yield file
    except (OSError, ValueError, MemoryError, zipfile.BadZipFile, KeyError) as error:
        raise ValueError(f"{path} is missing or damaged: {error}") from error


class TrialJournal:
    """The trials of a search that ended, kept in a `Journal`.

    Args:
        path: `journal.jsonl`.
        trials: The folder `trials/`.
        identity: What the search belongs to.

    Attributes:
        records: The last record of each request, by the request's key, in the order in which
            they were first made.
    """

    def __init__(self, path: Path, trials: Path, identity: Mapping[str, Any]):
        self._journal = Journal(path, identity)
        self._trials = trials
        self._read = 0
        self._damaged: list[str] = []
        self.records: dict[str, TrialRecord] = {}
        self._take_new()

    @property
    def notices(self) -> list[str]:
        """A line for each record that could not be used."""
        return self._journal.notices + self._damaged

    def append(self, record: TrialRecord) -> None:
        """Adds a record and waits until the disk has it."""
        self._journal.append(record.to_dict())
        self._take_new()

    def refresh(self) -> None:
        """Takes what other processes have added."""
        self._journal.refresh()
        self._take_new()

    def known_to_all(self) -> list[TrialRecord]:
        """The records of all processes."""
        self.refresh()
        return list(self.records.values())

    def _take_new(self) -> None:
        new, self._read = self._journal.records[self._read :], len(self._journal.records)
        for value in new:
            try:
                record = TrialRecord.from_dict(value, self._trials)
            except ValueError as error:
                self._damaged.append(f"{self._journal.path}: {error}: its trial is run again")
            else:
                self.records[record.request.key] = record
