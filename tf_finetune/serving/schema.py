"""The bodies of requests and answers, which the OpenAPI description is made of."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model, model_validator

from tf_finetune.serving.limits import Limits
from tf_finetune.sources.reading import as_read
from tf_finetune.sources.records import Record
from tf_finetune.tasks.labels import LabelSpace


class Problem(BaseModel):
    """Why a request was not answered."""

    detail: str | list[dict[str, Any]]


class Health(BaseModel):
    """What answers."""

    status: str
    model: str
    task: str
    labels: list[str]
    threshold: float | None = Field(
        default=None, description="probability above which a label applies, where several may"
    )


class _EitherForm(BaseModel):
    """A request with a list of texts, or with one text."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"oneOf": [{"required": ["texts"]}, {"required": ["text"]}]},
    )

    @model_validator(mode="after")
    def _check_form(self) -> "_EitherForm":
        """Refuses a body with both forms or neither, and half a pair."""
        given = self.model_fields_set - {"top_k"}
        alone = {name for name in ("text", "text_pair") if name in type(self).model_fields}
        if given not in ({"texts"}, alone):
            received = " and ".join(sorted(given)) or "neither"
            raise ValueError(
                f"received {received}; accepted: texts (a list), or {' and '.join(sorted(alone))} "
                "(one)"
            )
        return self


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
                default=None,
                min_length=1,
                max_length=limits.max_texts,
                description="pairs of texts" if pairs else "texts, none blank",
                examples=[
                    [{"text": "a film", "text_pair": "a movie"}] if pairs else [labels.sample]
                ],
                json_schema_extra=_without_default,
            ),
        ),
        "text": _alone(text, "one text, in place of texts", labels.sample),
    }
    if pairs:
        fields["text_pair"] = _alone(text, "the second text of text", "a movie")
    if labels.lists_probabilities:
        fields["top_k"] = (
            Annotated[int, Field(strict=True, ge=1, le=labels.num_outputs)] | None,
            Field(default=None, description="only the probabilities of the likeliest labels"),
        )
    return create_model(
        "PredictRequest",
        __base__=_EitherForm,
        **fields,
    )


def answer_model(labels: LabelSpace) -> type[BaseModel]:
    """The body that /predict gives: an answer a text in the order of the texts."""
    answer: Any = labels.answer_body
    return create_model(
        "PredictResponse",
        model=(str, Field(description="version of the model that answered")),
        predictions=(list[answer], ...),
    )


def records_of(request: BaseModel, task: str) -> list[Record]:
    """The texts of a request, as a task reads them.

    Args:
        request: Of the `request_model`.
        task: As `data.task`.

    Raises:
        UserError: A text is none of the task's.
    """
    items = request.texts  # type: ignore[attr-defined]
    if items is None:
        items = [request]
    records = [
        Record(row, item, None, None)
        if isinstance(item, str)
        else Record(row, item.text, getattr(item, "text_pair", None), None)
        for row, item in enumerate(items, 1)
    ]
    return as_read(records, ("text", "text_pair"), task=task)


def _without_default(schema: dict[str, Any]) -> None:
    """Takes out the null that stands for a field that was left out: it may not be sent."""
    schema.pop("default", None)


def _alone(text: Any, description: str, example: str) -> tuple[Any, Any]:
    """A field of the form for one text."""
    return text, Field(
        default=None,
        description=description,
        examples=[example],
        json_schema_extra=_without_default,
    )


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
