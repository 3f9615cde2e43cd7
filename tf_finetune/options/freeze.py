"""Section `freeze`: which variables are trained."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from tf_finetune.options.marks import Mark
from tf_finetune.options.section import Section
from tf_finetune.options.value_checks import check_layer_ranges, check_pattern
from tf_finetune.options.values import said

Part = Literal["embeddings", "attention", "feed_forward", "layer_norm", "bias", "pooler", "head"]


class FreezeRule(Section):
    """One ordered rule: the variables it selects, and whether they are trained."""

    train: bool = Field(description="whether the selected variables are trained")
    layers: (
        Annotated[
            str,
            Field(
                pattern=r"^\d+(-\d+)?(,\d+(-\d+)?)*$",
                json_schema_extra=said("layers and ranges of layers, with commas"),
            ),
            AfterValidator(check_layer_ranges),
        ]
        | None
    ) = Field(
        default=None,
        description='encoder layers such as "0-3" or "0,5"; null: wherever the variable is',
        examples=["0-3"],
    )
    parts: tuple[Part, ...] | None = Field(
        default=None,
        description="parts of the model; null: every part",
        examples=[["attention", "bias"]],
    )
    pattern: (
        Annotated[
            str,
            Field(json_schema_extra=said("a regular expression")),
            AfterValidator(check_pattern),
        ]
        | None
    ) = Field(
        default=None,
        description="regular expression searched in the variable's path; null: any path",
        examples=["output/dense"],
    )


class FreezeConfig(Section):
    """Which variables are trained."""

    depth: Annotated[int, Mark.STEP, Mark.TRIAL] = Field(
        default=0,
        ge=0,
        description="frozen depth k: 0 trains everything; k >= 1 freezes the embeddings and "
        "encoder layers 0..k-1; the number of layers trains only the head, and the pooler if "
        "there is one",
    )
    embeddings: Annotated[bool, Mark.STEP] = Field(
        default=False, description="freeze the embeddings also at depth 0 (deeper ones always do)"
    )
    rules: Annotated[tuple[FreezeRule, ...], Mark.STEP] = Field(
        default=(),
        description="ordered rules that come before freeze.depth; the first that matches a "
        "variable decides",
        examples=[[{"train": True, "parts": ["bias"]}]],
    )
