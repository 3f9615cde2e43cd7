"""The folder of a search: a run's folder with a journal and a folder for each trial."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.config.saving import write_config
from tf_finetune.config.seal import load_written_config
from tf_finetune.errors import UserError
from tf_finetune.runs.directory import LEFT_BEHIND, OWN_NAMES, empty_folder
from tf_finetune.searches.running.records import TrialJournal
from tf_finetune.searches.running.trial_request import TrialRequest
from tf_finetune.storage.manifests import MANIFEST
from tf_finetune.storage.run_directory import JOURNAL, RunDirectory

INTERRUPTED = "interrupted"  # in search.json
_OWN_NAMES = OWN_NAMES | {
    *(JOURNAL, f".{JOURNAL}.lock"),
    *("trials", "workers", "chosen.yaml", "search.json", "learning_curve"),
}


class FinishedSearch(UserError):
    """The very search that is asked for has come to its end before.

    Args:
        path: Its folder.
    """

    def __init__(self, path: Path):
        self.path = path
        super().__init__(
            f"run.dir: {path} holds a finished search",
            hint="Go on with more cells or seeds by changing search.…, replace it with "
            "run.overwrite=true, or choose another run.dir.",
        )


@dataclass(frozen=True)
class SearchDirectory(RunDirectory):
    """Paths of one search; those of the chosen model's run are `RunDirectory`'s."""

    @property
    def journal(self) -> Path:
        """The record of all trials."""
        return self.path / JOURNAL

    @property
    def trials(self) -> Path:
        """A folder for each trial."""
        return self.path / "trials"

    @property
    def workers(self) -> Path:
        """What parallel workers printed."""
        return self.path / "workers"

    @property
    def learning_curve(self) -> Path:
        """A folder for each part of the training examples: a journal and its trials."""
        return self.path / "learning_curve"

    @property
    def chosen(self) -> Path:
        """The configuration of the chosen cell, for `train`."""
        return self.path / "chosen.yaml"

    @property
    def outcome(self) -> Path:
        """Every number of the search."""
        return self.path / "search.json"

    @property
    def is_interrupted(self) -> bool:
        """Whether the search that wrote its report here was ended before its last trial."""
        try:
            content = json.loads(self.outcome.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return isinstance(content, dict) and content.get(INTERRUPTED) is True

    def trial(self, request: TrialRequest, full_epochs: int) -> Path:
        """The folder of a trial: events, checkpoints and validation outputs."""
        return self.trials / request.folder_name(full_epochs)


def search_path(config: ExperimentConfig) -> Path:
    """`run.dir`, or runs/DATA-search."""
    if config.run.dir is not None:
        return Path(config.run.dir).expanduser()
    source = (config.data.train or "run").rstrip("/")
    stem = Path(source.split(":")[-1]).name.split(".")[0]
    return Path("runs") / (re.sub(r"[^\w-]+", "-", stem) + "-search")


def check_search_folder(path: Path, *, overwrite: bool) -> None:
    """Checks before any work is done whether a search may write to a folder.

    Raises:
        UserError: It holds files that no search wrote, or is a file.
    """
    if path.exists() and not path.is_dir():
        raise UserError(f"run.dir: {path} is a file; accepted: a folder, or a new name")
    names = sorted(entry.name for entry in path.iterdir()) if path.is_dir() else []
    foreign = [n for n in names if n not in _OWN_NAMES and not LEFT_BEHIND.match(n)]
    if foreign:
        raise UserError(
            f"run.dir: {path} holds files that no search wrote ({', '.join(foreign[:5])})",
            hint="Choose another run.dir.",
        )
    if names and not overwrite and JOURNAL not in names and "model" in names:
        raise UserError(
            f"run.dir: {path} holds a run of `train`",
            hint="Choose another run.dir, or replace it with run.overwrite=true.",
        )


def prepare_search(
    path: Path, config: ExperimentConfig, identity: Mapping[str, Any]
) -> tuple[SearchDirectory, ExperimentConfig, TrialJournal]:
    """Makes the folder of a search and writes its configuration; call it with the lock held.

    A folder with a search of the same data, encoder and training options is taken as it is
    and the search goes on; a finished one too if its `search` section has changed, such as
    by more seeds.

    Args:
        path: From `search_path`.
        config: The resolved configuration.
        identity: What the trials belong to.

    Returns:
        The directory, the configuration with `run.dir` filled in, and the journal.

    Raises:
        UserError: As `check_search_folder`, or the journal belongs to another search.
        FinishedSearch: The same search is already finished.
    """
    check_search_folder(path, overwrite=config.run.overwrite)
    directory = SearchDirectory(path)
    if config.run.overwrite:
        empty_folder(path)
    run = config.run.model_copy(update={"dir": str(path), "overwrite": False})
    config = config.model_copy(update={"run": run})
    try:
        directory.trials.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"run.dir: {path} cannot be made: {error.strerror}") from None
    journal = TrialJournal(directory.journal, directory.trials, identity)
    if directory.is_finished:
        same = load_written_config(directory.config).search == config.search
        if same and not directory.is_interrupted:
            raise FinishedSearch(path)
        (path / MANIFEST).unlink(missing_ok=True)  # of files that are about to change
        directory.metrics.unlink()
    write_config(config, directory.config)
    return directory, config, journal
