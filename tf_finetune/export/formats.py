"""The forms in which a model leaves, and the folders they go to."""

import contextlib
import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tf_finetune.errors import UserError
from tf_finetune.export.smaller.request import MAKING, SmallerRequest, read_smaller
from tf_finetune.methods.method import Method
from tf_finetune.storage.files import replaced_folder
from tf_finetune.storage.manifests import write_manifest
from tf_finetune.tasks.labels import LabelSpace

HUGGINGFACE, PEFT, SAVEDMODEL, LITERT = FORMATS = ("huggingface", "peft", "savedmodel", "litert")
STATIC_INT8, FULL_INT8 = CALIBRATED = ("static-int8", "full-int8")
USUAL_PRECISIONS = ("float32", "float16", "int8")
PRECISIONS = (*USUAL_PRECISIONS, *CALIBRATED)
# A file that tells a folder of ours from one that must not be replaced.
RECORDS = {
    HUGGINGFACE: "manifest.json",
    PEFT: "manifest.json",
    SAVEDMODEL: "assets.extra/export.json",
    LITERT: "export.json",
}


@dataclass(frozen=True)
class ExportRequest:
    """What an export is to write.

    Attributes:
        formats: Some of `FORMATS`.
        precisions: Some of `PRECISIONS`, of the LiteRT files.
        max_loss: The largest loss of the headline score that a LiteRT file or a smaller model may
            have; None: any.
        smaller: The smaller model to make first; None: the model as it is.
    """

    formats: tuple[str, ...]
    precisions: tuple[str, ...]
    max_loss: float | None
    smaller: SmallerRequest | None = None

    @property
    def reads_examples(self) -> bool:
        """Whether anything is measured on labelled examples."""
        return self.smaller is not None or bool({*self.formats} & {SAVEDMODEL, LITERT})

    @property
    def reads_training_examples(self) -> bool:
        """Whether the run's own training examples are needed."""
        calibrated = LITERT in self.formats and bool({*self.precisions} & {*CALIBRATED})
        return self.smaller is not None or calibrated


def check_carries(request: ExportRequest, method: Method) -> None:
    """Refuses forms that cannot hold what a method trained.

    Raises:
        UserError: With all of them.
    """
    problems: list[str] = []
    making = ", ".join(MAKING)
    if not method.merges:
        why = f"is plain weights, which cannot hold what method.name={method.name} added"
        if HUGGINGFACE in request.formats:
            problems.append(f"--to: received {HUGGINGFACE}, which {why}")
        if request.smaller is not None:
            problems.append(f"{making}: a smaller model {why}")
    if PEFT in request.formats:
        if method.not_in_peft:
            problems.append(
                f"--to: received {PEFT}, whose library has no adapter for method.name="
                f"{method.name}, which {method.not_in_peft}"
            )
        if request.smaller is not None:
            problems.append(
                f"--to: received {PEFT} with {making}: an adapter stands beside the encoder as "
                "it was published, and a smaller model has another"
            )
    if problems:
        others = [SAVEDMODEL, LITERT] if not method.merges else [HUGGINGFACE, SAVEDMODEL, LITERT]
        accepted = f"; accepted: --to {', '.join(others)}"
        raise UserError([problem + accepted for problem in problems])


def check_task(request: ExportRequest, labels: LabelSpace) -> None:
    """Refuses what cannot be made of a model of a task.

    Raises:
        UserError: With all of it.
    """
    problems = []
    why = ""
    if labels.several_texts:
        why = "whose rows hold several texts"
    elif labels.joins_reads:
        why = "whose answers are compared over a text"
    if why and request.smaller is not None:
        problems.append(
            f"{', '.join(MAKING)}: received for a {labels.task} model, {why}; accepted: the model "
            "as it is"
        )
    if labels.several_texts and LITERT in request.formats and {*request.precisions} & {*CALIBRATED}:
        problems.append(
            f"--precisions: {', '.join(CALIBRATED)} received for a {labels.task} model, {why}; "
            f"accepted: {', '.join(USUAL_PRECISIONS)}"
        )
    if problems:
        raise UserError(problems)


