"""What the head begins with: rows of the checkpoint's head, matched by the labels' names.

A head that fits in width may have its labels in another order, or be about other labels
altogether. So a row is kept for the label that config.json gives it, and for no other.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tf_finetune.encoders.family import Pooling
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.encoders.pooling import TEXT_POOLING
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.output_scale import OutputScale
from tf_finetune.tasks.table import task_of
from tf_finetune.tasks.values import Values

if TYPE_CHECKING:
    from tf_finetune.tasks.labels import LabelSpace

# What config.json tells of a regression's training; the answers need neither.
TARGET_MEAN, TARGET_DEVIATION = "target_mean", "target_deviation"

_NAMES_SHOWN = 10


@dataclass(frozen=True)
class HeadStart:
    """Where the values of a head come from.

    Attributes:
        rows: Of each output the row of the checkpoint's head that it begins with; None: new
            values.
        line: What to tell of it; None where the checkpoint has no head.
    """

    rows: tuple[int | None, ...]
    line: str | None = None

    @property
    def is_new(self) -> bool:
        """Whether nothing of the checkpoint's head is kept."""
        return all(row is None for row in self.rows)


def new_head(num_outputs: int) -> HeadStart:
    """A head of which nothing is the checkpoint's."""
    return HeadStart((None,) * num_outputs)


def whole_head(num_outputs: int) -> HeadStart:
    """The checkpoint's head as it stands."""
    return HeadStart(tuple(range(num_outputs)))


def matched_head(
    files: EncoderFiles, labels: "LabelSpace", scale: OutputScale | None = None
) -> HeadStart:
    """Finds the rows of a checkpoint's head that are about the labels of this job.

    Args:
        files: The encoder, perhaps a fine-tuned model.
        labels: What the outputs are to mean.
        scale: Of the training targets, in a regression.

    Raises:
        UserError: The weights cannot be read.
    """
    count = _head_rows(files)
    if count is None:
        return new_head(labels.num_outputs)
    reason = (
        _why_not_so_deep(files)
        or _why_not_so_pooled(files)
        or _why_not(files.config, count, labels, scale)
    )
    if reason:
        shown = f": {_shown(labels.names)}" if labels.names else ""
        return HeadStart((None,) * labels.num_outputs, f"head: new{shown} ({reason})")
    if not labels.names:
        return HeadStart((0,), "head: kept, the checkpoint predicts a number too")
    return _matched_rows(_row_names(files.config, count), labels)


def start_lines(head: HeadStart, scale: OutputScale | None) -> list[str]:
    """What to tell, before training, of where the head begins and what it learns."""
    lines = [] if head.line is None else [head.line]
    if scale is not None:
        lines.append(
            f"targets: standardised in training ({scale.sentence()}); answers and scores are in "
            "their own units"
        )
    return lines


def _head_rows(files: EncoderFiles) -> int | None:
    """Outputs of the checkpoint's head; None if it has none on this encoder's states."""
    head = [v for v in files.variables(1) if v.part == "head"]
    shapes = [files.checkpoint.shape(v) for v in head]
    count = next((shape[-1] for shape in shapes if shape), 0)
    fits = [shape == (*v.shape[:-1], count) for v, shape in zip(head, shapes, strict=True)]
    return count if count and all(fits) else None


def _why_not_so_deep(files: EncoderFiles) -> str:
    """Why a checkpoint's head has learned from another layer; empty if it has not."""
    if files.wanted_layers is None:
        return ""
    own, used = files.whole_sizes.layers, files.num_layers
    return f"the checkpoint's stands on {own} layers, this one on {used}: encoder.layers"


def _why_not_so_pooled(files: EncoderFiles) -> str:
    """Why a checkpoint's head has learned from something else; empty if it has not."""
    usual: Pooling = files.family.pooling
    own = files.config.get(TEXT_POOLING, usual)
    if own == files.pooling:
        return ""
    return f"the checkpoint's reads {own}, this one {files.pooling}: encoder.pooling"


