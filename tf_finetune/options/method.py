"""Section `method`: how what is above the frozen depth is trained."""

from typing import Annotated

from pydantic import Field

from tf_finetune.options.marks import Mark
from tf_finetune.options.one_of import OneOf
from tf_finetune.options.section import Section


class MethodConfig(Section):
    """What trains above the frozen depth."""

    name: Annotated[str, OneOf("method"), Mark.STEP] = Field(
        default="full",
        description="what trains above the frozen depth, beside the head: full trains all weights, "
        "biases those of the dense layers alone",
    )