def read_request(
    to: str | None,
    precisions: str | None,
    max_loss: str | None,
    smaller: Mapping[str, str | None] = MappingProxyType({}),
) -> ExportRequest:
    """Reads the flags --to, --precisions and --max-loss, each None where it was left out.

    Args:
        to: Formats.
        precisions: Of the LiteRT files.
        max_loss: What is refused.
        smaller: The flags of a smaller model.

    Raises:
        UserError: With everything that is wrong with them.
    """
    problems: list[str] = []
    formats: tuple[str, ...] = ()
    if to is None:
        problems.append(f"--to: missing; accepted: {', '.join(FORMATS)}, or several with commas")
    else:
        formats = _read_names("--to", to, FORMATS, problems)
    chosen: tuple[str, ...] = USUAL_PRECISIONS
    if precisions is not None:
        chosen = _read_names("--precisions", precisions, PRECISIONS, problems)
    loss = None if max_loss is None else _read_loss(max_loss, problems)
    if precisions is not None and formats and LITERT not in formats:
        problems.append(f"--precisions: received beside --to {to}; accepted: with --to {LITERT}")
    makes_smaller = any(smaller.get(flag) is not None for flag in MAKING)
    if max_loss is not None and formats and LITERT not in formats and not makes_smaller:
        problems.append(
            f"--max-loss: received beside --to {to}; accepted: with --to {LITERT}, or with one of "
            f"{', '.join(MAKING)}"
        )
    request = read_smaller(smaller, problems)
    if problems:
        raise UserError(problems)
    return ExportRequest(formats, chosen, loss, request)


def _read_names(
    flag: str, given: str, accepted: Sequence[str], problems: list[str]
) -> tuple[str, ...]:
    """Names separated by commas, in the order of `accepted` and each once."""
    names = [name.strip() for name in given.split(",")]
    for name in names:
        if name not in accepted:
            nearest = difflib.get_close_matches(name.lower(), accepted, n=1)
            advice = f"nearest: {nearest[0]}; " if nearest else ""
            problems.append(f"{flag}: received {name!r}; {advice}accepted: {', '.join(accepted)}")
    return tuple(name for name in accepted if name in names)


def _read_loss(given: str, problems: list[str]) -> float | None:
    try:
        value = float(given)
    except ValueError:
        value = -1.0
    if 0.0 <= value <= 1.0:
        return value
    problems.append(f"--max-loss: received {given!r}; accepted: a number from 0 to 1")
    return None


def check_targets(root: Path, formats: Sequence[str], *, replace: bool) -> None:
    """Checks before any work is done that the folders may be written.

    Args:
        root: The folder above.
        formats: Names of the folders.
        replace: Whether earlier exports are replaced.

    Raises:
        UserError: One of them exists, or `root` is a file.
    """
    if root.exists() and not root.is_dir():
        raise UserError(f"--output: {root} is a file; accepted: a folder, or a new name")
    there = [name for name in formats if (root / name).exists()]
    foreign = [name for name in there if not (root / name / RECORDS[name]).is_file()]
    if foreign:
        raise UserError(
            [f"{root / name}: exists and is no export of ours" for name in foreign],
            hint="Choose another folder with --output.",
        )
    if there and not replace:
        raise UserError(
            [f"{root / name}: exists already" for name in there],
            hint="Replace it with --force, or choose another folder with --output.",
        )


@contextlib.contextmanager
def open_targets(root: Path, formats: Sequence[str]) -> Iterator[dict[str, Path]]:
    """Empty folders that take their places if the block ends without an exception.

    All or none: nothing is left of a block that fails.

    Args:
        root: The folder above; made if needed.
        formats: Names of the folders.
    """
    is_new = not root.exists()
    try:
        with contextlib.ExitStack() as stack:
            folders = {name: stack.enter_context(replaced_folder(root / name)) for name in formats}
            yield folders
            for folder in folders.values():
                write_manifest(folder)
    except BaseException:
        if is_new:
            with contextlib.suppress(OSError):  # not empty: another export came between
                root.rmdir()
        raise
