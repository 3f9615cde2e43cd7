"""Section `encoder`: the pretrained encoder."""

from typing import Annotated

from pydantic import Field

from tf_finetune.options.marks import Mark
from tf_finetune.options.section import Section
from tf_finetune.options.values import Fraction


class EncoderConfig(Section):
    """The pretrained encoder."""

    name: Annotated[str, Mark.INPUT] = Field(
        default="auto",
        description="a local folder (a model, or a run, whose model is taken), a hub name such as "
        "google-bert/bert-base-uncased, or package:NAME (an installed distribution that carries a "
        "model folder); auto takes an installed model package and otherwise "
        "google-bert/bert-base-uncased",
        examples=["google-bert/bert-base-uncased"],
    )
    dropout: Annotated[Fraction | None, Mark.STEP] = Field(
        default=None,
        description="dropout of hidden states and attention; null: as the encoder says",
        examples=[0.1],
    )
