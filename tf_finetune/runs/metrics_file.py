"""`metrics.json` and `evaluation.json` of a run directory.

`metrics.json` holds what programs read: each split's (and fold's) scores with their intervals.
`evaluation.json` holds the whole reports. NaN is not JSON and is written as null.
"""

import os
from collections.abc import Mapping

from tf_finetune.evaluation.report import EvaluationReport
from tf_finetune.storage.files import write_json


def write_metrics(path: str | os.PathLike[str], reports: Mapping[str, EvaluationReport]) -> None:
    """Writes `{"test": {"accuracy": {"value": v, "low": l, "high": h}, ...}, ...}`.

    The folds of a split follow by their own names.

    Args:
        path: The file to write, usually `metrics.json`.
        reports: One report a split, by the split's name.

    Raises:
        UserError: The file cannot be written.
    """
    folds = {fold.name: fold.metrics for report in reports.values() for fold in report.folds}
    write_json(path, {split: report.metrics for split, report in reports.items()} | folds)


def write_evaluation(path: str | os.PathLike[str], reports: Mapping[str, EvaluationReport]) -> None:
    """Writes the whole reports: baselines, classes, confusion matrices and mistakes.

    Args:
        path: The file to write, usually `evaluation.json`.
        reports: One report a split, by the split's name.

    Raises:
        UserError: The file cannot be written.
    """
    write_json(path, {split: report.to_dict() for split, report in reports.items()})
