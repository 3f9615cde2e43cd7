"""The bodies of requests and answers, which the OpenAPI description is made of."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model

from tf_finetune.data import LabelSpace, Record
from tf_finetune.serving.limits import Limits


class SingleLabel(BaseModel):
    """The likeliest label of a text."""

    label: str
    probabilities: dict[str, float]


class SeveralLabels(BaseModel):
    """The labels that apply to a text, perhaps none."""

    labels: list[str]
    probabilities: dict[str, float]


class Number(BaseModel):
    """The predicted number of a text."""

    value: float


class Problem(BaseModel):
    """Why a request was not answered."""

    detail: str | list[dict[str, Any]]


class Health(BaseModel):
    """What answers."""

    status: str
    model: str
    task: str
    labels: list[str]


ANSWERS: dict[str, type[BaseModel]] = {
    "single_label": SingleLabel,
    "multi_label": SeveralLabels,
    "regression": Number,
}


def request_model(labels: LabelSpace, limits: Limits, *, pairs: bool) -> type[BaseModel]:
    """The body that /predict takes.

    Args:
        labels: What the model's outputs mean.
        limits: Limits of the server.
        pairs: Whether the model takes two texts.
    """
    text = Annotated[
        str,
        Field(min_length=1, max_length=limits.max_characters),
        AfterValidator(_check_text),
    ]
    item: Any = text
    if pairs:
        item = create_model("TextPair", __config__=_STRICT, text=(text, ...), text_pair=(text, ...))
    fields: dict[str, Any] = {
        "texts": (
            list[item],
            Field(
                min_length=1,
                max_length=limits.max_texts,
                description="pairs of texts" if pairs else "texts, none blank",
                examples=[
                    [{"text": "a film", "text_pair": "a movie"}] if pairs else ["a fine film"]
                ],
            ),
        )
    }
    if labels.task != "regression":
        fields["top_k"] = (
            Annotated[int, Field(strict=True, ge=1, le=labels.num_outputs)] | None,
            Field(default=None, description="only the probabilities of the likeliest labels"),
        )
    return create_model("PredictRequest", __config__=_STRICT, **fields)


def answer_model(labels: LabelSpace) -> type[BaseModel]:
    """The body that /predict gives: an answer a text in the order of the texts."""
    answer: Any = ANSWERS[labels.task]
    return create_model(
        "PredictResponse",
        model=(str, Field(description="version of the model that answered")),
        predictions=(list[answer], ...),
    )


def records_of(request: BaseModel) -> list[Record]:
    """The texts of a request."""
    items = request.texts  # type: ignore[attr-defined]
    return [
        Record(row, item, None, None)
        if isinstance(item, str)
        else Record(row, item.text, item.text_pair, None)
        for row, item in enumerate(items, 1)
    ]


_STRICT = ConfigDict(extra="forbid")


def _check_text(text: str) -> str:
    if text.isspace():
        raise ValueError("is blank; accepted: a text")
    if "\0" in text:
        raise ValueError("holds NUL characters; accepted: text without")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("holds half a surrogate pair; accepted: valid Unicode") from None
    return text
