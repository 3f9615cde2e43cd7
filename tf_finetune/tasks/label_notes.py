"""Sentences about what labels were taken for where that was a guess, or may mislead."""

from collections.abc import Iterator, Sequence

import numpy as np

from tf_finetune.options.data import DataConfig
from tf_finetune.sources.list_literals import parse_list
from tf_finetune.sources.numbers import DecimalMark, as_integer, as_number, canonical, is_missing
from tf_finetune.sources.problems import show
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.look_alikes import groups_of_look_alikes, shown_apart
from tf_finetune.tasks.raw_labels import RawLabels
from tf_finetune.tasks.task_guess import guess_task

_SEPARATORS = "|,; "
_GROUPS_SHOWN = 3


def label_notes(
    config: DataConfig,
    labels: LabelSpace,
    train: RawLabels,
    targets: np.ndarray,
    *,
    guessed: bool,
) -> list[str]:
    """Says what the labels were taken for, and with which option they are something else.

    Args:
        config: The `data` section, with its columns resolved.
        labels: What was made of it.
        train: All labels of the training source.
        targets: What `labels.encode` gives for them.
        guessed: Whether nobody said what the task is.
    """
    if labels.makes_rows:  # its labels are written in one way alone
        return []
    notes: list[str] = []
    if guessed and config.label_names is None:
        reason = guess_task(config, train).reason
        notes += [reason] if reason else []
    if not labels.holds_several:
        notes += _number_notes(config, labels, train)
    if train.are_lists():
        notes += _list_notes(config, train)
    if labels.holds_several and guessed and (targets.sum(axis=1) == 1).all():
        notes.append(
            "every row has exactly one of the labels, and several may still be answered; "
            "data.task=single_label makes classes of them that exclude each other"
        )
    if config.label_names is None:
        notes += _name_notes(labels)
    return notes


def _number_notes(config: DataConfig, labels: LabelSpace, train: RawLabels) -> Iterator[str]:
    """How numbers were read that are not written as programs write them; an example each."""
    mark, names = labels.decimal_mark, set(labels.names)
    numbers = {
        label: number
        for label in train.distinct[0]
        if (not label.isascii() or "," in label or label.endswith("%"))
        and label not in names
        and (number := as_number(label, mark)) is not None
    }
    numbers = dict(sorted(numbers.items(), key=lambda found: found[1] == 0))  # 0 shows little
    comma = next((label for label in numbers if "," in label), None)
    if comma is not None and config.decimal_mark == "auto":
        read = f"the label {show(comma)} was read as {numbers[comma]:.12g}"
        if mark == "comma":
            yield (
                f"{read}, with a decimal comma; data.decimal_mark=point if it is none, and "
                "data.label_separator=, if it parts several labels"
            )
        else:
            yield f"{read}; data.decimal_mark=comma if the comma begins decimals"
    percent = next((label for label in numbers if canonical(label, mark).endswith("%")), None)
    if percent is not None:
        read = f"the label {show(percent)} was read as {numbers[percent]:.12g}, in hundredths"
        bare = next((label for label in train.distinct[0] if _is_above_one(label, mark)), None)
        yield read if bare is None else f"{read}, but {show(bare)}, without the sign, was not"
    other = next((label for label in numbers if not label.isascii()), None)
    if other is not None and other not in (comma, percent):
        yield f"the label {show(other)} was read as {numbers[other]:.12g}"


def _is_above_one(label: str, mark: DecimalMark) -> bool:
    """Whether a label is a number without a percent sign that is too large for a share."""
    number = as_number(label, mark)
    return number is not None and abs(number) > 1 and not canonical(label, mark).endswith("%")


def _list_notes(config: DataConfig, train: RawLabels) -> Iterator[str]:
    distinct = train.distinct[0]
    if train.width is not None:
        if config.label_names is None:
            last = train.width - 1
            yield (
                f"the labels are lists of {train.width} zeros and ones, read by place; the labels "
                f"are called 0 to {last} after their places until data.label_names names them"
            )
    elif train.hold_flags():
        shortest, longest = train.lengths.min(), train.lengths.max()
        yield (
            "the lists hold only 0 and 1, which are taken for the names of two labels, as the "
            f"lists have from {shortest} to {longest} items; zeros and ones by place need lists "
            "of one length"
        )
    elif (
        all(as_integer(label) is not None for label in distinct)
        and len(set(train.lengths.tolist())) == 1
        and train.repeat_in_lists()
    ):
        yield (
            f"the lists hold whole numbers such as {', '.join(distinct[:3])}, which are taken for "
            "names of labels though lists repeat them; by place only 0 and 1 are read"
        )


def _name_notes(labels: LabelSpace) -> Iterator[str]:
    """What is strange about the names of the classes."""
    groups = groups_of_look_alikes(labels.names)
    if groups:
        shown = "; ".join(" and ".join(shown_apart(group)) for group in groups[:_GROUPS_SHOWN])
        more = f"; and {len(groups) - _GROUPS_SHOWN} more such groups"
        yield f"labels that look alike: {shown}" + more * (len(groups) > _GROUPS_SHOWN)
    # "none" is a good name for texts that have nothing of what is looked for.
    missing = [name for name in labels.names if is_missing(name) and name != "none"]
    if missing:
        yield (
            f"{' and '.join(map(show, missing))}: a label with a name that programs give to "
            "missing values; if they are missing, leave out their rows"
        )
    written = [name for name in labels.names if parse_list(name) is not None]
    if written and not labels.holds_several:
        yield (
            f"labels such as {show(written[0])} are lists that are written out, and others are "
            "not, so all are names; data.task=multi_label reads the lists"
        )
    if not labels.holds_several and (found := _joined(labels.names)):
        separator, example = found
        yield (
            f"labels such as {show(example)} are put together of others; "
            f"data.label_separator={show(separator)} takes them apart"
        )


def _joined(names: Sequence[str]) -> tuple[str, str] | None:
    """A separator that makes fewer labels of the names, and a name that has it."""
    for separator in _SEPARATORS:
        several = [name for name in names if separator in name]
        parts = {part.strip() for name in names for part in name.split(separator)}
        if separator == " " and any(as_integer(part) is None for part in parts):
            continue  # words of one name
        if several and "" not in parts and len(parts) < len(names):
            return separator, several[0]
    return None
