"""The model folders that answer for a run: its model's, or those of a search's ensemble."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.errors import UserError
from tf_finetune.export.model_folder import check_model_folder, read_labels
from tf_finetune.storage.manifests import MANIFEST, damaged_files, read_manifest
from tf_finetune.storage.run_directory import RunDirectory
from tf_finetune.tasks.labels import LabelSpace


@dataclass(frozen=True)
class CheckedModel:
    """A model on disk, every file of it held against its checksum.

    Attributes:
        members: Its folder; of an ensemble those of the models whose answers are averaged.
        labels: What its outputs mean, decided at the threshold of the options.
        manifest: The list of its files, whose digest names it.
    """

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


def check_single(run: RunDirectory, config: ExperimentConfig) -> CheckedModel:
    """Checks the run's own model, which is also that of a search with an ensemble.

    Raises:
        UserError: A file is missing or damaged, or the threshold does not go with the task.
    """
    return _checked([run.model], run.model / MANIFEST, config)


def check_answering(run: RunDirectory, config: ExperimentConfig) -> CheckedModel:
    """Checks what answers: the ensemble where there is one, unless `search.ensemble` is false.

    Raises:
        UserError: As `check_single`.
    """
    if not config.search.ensemble or not has_ensemble(run):
        return check_single(run, config)
    folder = run.ensemble
    problems = [] if (folder / MANIFEST).is_file() else [f"{folder / MANIFEST}: missing"]
    problems += damaged_files(folder)
    if problems:
        raise UserError(
            problems,
            hint="The single model is another folder: search.ensemble=false answers with it.",
        )
    names = {Path(name).parts[0] for name in read_manifest(folder)}
    members = sorted(names, key=lambda name: int(name.removeprefix("seed-")))
    return _checked([folder / name for name in members], folder / MANIFEST, config)


def has_ensemble(run: RunDirectory) -> bool:
    """Whether a run has written an ensemble, even if that is gone."""
    if run.ensemble.exists():
        return True
    with contextlib.suppress(FileNotFoundError, ValueError):
        name = (run.ensemble / MANIFEST).relative_to(run.path).as_posix()
        return name in read_manifest(run.path)
    return False


def _checked(folders: list[Path], manifest: Path, config: ExperimentConfig) -> CheckedModel:
    members = tuple(map(check_model_folder, folders))
    first = members[0]
    labels = read_labels(first.config, str(first.path / "config.json"))
    return CheckedModel(members, labels.decided_at(config.evaluation.threshold), manifest)
