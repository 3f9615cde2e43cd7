"""What lies where in the folder of a run or a search."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tf_finetune.invocation import command_line
from tf_finetune.storage.files import write_json
from tf_finetune.storage.manifests import MANIFEST, write_manifest

JOURNAL = "journal.jsonl"  # a search keeps its trials in one
# In the manifest of a finished run; the others have seals or manifests of their own.
_LISTED = (
    *("plan.json", "precision.json", "history.json", "metrics.json", "evaluation.json"),
    *("report.html", "report.json", "search.json", f"ensemble/{MANIFEST}"),
)


@dataclass(frozen=True)
class RunDirectory:
    """Paths of one run.

    Attributes:
        path: The folder.
    """

    path: Path

    @property
    def config(self) -> Path:
        """The resolved configuration, loadable again."""
        return self.path / "config.yaml"

    @property
    def chosen(self) -> Path:
        """Of a search, the configuration that its model was trained with."""
        return self.path / "chosen.yaml"

    @property
    def plan(self) -> Path:
        """The freeze plan."""
        return self.path / "plan.json"

    @property
    def precision(self) -> Path:
        """What was measured where `training.precision` was auto."""
        return self.path / "precision.json"

    @property
    def events(self) -> Path:
        """TensorBoard events."""
        return self.path / "events"

    @property
    def checkpoints(self) -> Path:
        """State of a run that goes on; removed when the run is finished."""
        return self.path / "checkpoints"

    @property
    def history(self) -> Path:
        """One entry an epoch."""
        return self.path / "history.json"

    @property
    def metrics(self) -> Path:
        """Every metric with its interval; written last, so it marks a finished run."""
        return self.path / "metrics.json"

    @property
    def evaluation(self) -> Path:
        """Per-class scores, confusion matrix, baselines and mistakes."""
        return self.path / "evaluation.json"

    @property
    def report(self) -> Path:
        """The page that a person opens; `report.json` beside it has its numbers."""
        return self.path / "report.html"

    @property
    def model(self) -> Path:
        """The trained model, a Hugging Face folder."""
        return self.path / "model"

    @property
    def ensemble(self) -> Path:
        """The models of a search that answer together; a folder like `model` for each."""
        return self.path / "ensemble"

    @property
    def going_on(self) -> str:
        """The command that goes on with what is unfinished here: a training or a search."""
        verb = "search" if (self.path / JOURNAL).is_file() else "train"
        return f"{command_line(verb)} --config {shlex.quote(str(self.config))}"

    @property
    def is_run(self) -> bool:
        """Whether a training or a search has written here, and not only a configuration."""
        others = ("model", "checkpoints", "plan.json", JOURNAL)
        return self.config.is_file() and any((self.path / name).exists() for name in others)

    @property
    def is_finished(self) -> bool:
        """Whether a run has come to its end here."""
        return self.metrics.is_file()

    def write_manifest(self) -> None:
        """Writes the checksums of what a finished run holds beside its model and exports."""
        events = (path for path in self.events.rglob("*") if path.is_file())
        files = [*(self.path / name for name in _LISTED if (self.path / name).is_file()), *events]
        write_manifest(self.path, (path.relative_to(self.path).as_posix() for path in files))

    def write_json(self, path: Path, content: Any) -> None:
        """Writes one of the run's JSON files."""
        write_json(path, content)
