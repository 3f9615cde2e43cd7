"""Section `run`: where a run leaves its files."""

from typing import Annotated

from pydantic import Field

from tf_finetune.options.marks import Mark
from tf_finetune.options.section import Section


class RunConfig(Section):
    """Where a run leaves its files."""

    dir: Annotated[str | None, Mark.PLACE] = Field(
        default=None,
        description="folder of the run; null: runs/ and a name made from data and depth",
        examples=["runs/reviews"],
    )
    overwrite: Annotated[bool, Mark.PLACE] = Field(
        default=False, description="replace a run that is already in the folder; false refuses"
    )
    tensorboard: Annotated[bool, Mark.PLACE] = Field(
        default=True, description="write TensorBoard events"
    )
