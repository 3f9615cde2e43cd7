"""What of an answer is to be explained, where an answer is not to the whole of one text."""

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


class ReadText(NamedTuple):
    """One of several texts of an example that do not see each other, as the model reads it.

    Attributes:
        text: The text, which is the same for all of them.
        text_pair: Its second text: what all of them have in common, and what is its own.
        own_start: Where in the second text its own begins.
        max_length: Longest pair in tokens; of what is longer, the longer text is cut.
    """

    text: str
    text_pair: str
    own_start: int
    max_length: int


class ChosenPart(NamedTuple):
    """A part of a text that is to be explained.

    Attributes:
        part: The part; its label is "" where the model's finding nothing is asked about.
        probability: What the model gives it.
    """

    part: Part
    probability: float
