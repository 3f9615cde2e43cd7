"""Section `evaluation`: how a trained model is scored."""

from typing import Annotated, Literal

from pydantic import Field

from tf_finetune.options.marks import Mark
from tf_finetune.options.section import Section

Probability = Annotated[float, Field(gt=0.0, lt=1.0)]


class EvaluationConfig(Section):
    """How a trained model is scored."""

    batch_size: Annotated[int, Mark.WORK, Mark.ANSWER] = Field(
        default=64, ge=1, le=65_536, description="examples a step in evaluation"
    )
    baselines: Annotated[bool, Mark.WORK] = Field(
        default=True, description="also score the majority class and the model before fine-tuning"
    )
    bootstrap_resamples: Annotated[int, Mark.WORK] = Field(
        default=1000, ge=100, le=100_000, description="resamples behind each interval"
    )
    confidence: Annotated[float, Mark.WORK] = Field(
        default=0.95, gt=0.5, lt=1.0, description="coverage of the intervals"
    )
    threshold: Annotated[Probability | Literal["auto"], Mark.ANSWER] = Field(
        default=0.5,
        description="with several labels a text: probability above which a label applies; auto: "
        "the one with the best micro F1 on the validation examples, chosen after training and "
        "kept with the model (of a finished run: its own)",
    )
    calibrate: Annotated[bool, Mark.WORK] = Field(
        default=False,
        description="find the temperature with the least loss on the validation examples (with "
        "folds, on the out-of-fold answers) after training and keep it in the model, so that its "
        "probabilities say how often it is right; the likeliest label stays the same",
    )
    mistakes: Annotated[int, Mark.WORK] = Field(
        default=20, ge=0, le=10_000, description="how many of the most confident mistakes to keep"
    )
    explained_mistakes: Annotated[int, Mark.WORK] = Field(
        default=5,
        ge=0,
        le=10_000,
        description="of how many of them to say what each word contributed to the wrong answer "
        "(integrated gradients, coloured in the report); 0: of none",
    )