def _why_not(
    config: Mapping[str, Any], count: int, labels: "LabelSpace", scale: OutputScale | None
) -> str:
    """Why no row of a checkpoint's head can be kept; empty if some may be."""
    architectures = config.get("architectures")
    if isinstance(architectures, list) and architectures and TEXT_POOLING not in config:
        named = [str(name) for name in architectures]
        if not any(name.endswith("ForSequenceClassification") for name in named):
            return f"the checkpoint's is that of a {named[0]}"
    problem = config.get("problem_type")
    # As transformers itself takes it where nothing is said.
    unsaid = Values if count == 1 else Classes
    task = unsaid if problem is None else task_of(config)
    if task is None:
        return f"the checkpoint's problem_type is {problem!r}"
    if not isinstance(labels, task):
        return f"the checkpoint's gives {task.answer_kind}, this one {labels.answer_kind}"
    if not labels.names:
        return _why_not_the_number(config, count, scale)
    if config.get("id2label") is not None and _by_row(config["id2label"], count) is None:
        return f"the checkpoint's has {count} outputs, and its id2label names others"
    return ""


def _why_not_the_number(config: Mapping[str, Any], count: int, scale: OutputScale | None) -> str:
    if count != 1:
        return f"the checkpoint's gives {count} numbers"
    mean, deviation = config.get(TARGET_MEAN), config.get(TARGET_DEVIATION)
    if scale is None or not isinstance(mean, float) or not isinstance(deviation, float):
        return ""
    before = OutputScale(mean, deviation)
    if not scale.is_far_from(before):
        return ""
    return (
        f"the checkpoint's targets were on another scale, {before.sentence()}; these have "
        f"{scale.sentence()}"
    )


def _row_names(config: Mapping[str, Any], count: int) -> list[str | None]:
    """The label of each row, as config.json names it; None where it does not.

    `LABEL_0` and so on is what transformers writes where nobody gave names, so that they may
    stand in `label2id` alone.
    """
    generic = [f"LABEL_{row}" for row in range(count)]
    names = _by_row(config.get("id2label"), count)
    if names is None or names == generic:
        inverted = config.get("label2id")
        if isinstance(inverted, Mapping):
            rows = {str(row): name for name, row in inverted.items()}
            names = (_by_row(rows, count) if len(rows) == len(inverted) else None) or names
    return [*(names or generic)]


def _by_row(names: Any, count: int) -> list[str | None] | None:
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, Mapping):
        return None
    by_row = {str(row): _as_name(name) for row, name in names.items()}
    if by_row.keys() != {str(row) for row in range(count)}:
        return None
    return [by_row[str(row)] for row in range(count)]


def _as_name(value: Any) -> str | None:
    """A label's name as the data would give it: numbers and their text are one name."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, str | int | float) else None


def _matched_rows(names: Sequence[str | None], labels: "LabelSpace") -> HeadStart:
    counts = Counter(names)
    places = {name: row for row, name in enumerate(names) if name and counts[name] == 1}
    generic = all(name == f"LABEL_{row}" for row, name in enumerate(names))
    if generic and set(labels.names) == {str(row) for row in range(len(labels.names))}:
        places |= {str(row): row for row in range(len(names))}
    rows = tuple(places.get(name) for name in labels.names)
    kept = [name for name, row in zip(labels.names, rows, strict=True) if row is not None]
    new = [name for name, row in zip(labels.names, rows, strict=True) if row is None]
    parts = [f"{what} {_shown(n)}" for what, n in (("kept", kept), ("new:", new)) if n]
    line = f"head: {'; '.join(parts)}"
    return HeadStart(rows, line + _remark(names, counts, rows, generic=generic))


def _remark(
    names: Sequence[str | None],
    counts: Mapping[str | None, int],
    rows: Iterable[int | None],
    *,
    generic: bool,
) -> str:
    """What became of the checkpoint's rows that are not kept, in brackets."""
    used = set(rows)
    if generic and used == {None}:
        return (
            " (the checkpoint's id2label says LABEL_0 and so on, which fits labels that are the "
            "numbers 0 and so on; write the names into its config.json to keep their rows)"
        )
    twice = [name for name, count in counts.items() if name and count > 1]
    if twice:
        return f" (more than one row of the checkpoint's is called {_shown(twice)})"
    left = [name or "?" for row, name in enumerate(names) if row not in used]
    return f" (not used, of the checkpoint's: {_shown(left)})" if left else ""


def _shown(names: Sequence[str]) -> str:
    more = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
