"""Opens a finished run and checks its model, before anything is imported that takes seconds."""

import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.config.seal import load_written_config
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.errors import UserError
from tf_finetune.plans.precision import with_precision
from tf_finetune.runs.model_folder import check_model_folder, read_labels
from tf_finetune.storage.manifests import MANIFEST, damaged_files, read_manifest
from tf_finetune.storage.run_directory import RunDirectory
from tf_finetune.tasks.labels import LabelSpace

if TYPE_CHECKING:
    from tf_finetune.runs.ensemble import Ensemble

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class OpenedRun:
    """A finished run and its model on disk, every file of it held against its checksum.

    Attributes:
        run: The run directory.
        config: The run's configuration with the options of the command.
        members: The model's folder; of an ensemble those of the models whose answers are
            averaged.
        labels: What the outputs mean, decided at the threshold of the options.
        manifest: The list of the model's files, whose digest names it.
    """

    run: RunDirectory
    config: ExperimentConfig
    members: tuple[EncoderFiles, ...]
    labels: LabelSpace
    manifest: Path

    @property
    def files(self) -> EncoderFiles:
        """The folder of the only or the first model."""
        return self.members[0]

    @property
    def description(self) -> str:
        """Such as "an ensemble of 3 models: seed-0, seed-1, seed-2"; "" of a single model."""
        if len(self.members) == 1:
            return ""
        names = ", ".join(files.path.name for files in self.members)
        return f"an ensemble of {len(self.members)} models: {names}"

    def load(self) -> "Ensemble":
        """Loads the model, or the models, on the devices that `training.strategy` names."""
        from tf_finetune.runs.ensemble import load_ensemble
        from tf_finetune.training.strategy import build_strategy

        chosen = build_strategy(self.config.training.strategy)
        return load_ensemble(self.members, self.labels, self.config, chosen)


def open_model(
    path: str,
    configure: Callable[[ExperimentConfig], ExperimentConfig] = lambda config: config,
    *,
    single: bool = False,
) -> OpenedRun:
    """Opens a finished run with what answers: its ensemble where it has one, or its model.

    Args:
        path: Folder of the run.
        configure: Applies the options of the command line.
        single: Whether the run's own model is wanted, as `search.ensemble=false` says, too.

    Raises:
        UserError: There is no run, it has not finished, a file of its model is missing or
            damaged, or the threshold does not go with the task.
    """
    run, saved = open_run(path)
    config = configure(saved)
    if config.training.precision == "auto":  # of a finished run: its own
        config = with_precision(config, saved.training.precision)
    folders, manifest = [run.model], run.model / MANIFEST
    if not single and config.search.ensemble and has_ensemble(run):
        folders, manifest = _members(run), run.ensemble / MANIFEST
    members = tuple(map(check_model_folder, folders))
    labels = read_labels(members[0].config, str(members[0].path / "config.json"))
    labels = labels.decided_at(config.evaluation.threshold)
    return OpenedRun(run, config, members, labels, manifest)


def open_run(path: str) -> tuple[RunDirectory, ExperimentConfig]:
    """Opens a finished run, to use its model in this process alone.

    Raises:
        UserError: There is no run, or it has not finished.
    """
    run = RunDirectory(Path(path).expanduser())
    if not run.config.is_file():
        above = next((p for p in run.path.parents if RunDirectory(p).is_run), None)
        nearest = "" if above is None else f"; nearest: {above}"
        raise UserError(f"{path}: no run here; accepted: a folder that `train` wrote{nearest}")
    if not run.is_finished:
        raise UserError(
            f"{path}: this run has not finished",
            hint=f"Go on with: {run.going_on}",
        )
    config = load_written_config(run.config)
    for line in damaged_files(run.path):  # what a command needs of these, it checks itself
        logger.warning("%s", line)
    if config.training.strategy == "multi_worker":
        training = config.training.model_copy(update={"strategy": "auto"})
        config = config.model_copy(update={"training": training})
    return run, config


def config_of_model(run: RunDirectory, config: ExperimentConfig) -> ExperimentConfig:
    """What a finished run's model was trained with.

    Args:
        run: The run, or a search, whose configuration leaves open what it has chosen.
        config: Its configuration.
    """
    return load_written_config(run.chosen) if run.chosen.is_file() else config


def has_ensemble(run: RunDirectory) -> bool:
    """Whether a run has written an ensemble, even if that is gone."""
    if run.ensemble.exists():
        return True
    with contextlib.suppress(FileNotFoundError, ValueError):
        name = (run.ensemble / MANIFEST).relative_to(run.path).as_posix()
        return name in read_manifest(run.path)
    return False


def _members(run: RunDirectory) -> list[Path]:
    """The folders of an ensemble's models, in the order of their seeds."""
    folder = run.ensemble
    problems = [] if (folder / MANIFEST).is_file() else [f"{folder / MANIFEST}: missing"]
    problems += damaged_files(folder)
    if problems:
        raise UserError(
            problems,
            hint="The single model is another folder: search.ensemble=false answers with it.",
        )
    names = {Path(name).parts[0] for name in read_manifest(folder)}
    return [folder / name for name in sorted(names, key=lambda n: int(n.removeprefix("seed-")))]
