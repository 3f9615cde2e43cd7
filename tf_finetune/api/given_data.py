"""What a call is given to learn from, as options of the `data` section."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tf_finetune.api.examples import LABEL, TEXT, TEXT_PAIR, name_of, source_of, splits_in
from tf_finetune.errors import UserError
from tf_finetune.sources.in_memory import InMemory


@dataclass(frozen=True)
class GivenData:
    """Sources and columns.

    Attributes:
        options: Of the `data` section.
        held: Examples in memory, which are there for as long as this is.
    """

    options: Mapping[str, Any]
    held: tuple[InMemory, ...]

    @property
    def source(self) -> str | None:
        """The name of the first examples in memory; None where all are in files."""
        return self.held[0].source if self.held else None


def given_data(
    data: Any, validation: Any, test: Any, text: Any, label: Any, text_pair: Any
) -> GivenData:
    """Reads the first arguments of `search` and `fine_tune`.

    Args:
        data: Training examples in any form of `source_of`, a dictionary of splits, a list of
            texts beside a `label` that is a list, or None (the configuration says it).
        validation: Validation examples, or None.
        test: Test examples, or None.
        text: Name of the column of texts, or None.
        label: Name of the column of labels, several of columns of 0 and 1, or the labels of the
            texts that `data` lists.
        text_pair: Name of the column of second texts, or those of the texts that `data` lists.

    Raises:
        UserError: Something of it is wrong; all at once.
    """
    options: dict[str, Any] = {}
    if _are_texts(data):
        data, text, label, text_pair = _columns_of(data, text, label, text_pair)
    if isinstance(label, (list, tuple)):
        options["label_columns"] = list(label)
    elif label is not None:
        options["label_column"] = label
    options |= {
        f"{name}_column": value
        for name, value in ((TEXT, text), (TEXT_PAIR, text_pair))
        if value is not None
    }
    splits = splits_in(data) or ({} if data is None else {"train": data})
    given = {"validation": validation, "test": test}
    problems, held = [], []
    for split, value in given.items():
        if value is not None and split in splits:
            problems.append(f"{split}: given twice, in data too; accepted: once")
        elif value is not None:
            splits[split] = value
    for split, value in splits.items():
        try:
            source = source_of(value, "data" if split == "train" else split)
        except UserError as error:
            problems += error.problems
            continue
        if isinstance(source, InMemory):
            held.append(source)
        options[split] = name_of(source)
    if problems:
        raise UserError(problems)
    return GivenData(options, tuple(held))


def _are_texts(data: Any) -> bool:
    """Whether it is a list, a Series or an array of texts."""
    if isinstance(data, (str, Mapping)) or hasattr(data, "columns") or not hasattr(data, "__len__"):
        return False
    first = next(iter(data), None) if len(data) and not hasattr(data, "column_names") else None
    return isinstance(first, str)


def _columns_of(
    data: Sequence[str], text: Any, label: Any, text_pair: Any
) -> tuple[dict[str, Any], str, str, str | None]:
    if text is not None:
        raise UserError(
            f"text: received {text!r} with a list of texts; accepted: none, as these are the texts"
        )
    if label is None or isinstance(label, str):
        raise UserError(
            "label: a list of texts needs its labels; accepted: as many labels, such as "
            'search(texts, label=["good", "bad"])'
        )
    columns = {TEXT: data, LABEL: label}
    if text_pair is not None:
        columns[TEXT_PAIR] = text_pair
    return columns, TEXT, LABEL, TEXT_PAIR if text_pair is not None else None
