"""Section `cache`: where states of the frozen layers are kept."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from tf_finetune.options.marks import Mark
from tf_finetune.options.section import Section
from tf_finetune.options.value_checks import check_size
from tf_finetune.options.values import said

Size = Annotated[
    str,
    Field(json_schema_extra=said("a size in bytes with its unit")),
    AfterValidator(check_size),
]


class CacheConfig(Section):
    """Whether and where states at the frozen boundary are kept for more epochs and trials."""

    mode: Annotated[Literal["auto", "memory", "disk", "off"], Mark.PLACE] = Field(
        default="auto",
        description="where states of frozen layers are kept; auto: where they fit, if a few "
        "measured steps say that it saves time; off: the layers run in every step",
    )
    dtype: Annotated[Literal["auto", "float32", "float16", "bfloat16"], Mark.COURSE] = Field(
        default="auto",
        description="how a state is stored; auto: as it is computed, or as float16 if only that "
        "fits memory_budget",
    )
    memory_budget: Annotated[Size | None, Mark.PLACE] = Field(
        default=None,
        description="memory that states may take, such as 2GiB; null: a quarter of the machine's",
        examples=["2GiB"],
    )
    disk_budget: Annotated[Size, Mark.PLACE] = Field(
        default="20GiB",
        description="disk that states may take; what was not used for longest goes first",
    )
    dir: Annotated[str | None, Mark.PLACE] = Field(
        default=None,
        description="folder of states on disk; null: prefix/ in data.cache_dir",
        examples=["/tmp/states"],
    )
