"""What of an answer is to be explained, where an answer is parts of a text."""

from typing import NamedTuple

from tf_finetune.tasks.wrong_answers import Part


class Question(NamedTuple):
    """Why the model says of a part of a text what it says.

    Attributes:
        words: First of the words that are asked about, and the one after the last: places in the
            spans of the example.
        outputs: Of each of them the output that is explained.
        label: What is explained, in words.
    """

    words: tuple[int, int]
    outputs: tuple[int, ...]
    label: str


class ChosenPart(NamedTuple):
    """A part of a text that is to be explained.

    Attributes:
        part: The part; its label is "" where the model's finding nothing is asked about.
        probability: What the model gives it.
    """

    part: Part
    probability: float
