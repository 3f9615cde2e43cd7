"""The options of the method."""

from typing import Annotated

from pydantic import Field

from tf_finetune.methods.table import METHODS
from tf_finetune.options.marks import Mark
from tf_finetune.options.one_of import OneOf
from tf_finetune.options.section import Section


class MethodConfig(Section):
    """What trains above the frozen depth."""

    name: Annotated[str, OneOf(METHODS), Mark.STEP] = Field(
        default="full",
        description="full trains all weights above the depth, biases only the biases of dense "
        "layers; the head always trains",
    )
