"""What made the model give its worst wrong answers."""

from collections.abc import Mapping
from dataclasses import replace

from tf_finetune.evaluation.explanation.explainer import Explainer
from tf_finetune.evaluation.explanation.precision import Precision
from tf_finetune.evaluation.report import EvaluationReport

# Colours need no more digits, and every run waits for them.
_PRECISION = Precision(steps=16, most_steps=128, tolerance=0.02)


def explain_mistakes(
    explainer: Explainer, reports: Mapping[str, EvaluationReport], limit: int
) -> dict[str, EvaluationReport]:
    """The same reports, with the output that was wrong explained in the worst mistakes.

    Args:
        explainer: Of the model that the reports are about.
        reports: By split.
        limit: How many mistakes of each.
    """
    return {
        name: replace(
            report,
            mistakes=tuple(
                replace(
                    mistake,
                    explanation=explainer.explain(
                        mistake.text, mistake.text_pair, mistake.output, _PRECISION
                    ),
                )
                if rank < limit
                else mistake
                for rank, mistake in enumerate(report.mistakes)
            ),
        )
        for name, report in reports.items()
    }
