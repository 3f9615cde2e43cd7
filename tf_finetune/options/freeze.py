"""Section `freeze`: which variables are trained."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

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


class ThawPhase(Section):
    """From which epoch on fewer layers are frozen."""

    from_epoch: int = Field(ge=1, description="first epoch of the phase, counted from 1")
    depth: int = Field(ge=0, description="frozen depth from then on, less than before")
    learning_rate: Annotated[float, Field(gt=0.0, le=10.0)] | None = Field(
        default=None,
        description="peak learning rate of the run's schedule from then on; null: "
        "training.learning_rate, or where that is null one that suits the depth",
        examples=[1e-4],
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
    thaw: Annotated[tuple[ThawPhase, ...], Mark.COURSE, Mark.STEPWISE] = Field(
        default=(),
        description="phases of `train`: from an epoch on only so many layers stay frozen; such as "
        "[{from_epoch: 2, depth: 4}, {from_epoch: 3, depth: 2, learning_rate: 1e-4}] after "
        "freeze.depth=6; empty: freeze.depth holds to the end",
        examples=[[{"from_epoch": 2, "depth": 2}]],
    )

    @model_validator(mode="after")
    def _check_phases(self) -> "FreezeConfig":
        problems = []
        depth, epoch, deeper, begun = self.depth, 1, "freeze.depth", "of the run's beginning"
        for index, phase in enumerate(self.thaw):
            where = f"freeze.thaw[{index}]"
            if phase.depth >= depth:
                accepted = f"0 to {depth - 1}, or a {deeper}" if depth else f"a {deeper}"
                problems.append(
                    f"{where}.depth: received {phase.depth} after {deeper}={depth}; accepted: "
                    f"{accepted} over {phase.depth}, because a phase freezes less than before"
                )
            if phase.from_epoch <= epoch:
                problems.append(
                    f"{where}.from_epoch: received {phase.from_epoch} after epoch {epoch} {begun}; "
                    f"accepted: {epoch + 1} or more, because phases follow each other"
                )
            depth, epoch = phase.depth, phase.from_epoch
            deeper, begun = f"{where}.depth", f"of {where}"
        if problems:
            raise ValueError("\n".join(problems))
        return self
