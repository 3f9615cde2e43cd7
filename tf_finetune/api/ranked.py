"""Texts to label next, as a table."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from tf_finetune.ranking.labelled import labelled_keys, unlabelled
from tf_finetune.ranking.pool import text_key
from tf_finetune.ranking.ranked_text import text_columns
from tf_finetune.ranking.request import check_request, too_few
from tf_finetune.runs.opening import OpenedRun
from tf_finetune.sources.records import Record

if TYPE_CHECKING:
    import pandas as pd

    from tf_finetune.runs.ensemble import Ensemble


def ranked_table(
    run: OpenedRun,
    load: Callable[[], "Ensemble"],
    records: Iterable[Record],
    labelled: Iterable[Record],
    *,
    count: int,
    by: str | None,
    balanced: bool,
    own: bool,
) -> "pd.DataFrame":
    """See `Model.rank`.

    Args:
        run: The run.
        load: Gives its model.
        records: The texts.
        labelled: Those that are labelled beside the run's own.
        count: How many.
        by: See `check_request`.
        balanced: See `Request`.
        own: Whether the run's own examples are left out.
    """
    import pandas as pd

    from tf_finetune.jobs.rank import rank

    config = run.config
    request = check_request(
        run.labels,
        count,
        by,
        balanced=balanced,
        seed=config.training.seed,
        flags=("count", "by", "balanced"),
    )
    keys = frozenset(map(text_key, labelled))
    if own:
        keys |= labelled_keys(config.data, (), without="own=False does without them.")
    rest = unlabelled(records, keys)
    ranked = rank(load, rest, request, batch_size=config.evaluation.batch_size)
    if len(ranked) < count:
        raise too_few("count", count, len(ranked), "texts")
    columns = text_columns(config.data, ranked[0].record)
    return pd.DataFrame([one.to_row(columns) for one in ranked])
