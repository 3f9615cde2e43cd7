"""What the head reads of a text's states, and who says so."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, get_args

from tf_finetune.encoders.family import Family, Pooling
from tf_finetune.encoders.sentence_folder import PoolingFile, pooling_file
from tf_finetune.errors import UserError
from tf_finetune.options.encoder import WantedPooling

logger = logging.getLogger(__name__)

# In config.json of a model that was trained here, unless the library's own head reads the same.
TEXT_POOLING = "text_pooling"
_WORDS: dict[Pooling, str] = {
    "first": "the first token",
    "mean": "the mean of all tokens",
    "max": "the largest of all tokens",
    "last": "the last token",
    "first_state": "the first token, without the pooler",
    "words": "the first piece of each word",
    "choice": "the first token of each choice, through the pooler",
    "second_text": "the first token, and every token of the second text",
}
_OF_SENTENCE_TRANSFORMERS: dict[str, Pooling] = {
    "cls": "first",
    "mean": "mean",
    "max": "max",
    "lasttoken": "last",
}


class PoolingChoice(NamedTuple):
    """What the head reads.

    Attributes:
        pooling: Its name.
        reason: Who says so.
    """

    pooling: Pooling
    reason: str

    def sentence(self) -> str:
        """Such as "mean (the mean of all tokens), as 1_Pooling/config.json says"."""
        return f"{self.pooling} ({_WORDS[self.pooling]}), {self.reason}"


def choose_pooling(
    wanted: WantedPooling, folder: Path, config: Mapping[str, Any], family: Family
) -> PoolingChoice:
    """Follows the option, the checkpoint or the family's habit, in this order.

    A checkpoint whose own pooling is not computed here is pooled by habit, and a warning says so.

    Args:
        wanted: `encoder.pooling`.
        folder: The encoder's.
        config: Its config.json as a mapping.
        family: Its family.

    Raises:
        UserError: A file that says how the encoder is pooled is damaged.
    """
    if wanted != "auto":
        return PoolingChoice(wanted, "as encoder.pooling says")
    habit = PoolingChoice(family.pooling, f"as usual for {family.model_type}")
    file = pooling_file(folder)
    if file is not None:
        found = _of_file(file, family)
        if found is None:
            _warn(file, habit)
        return found or habit
    said = config.get(TEXT_POOLING)
    if said is None:
        return habit
    if said not in get_args(Pooling):
        raise UserError(
            f"{folder / 'config.json'}: {TEXT_POOLING}: received {said!r}; accepted: "
            f"{', '.join(get_args(Pooling))}"
        )
    return PoolingChoice(said, "as its config.json says")


def words_of(pooling: WantedPooling) -> str:
    """Such as "the mean of all tokens"; "" of a configuration that leaves it to the checkpoint."""
    return "" if pooling == "auto" else _WORDS[pooling]


def pooling_problems(pooling: Pooling, family: Family) -> list[str]:
    """What is wrong with a pooling that a family cannot compute."""
    if pooling in family.poolings:
        return []
    return [
        f"encoder.pooling: received {pooling}, which {family.model_type} cannot do; accepted: "
        f"auto, {', '.join(family.poolings)}"
    ]


def _of_file(file: PoolingFile, family: Family) -> PoolingChoice | None:
    if file.modes is None or len(file.modes) > 1:
        return None
    pooling = _OF_SENTENCE_TRANSFORMERS.get(file.modes[0])
    if pooling not in family.poolings:
        return None
    return PoolingChoice(pooling, f"as {_short(file.path)} says")


def _warn(file: PoolingFile, habit: PoolingChoice) -> None:
    what = "is missing"
    if file.modes is not None:
        what = f"says {' and '.join(file.modes)}, which is not computed"
    logger.warning(
        "encoder.pooling: %s %s; taken: %s. Another: encoder.pooling=mean, for example",
        file.path,
        what,
        habit.sentence(),
    )


def _short(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"
