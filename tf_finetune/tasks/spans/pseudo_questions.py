"""Questions that nobody asked but that are possible: answered rightly, or wrongly."""

import numpy as np

from tf_finetune.tasks.pseudo_examples import MOST_EXAMPLES, Kind
from tf_finetune.tasks.spans.answer_text import agreement
from tf_finetune.tasks.spans.span_layout import HEAD, SpanTargets, joined_lines, span_line
from tf_finetune.tasks.spans.span_layout import span_targets as as_lines
from tf_finetune.tasks.spans.span_rows import NOWHERE


def pseudo_questions(
    targets: SpanTargets, by_read: np.ndarray, kind: Kind, seed: int, *, margin: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """Copies of rows, each an example by itself whose answer is what its window holds of it.

    A wrong answer is none where there is one; or, where every question has one, a token that
    has no word in common with it. Where there is none it is the first token that says something.

    Args:
        targets: What is known of n rows.
        by_read: Starts and ends, float [n, r, 2].
        kind: What becomes of the answers.
        seed: Draws the rows.
        margin: By how much no answer must beat the best span to be given; None: every question
            has an answer, and rows that hold none are copied only if there are no others.

    Returns:
        Targets and outputs of at most `MOST_EXAMPLES` rows, shaped as the given ones.
    """
    holds, may_lack = targets.start != NOWHERE, margin is not None
    possible = holds | (~targets.has_answer if may_lack else False)
    among = np.flatnonzero(possible) if possible.any() else np.arange(len(targets))
    rng = np.random.default_rng(seed)
    rows = rng.choice(among, min(len(among), MOST_EXAMPLES), replace=False).tolist()
    lines, answers = [], np.zeros((len(rows), *by_read.shape[1:]))
    for place, row in enumerate(rows):
        count = int(targets.reads[row])
        start, end = int(targets.start[row]), int(targets.end[row])
        gold = targets.said(row, start - 1, end) if start != NOWHERE else ""
        spans = targets.lines[row, HEAD : HEAD + 2 * (count - 1)].reshape(-1, 2)
        told = (gold,) if start != NOWHERE else ()
        target = start, end, int(targets.first[row])
        lines.append(span_line(target, spans, targets.text(row), told, goes_on=False))
        if kind == "wrong":
            start = end = _wrong_token(targets, row, gold, may_lack=may_lack)
        size = max(1.0 + abs(margin or 0.0), float(np.abs(by_read[row]).max()))
        answers[place, :count] = -size
        answers[place, start, 0] = answers[place, end, 1] = size
    width = targets.lines.shape[1]
    return joined_lines(as_lines(lines), np.zeros((0, width), np.int32)), answers


def _wrong_token(targets: SpanTargets, row: int, gold: str, *, may_lack: bool) -> int:
    """The read of a wrong answer of one token."""
    if gold and may_lack:
        return NOWHERE
    reads = range(1, int(targets.reads[row]))
    said = (targets.said(row, read - 1, read) for read in reads)
    wrong = (read for read, one in zip(reads, said, strict=True) if not agreement(one, [gold]).f1)
    return next(wrong, NOWHERE)
