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
            finite regression target (`float`), or None if the source was read without labels. Of
            a tagged text its IOB2 tags, one a word; of a question the texts of its answers, () if
            the second text holds none; of a multiple-choice example the number of the right
            choice, from "0".
        spans: Character offsets, the end not included: of a tagged text those of its words, in
            their order and apart from each other; of a question those of its answers in
            `text_pair`; of a sentence with two marked entities those of the first and the second
            entity with their markers.
        choices: The texts of the choices of a multiple-choice example.
    """

    row: int
    text: str
    text_pair: str | None
    label: Label
    spans: tuple[tuple[int, int], ...] = ()
    choices: tuple[str, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """All texts that it has, in the order in which they are read."""
        pair = () if self.text_pair is None else (self.text_pair,)
        return (self.text, *pair, *self.choices)
