"""Which split of a source that has several is meant, where the source does not say."""

from collections.abc import Sequence

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.problems import show_names

# Data sets disagree about the name of the examples to tune on; GLUE hides its test labels.
SPLIT_NAMES = {
    "train": ("train",),
    "validation": ("validation", "valid", "val", "dev", "test"),
    "test": ("test",),
}


def default_split(
    config: DataConfig, source: str, split: str, available: Sequence[str], *, accepted: str
) -> str:
    """The name under which a source has a split.

    Args:
        config: Options of the data section.
        source: The source as the user wrote it.
        split: `train`, `validation` or `test`.
        available: Names of the splits it has.
        accepted: How to ask for another split, for messages that go on with these names.

    Raises:
        UserError: It has none; or only its test split could serve for validation, and that is
            `data.test` already.
    """
    accepted = f"{accepted} {show_names(available)}"
    for name in SPLIT_NAMES.get(split, (split,)):
        if name in available:
            taken = config.test in (source, f"{source}@test")
            if split == "validation" and name == "test" and taken:
                raise UserError(
                    f"data.validation: {source} has no validation split, and its test split is "
                    f"data.test; accepted: null, or {accepted}"
                )
            return name
    raise UserError(f"{source}: has no {split} split; accepted: {accepted}")
