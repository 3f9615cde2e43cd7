"""What made the model give its worst wrong answers."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from tf_finetune.evaluation.attributions import Explanation
from tf_finetune.evaluation.explanation.explainer import Explainer
from tf_finetune.evaluation.explanation.precision import Precision
from tf_finetune.evaluation.report import EvaluationReport, Mistake
from tf_finetune.sources.records import Record
from tf_finetune.tasks.wrong_answers import RecordsOf

# Colours need no more digits, and every run waits for them.
_PRECISION = Precision(steps=16, most_steps=128, tolerance=0.02)


def explain_mistakes(
    explainer: Explainer,
    reports: Mapping[str, EvaluationReport],
    records_of: Mapping[str, RecordsOf],
    limit: int,
) -> dict[str, EvaluationReport]:
    """The same reports, with what was wrong explained in the worst mistakes.

    That is the output that was wrong, or, where an answer is parts of the text, the surest wrong
    part: what was found, or that nothing was.

    Args:
        explainer: Of the model that the reports are about.
        reports: By split.
        records_of: By split, what gives the examples that rows are of.
        limit: How many mistakes of each.
    """
    found = {}
    for name, report in reports.items():
        worst = report.mistakes[:limit]
        records = records_of[name](np.array([mistake.index for mistake in worst], np.int64))
        explained = (
            replace(mistake, explanation=_explain(explainer, mistake, record))
            for mistake, record in zip(worst, records, strict=True)
        )
        found[name] = replace(report, mistakes=(*explained, *report.mistakes[limit:]))
    return found


def _explain(explainer: Explainer, mistake: Mistake, record: Record) -> Explanation | None:
    if not mistake.parts:
        return explainer.explain_answer(record, mistake.output, _PRECISION)
    surest = max(mistake.parts, key=lambda part: part.probability)
    part = surest.given
    if part is None:
        assert surest.gold is not None
        part = replace(surest.gold, label="")
    return explainer.explain_part(record, part, _PRECISION)
