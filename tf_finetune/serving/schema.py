"""The bodies of requests and answers, which the OpenAPI description is made of."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model, model_validator

from tf_finetune.serving.limits import Limits
from tf_finetune.sources.reading import as_read
from tf_finetune.sources.records import Record
from tf_finetune.tasks.labels import LabelSpace

_LIST, _TOP_K = "texts", "top_k"
_MOST_LISTED = 100  # of a task that could list any number


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
        default=None,
        description="probability above which a label applies, where several may, or no answer is "
        "given, where a question may have none",
    )


def _in_either_form(schema: dict[str, Any]) -> None:
    parts = [name for name in schema["properties"] if name not in (_LIST, _TOP_K)]
    schema["oneOf"] = [{"required": [_LIST]}, {"required": parts}]


class _EitherForm(BaseModel):
    """A request with a list of texts, or with one text."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_in_either_form)

    @model_validator(mode="after")
    def _check_form(self) -> "_EitherForm":
        """Refuses a body with both forms or neither, and a part of an example."""
        given = self.model_fields_set - {_TOP_K}
        alone = [name for name in type(self).model_fields if name not in (_LIST, _TOP_K)]
        if given not in ({_LIST}, set(alone)):
            received = " and ".join(sorted(given)) or "neither"
            parts = " and ".join(alone)
            raise ValueError(f"received {received}; accepted: texts (a list), or {parts} (one)")
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
    first, second = labels.request_names
    samples = labels.pair_sample if pairs else (labels.sample, "")
    parts: dict[str, tuple[Any, str, Any]] = {
        first: (text, f"one {first}, in place of {_LIST}", samples[0])
    }
    if pairs:
        parts[second] = text, f"what goes with {first}", samples[1]
    if labels.several_texts:
        count = labels.num_logits
        choices = Annotated[list[text], Field(min_length=count, max_length=count)]
        shown = [f"choice {number}" for number in range(count)]
        parts["choices"] = choices, f"the texts to choose from, of {first}", shown
    item: Any = text
    if len(parts) > 1:
        name = "TextWithChoices" if labels.several_texts else "TextPair"
        needed: dict[str, Any] = {part: (kind, ...) for part, (kind, _, _) in parts.items()}
        item = create_model(name, __config__=_STRICT, **needed)
    example = {part: shown for part, (_, _, shown) in parts.items()}
    fields: dict[str, Any] = {
        _LIST: (
            list[item],
            Field(
                default=None,
                min_length=1,
                max_length=limits.max_texts,
                description="what to answer, no text of it blank",
                examples=[[example if len(parts) > 1 else labels.sample]],
                json_schema_extra=_without_default,
            ),
        ),
        **{part: _alone(*described) for part, described in parts.items()},
    }
    if labels.lists_best:
        most = labels.most_listed() or _MOST_LISTED
        fields[_TOP_K] = (
            Annotated[int, Field(strict=True, ge=1, le=most)] | None,
            Field(default=None, description=f"only so many of {labels.listed_words}"),
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


def records_of(request: BaseModel, labels: LabelSpace) -> list[Record]:
    """The texts of a request, as a task reads them.

    Args:
        request: Of the `request_model`.
        labels: What the model's outputs mean.

    Raises:
        UserError: A text is none of the task's.
    """
    items = request.texts  # type: ignore[attr-defined]
    if items is None:
        items = [request]
    first, second = labels.request_names
    records = [
        Record(row, item, None, None)
        if isinstance(item, str)
        else Record(
            row,
            getattr(item, first),
            getattr(item, second, None),
            None,
            choices=tuple(getattr(item, "choices", ())),
        )
        for row, item in enumerate(items, 1)
    ]
    return as_read(records, labels.request_names, task=labels.task)


def _without_default(schema: dict[str, Any]) -> None:
    """Takes out the null that stands for a field that was left out: it may not be sent."""
    schema.pop("default", None)


def _alone(kind: Any, description: str, example: Any) -> tuple[Any, Any]:
    """A field of the form for one example."""
    return kind, Field(
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
