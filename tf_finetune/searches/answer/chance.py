"""Whether the recommended model is shown to read its texts at all."""

from tf_finetune.data.folds import scored_split
from tf_finetune.data.loading import Splits
from tf_finetune.evaluation.report import constant_scores
from tf_finetune.results.recommendation import Recommendation


def chance_notes(splits: Splits, found: Recommendation) -> list[str]:
    """A sentence if the interval of the recommended score reaches what needs no text; else none.

    Args:
        splits: The data of the search.
        found: What it recommends.
    """
    scored = scored_split(splits)
    if scored is None:
        return []
    chance = constant_scores(splits.labels, scored.labels, splits.train.labels)[found.metric]
    chosen = found.recommended
    if chosen.low > chance if found.higher_is_better else chosen.high < chance:
        return []
    return [
        "The recommended model is not shown to be better than always answering "
        f"{splits.labels.constant_words}, whatever the text ({found.metric} {chance:.3f})."
    ]
