"""Whether a folder may be written to by a run, and which run it already holds."""

import logging
import re
import shutil
from contextlib import ExitStack, suppress
from pathlib import Path

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.config.saving import write_config
from tf_finetune.config.seal import load_written_config
from tf_finetune.errors import UserError
from tf_finetune.options.marks import Mark
from tf_finetune.plans.precision import with_precision
from tf_finetune.storage.locking import FolderInUse, exclusive_use
from tf_finetune.storage.manifests import MANIFEST
from tf_finetune.storage.run_directory import RunDirectory

logger = logging.getLogger(__name__)

# What a run leaves in its folder.
OWN_NAMES = frozenset(
    [
        MANIFEST,
        "config.yaml",
        "plan.json",
        "precision.json",
        "events",
        "checkpoints",
        "history.json",
        "metrics.json",
        "evaluation.json",
        "report.html",
        "report.json",
        "model",
        "ensemble",
        "evaluations",
        "checks",
        "export",
        "serving.json",
    ]
)
# What a killed process may leave: files and folders on their way to their name.
LEFT_BEHIND = re.compile(r"\.((model|ensemble)\.(writing|previous)-\d+|.*\.tmp)$")
# Options that may differ between the parts of one run.
_NOT_DECIDING = (Mark.WORK, Mark.SEARCH, Mark.PLACE)


def check_run(config: ExperimentConfig, claims: ExitStack, *, writes: bool = True) -> None:
    """Checks before any work is done whether the run may write where it is told to.

    Args:
        config: The configuration, resolved or not.
        claims: Keeps other processes out of `run.dir` until it is closed.
        writes: Whether this process writes there; of several that train together, one does.

    Raises:
        UserError: `run.dir` holds a finished run, or files that no run wrote, or is not given
            where several processes have to find it, or another process is at work there.
    """
    if config.run.dir is None:
        if config.training.strategy == "multi_worker":
            raise UserError(
                "run.dir: received null with training.strategy=multi_worker; accepted: a folder, "
                "on a file system that all processes share"
            )
        return
    run = RunDirectory(Path(config.run.dir).expanduser())
    if writes:
        claims.enter_context(exclusive_use(run.path))
    _check_may_write(run, config)


def _check_may_write(run: RunDirectory, config: ExperimentConfig) -> None:
    if run.is_finished and not config.run.overwrite:
        raise UserError(
            f"run.dir: {run.path} holds a finished run",
            hint="Choose another run.dir, or replace it with run.overwrite=true.",
        )
    _check_only_a_run(run)


def prepare_run(
    config: ExperimentConfig, claims: ExitStack
) -> tuple[RunDirectory, ExperimentConfig]:
    """Makes the folder of a run and writes its configuration; call `check_run` before.

    A folder with an unfinished run of the same job is taken as it is, so that the run goes
    on from its checkpoints, in the precision that it began with where the command says auto.

    Args:
        config: The resolved configuration.
        claims: As for `check_run`; without `run.dir` the folder is only known now.

    Returns:
        The directory, and the configuration with `run.dir` filled in.

    Raises:
        UserError: As `check_run`, or the folder holds an unfinished run of another job, or
            cannot be made.
    """
    given = config.run.dir
    run = RunDirectory(Path(given).expanduser() if given else _free_name(config, claims))
    _check_may_write(run, config)
    if config.run.overwrite:
        _check_only_a_run(run)
        empty_folder(run.path)
    try:
        different = _different_options(run, config)
    except UserError as error:
        # The job is known from the command, and checkpoints say what they belong to.
        different = []
        logger.warning("%s; writing it again", error.problems[0])
    if different:
        raise UserError(
            f"run.dir: {run.path} holds an unfinished run of another job; it differs in "
            f"{', '.join(different)}",
            hint=f"Go on with that run: {run.going_on}; or "
            "choose another run.dir, or replace it with run.overwrite=true.",
        )
    config = _in_its_precision(run, config).model_copy(
        update={"run": config.run.model_copy(update={"dir": str(run.path), "overwrite": False})}
    )
    try:
        run.path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"run.dir: {run.path} cannot be made: {error.strerror}") from None
    write_config(config, run.config)
    return run, config


def join_run(config: ExperimentConfig) -> tuple[RunDirectory, ExperimentConfig]:
    """The folder of a run that another process has prepared and writes: `run.dir`."""
    return RunDirectory(Path(str(config.run.dir)).expanduser()), config


def empty_folder(path: Path) -> None:
    """Removes all that is in a folder, and the other ends of no links.

    The folder may be a link to one on another disk, which stays. What says that it is a run's
    goes last, so that an interrupted removal can be done again.
    """
    entries = path.iterdir() if path.is_dir() else ()
    for entry in sorted(entries, key=lambda entry: entry.name == "config.yaml"):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _free_name(config: ExperimentConfig, claims: ExitStack) -> Path:
    """runs/DATA-depthK, or the first numbered one where this job may write and nobody does."""
    source = (config.data.train or "run").rstrip("/")
    stem = Path(source.split(":")[-1]).name.split(".")[0]
    name = re.sub(r"[^\w-]+", "-", f"{stem}-depth{config.freeze.depth}")
    number = 1
    while True:
        run = RunDirectory(Path("runs") / (name if number == 1 else f"{name}-{number}"))
        number += 1
        with suppress(FolderInUse), ExitStack() as claim:
            claim.enter_context(exclusive_use(run.path))
            taken = run.is_finished or _foreign_files(run)
            if not taken and (config.run.overwrite or _is_same_job(run, config)):
                claims.push(claim.pop_all())
                return run.path


def _different_options(run: RunDirectory, config: ExperimentConfig) -> list[str]:
    """Options that decide a run's result and differ from those of the run in the folder.

    Raises:
        UserError: The folder's config.yaml is damaged.
    """
    if not run.config.is_file() or not run.checkpoints.is_dir():
        return []
    there = load_written_config(run.config).marked(without=_NOT_DECIDING)
    here = config.marked(without=_NOT_DECIDING)
    for options in (there, here):
        # Whoever resolved no pooling read the first token.
        if options["encoder.pooling"] == "auto":
            options["encoder.pooling"] = "first"
    if here["training.precision"] == "auto":  # it goes on in the one that it began with
        here["training.precision"] = there["training.precision"]
    return [name for name in here if here[name] != there[name]]


def _in_its_precision(run: RunDirectory, config: ExperimentConfig) -> ExperimentConfig:
    """Auto means what the unfinished run in the folder took, if there is one."""
    if config.training.precision != "auto" or not run.checkpoints.is_dir():
        return config
    try:
        there = load_written_config(run.config)
    except UserError:  # `_different_options` was told, and its caller has said so
        return config
    return with_precision(config, there.training.precision)


def _is_same_job(run: RunDirectory, config: ExperimentConfig) -> bool:
    try:
        return not _different_options(run, config)
    except UserError:
        return False


def _foreign_files(run: RunDirectory) -> list[str]:
    """What is in the folder and no run wrote; everything, if there is no run."""
    if not run.path.is_dir():
        return [run.path.name] if run.path.exists() else []
    names = sorted(path.name for path in run.path.iterdir())
    if not run.config.is_file():
        return names
    return [name for name in names if name not in OWN_NAMES and not LEFT_BEHIND.match(name)]


def _check_only_a_run(run: RunDirectory) -> None:
    foreign = _foreign_files(run)
    if foreign:
        raise UserError(
            f"run.dir: {run.path} holds files that no run wrote ({', '.join(foreign[:5])}); "
            "choose another run.dir"
        )
