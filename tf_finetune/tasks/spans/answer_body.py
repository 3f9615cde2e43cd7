"""An answer to a question, as a server describes it."""

from pydantic import BaseModel


class SpanOfText(BaseModel):
    """A part of a text that may be the answer."""

    start: int
    end: int
    text: str
    probability: float


class FoundAnswer(BaseModel):
    """The answer to a question: a part of the second text, or null where that holds none."""

    answer: str | None
    start: int | None
    end: int | None
    probability: float
    answers: list[SpanOfText]
    no_answer_probability: float | None = None
