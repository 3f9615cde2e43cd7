"""Section `encoder`: the pretrained encoder."""

from typing import Annotated, Literal

from pydantic import Field

from tf_finetune.options.marks import Mark
from tf_finetune.options.section import Section
from tf_finetune.options.values import Fraction

WantedPooling = Literal[
    "auto", "first", "mean", "max", "last", "first_state", "words", "second_text", "choice"
]


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
    adapter: Annotated[str | None, Mark.INPUT] = Field(
        default=None,
        description="a local folder of PyTorch's PEFT with LoRA, DoRA or IA3 for this encoder; it "
        "is merged into the weights as they are read, and a head and a pooler in it take the place "
        "of the checkpoint's",
        examples=["adapters/reviews"],
    )
    pooling: Annotated[WantedPooling, Mark.STEP] = Field(
        default="auto",
        description="what the head reads of a text: the state of its first or its last token, or "
        "the mean or the largest value of all its tokens' states; auto follows the checkpoint "
        "(sentence-transformers' file, or a model trained here), otherwise what is usual for such "
        "an encoder. What is usual goes through the encoder's pooler, anything else straight to "
        "the head, as does first_state, the first token without the pooler. A task that tags words "
        "reads the first piece of each word, and nothing else (words)",
    )
    layers: Annotated[int | None, Mark.STEP] = Field(
        default=None,
        ge=1,
        description="how many of the encoder's first layers the model has, from 1; what is above "
        "them is neither computed nor exported; null: all",
        examples=[4],
    )
    dropout: Annotated[Fraction | None, Mark.STEP, Mark.STEPWISE] = Field(
        default=None,
        description="dropout of hidden states and attention; null: as the encoder says",
        examples=[0.1],
    )
