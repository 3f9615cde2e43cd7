"""Which texts of a stream to label next, by a trained model."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tf_finetune.data.chunks import in_chunks
from tf_finetune.prediction.streaming import CHUNK_TEXTS
from tf_finetune.ranking.choosing import choose
from tf_finetune.ranking.pool import Candidate, Pool, drawn
from tf_finetune.ranking.ranked_text import RankedText, ranked_text
from tf_finetune.ranking.request import Request
from tf_finetune.runs.outputs import Outputs, check_finite
from tf_finetune.sources.records import Record

if TYPE_CHECKING:
    from tf_finetune.runs.ensemble import Ensemble


def rank(
    load: Callable[[], "Ensemble"],
    records: Iterable[Record],
    request: Request,
    *,
    batch_size: int,
    on_progress: Callable[[int], None] = lambda done: None,
) -> list[RankedText]:
    """Chooses texts to label; in memory are some thousand texts and those that may be chosen.

    Args:
        load: Gives the model; called when there is a text.
        records: The texts, read once; those that are labelled are not among them.
        request: What is asked, from `check_request`.
        batch_size: Texts a forward pass.
        on_progress: Called with the number of texts that are answered.

    Returns:
        Different texts, as many as are asked for or as there are, the highest score first.

    Raises:
        UserError: A row is bad, or the model's outputs are NaN or infinite.
    """
    trained: Ensemble | None = None
    pool, done = Pool(request.kept), 0
    for chunk in in_chunks(records, CHUNK_TEXTS):
        trained = trained or load()
        outputs = trained.outputs_of(chunk, batch_size)
        check_finite(outputs.logits)
        pool.offer(outputs, _scores(outputs, trained, request), _groups(outputs, trained, request))
        done += len(chunk)
        on_progress(done)
    if trained is None:
        return []
    member, labels = trained.members[0], trained.labels

    def vectors_of(candidates: Sequence[Candidate]) -> np.ndarray:
        found = [one.record for one in candidates]
        return member.vectors_of(found, batch_size, rows=member.rows_of(found))

    weighed = request.measure(labels) is not None
    chosen = choose(pool.groups(), request, vectors_of, weighed=weighed)
    return [ranked_text(one, labels, request) for one in chosen]


def _scores(outputs: Outputs, trained: "Ensemble", request: Request) -> np.ndarray:
    """How unsure the model is of each text; of answers without probabilities, an even draw."""
    measure = request.measure(trained.labels)
    if measure is None:
        return np.array([drawn(record, request.seed) for record in outputs.records])
    return trained.labels.doubts(measure, outputs.records, outputs.rows, outputs.logits)


def _groups(outputs: Outputs, trained: "Ensemble", request: Request) -> np.ndarray:
    if request.balanced:
        return trained.labels.predicted(outputs.logits)
    return np.zeros(len(outputs.records), np.int64)
