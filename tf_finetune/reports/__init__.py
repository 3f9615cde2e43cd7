"""What a model's outputs are worth: scores with intervals, tables, figures and files.

All is loaded at first use: who only needs probabilities does not wait for scikit-learn and
matplotlib.
"""

from typing import TYPE_CHECKING

from tf_finetune.lazy_names import lazy_names

if TYPE_CHECKING:
    from tf_finetune.reports.console import (
        printable,
        render_metrics,
        render_mistakes,
        render_per_class,
        user_text,
    )
    from tf_finetune.reports.evaluation import (
        ClassScore,
        EvaluationReport,
        FoldScores,
        Mistake,
        build_evaluation_report,
    )
    from tf_finetune.reports.figures import confusion_figure, png_bytes, regression_figure
    from tf_finetune.reports.intervals import Estimate, with_intervals
    from tf_finetune.reports.metrics import (
        headline_metric,
        predicted,
        probabilities,
        resolve_monitor,
        score,
    )
    from tf_finetune.reports.metrics_file import write_evaluation, write_metrics

__all__ = [
    "ClassScore",
    "Estimate",
    "EvaluationReport",
    "FoldScores",
    "Mistake",
    "build_evaluation_report",
    "confusion_figure",
    "headline_metric",
    "png_bytes",
    "predicted",
    "printable",
    "probabilities",
    "regression_figure",
    "render_metrics",
    "render_mistakes",
    "render_per_class",
    "resolve_monitor",
    "score",
    "user_text",
    "with_intervals",
    "write_evaluation",
    "write_metrics",
]

__getattr__ = lazy_names(
    __name__,
    {
        "console": [
            "printable",
            "render_metrics",
            "render_mistakes",
            "render_per_class",
            "user_text",
        ],
        "evaluation": [
            "ClassScore",
            "EvaluationReport",
            "FoldScores",
            "Mistake",
            "build_evaluation_report",
        ],
        "figures": ["confusion_figure", "png_bytes", "regression_figure"],
        "intervals": ["Estimate", "with_intervals"],
        "metrics": [
            "headline_metric",
            "predicted",
            "probabilities",
            "resolve_monitor",
            "score",
        ],
        "metrics_file": ["write_evaluation", "write_metrics"],
    },
)
