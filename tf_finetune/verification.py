"""Holds every file of a run or a search against the checksums that were written with it."""

from dataclasses import dataclass, field
from pathlib import Path

from tf_finetune.config.seal import check_seal
from tf_finetune.errors import UserError
from tf_finetune.searches.running.journal import checked_records
from tf_finetune.searches.running.records import WEIGHTS, trial_folder_name
from tf_finetune.storage.manifests import MANIFEST, damaged_files, is_whole, read_manifest
from tf_finetune.storage.run_directory import RunDirectory

# Folders that have a manifest of their own.
_LISTED = (
    *("model", "ensemble", "export/*", "evaluations"),
    *(f"{of}/**/{name}" for of in ("checkpoints", "trials") for name in ("step-*", "finished")),
)


@dataclass
class Verification:
    """What was found.

    Attributes:
        files: How many files were held against a checksum.
        problems: A line for each that is missing or not as it was written, with its path.
    """

    files: int = 0
    problems: list[str] = field(default_factory=list)


def verify_run(path: Path) -> Verification:
    """Checks configuration, results, model, exports, checkpoints and journal of a run.

    Args:
        path: The folder of a run or a search, finished or not.

    Raises:
        UserError: There is no such folder, or no run in it.
    """
    run = RunDirectory(path)
    if not run.config.is_file():
        raise UserError(f"{path}: no run here; accepted: a folder that `train` or `search` wrote")
    found = Verification()
    for name in ("config.yaml", "chosen.yaml"):
        if (path / name).is_file():
            _add(found, 1, [line for line in [check_seal(path / name)] if line])
    # Before its end a run has no list of its own; nor has an unfinished one a model.
    if run.is_finished and not (path / MANIFEST).is_file():
        found.problems.append(f"{path / MANIFEST}: missing")
    folders = [path, *(folder for pattern in _LISTED for folder in sorted(path.glob(pattern)))]
    for folder in folders:
        if (folder / MANIFEST).is_file():
            _check_folder(found, folder)
        elif folder.is_dir() and folder != path:
            found.problems.append(f"{folder / MANIFEST}: missing")
    if (path / "journal.jsonl").is_file():
        _check_journal(found, path)
    return found


def _check_folder(found: Verification, folder: Path) -> None:
    try:
        files = len(read_manifest(folder))
    except ValueError:
        files = 0
    _add(found, files + 1, damaged_files(folder))


def _check_journal(found: Verification, path: Path) -> None:
    journal = path / "journal.jsonl"
    records, damaged = checked_records(journal)
    _add(found, 1, [f"{journal}:{line}: damaged" for line in damaged])
    for record in records:
        digest = record.get("predictions_sha256")
        if digest is None:
            continue
        try:
            folder = path / "trials" / trial_folder_name(record)
        except ValueError as error:
            found.problems.append(f"{journal}: {error}")
            continue
        _check_file(found, folder / "validation.npz", digest)
        weights, digest = folder / WEIGHTS, record.get("weights_sha256")
        # A search removes those that it has no use for, and trains anew what it lacks.
        if digest is not None and weights.exists():
            _check_file(found, weights, digest)


def _check_file(found: Verification, file: Path, digest: str) -> None:
    _add(found, 1, [] if is_whole(file, digest) else [f"{file}: missing or damaged"])


def _add(found: Verification, files: int, problems: list[str]) -> None:
    found.files += files
    found.problems += problems
