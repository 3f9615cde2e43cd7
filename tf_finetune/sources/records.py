"""One example as it was read, before its label is understood and its text tokenised."""

from dataclasses import dataclass

Label = str | tuple[str, ...] | float | None


@dataclass(frozen=True, slots=True)
class Record:
    """One example of a source.

    Attributes:
        row: Where the example is, counted from 1: the line of the file as an editor shows it
            (the first line of a quoted field that spans several), else the number of the
            example in its source.
        text: The text as read, never blank.
        text_pair: The second text of a pair, never blank, or None.
        label: The label as read: one name (`str`), the names of a multi-label example (a
            possibly empty `tuple`; zeros and ones by place are names until all are known), a
            finite regression target (`float`), or None if the source was read without labels.
    """

    row: int
    text: str
    text_pair: str | None
    label: Label
