"""What of an answer is to be explained, where an answer is not to the whole of one text."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tf_finetune.tasks.task_rows import TaskRow
from tf_finetune.tasks.wrong_answers import Part

# What a model says of a row, float [r, outputs].
RowLogits = Callable[[TaskRow], np.ndarray]


class Question(NamedTuple):
    """Why the model says of a part of a text what it says.

    Attributes:
        row: The row of the text that says it.
        reads: Positions in the row of the states that say it, one or more.
        outputs: Of each of them the output that is explained.
        label: What is explained, in words.
    """

    row: TaskRow
    reads: tuple[int, ...]
    outputs: tuple[int, ...]
    label: str


class Asked(NamedTuple):
    """Which part of a text is asked about; the likeliest if nothing is said.

    Attributes:
        label: What it is called.
        number: Which of those that were found and are so called, from 1.
        text: Its characters; "" asks why there is none.
    """

    label: str | None = None
    number: int | None = None
    text: str | None = None


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
