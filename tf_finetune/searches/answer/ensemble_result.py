"""What an ensemble is worth beside the single model, for reports and for `search.json`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tf_finetune.evaluation.report import EvaluationReport
from tf_finetune.export.quality_loss import QualityLoss
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.metrics import METRICS


@dataclass(frozen=True)
class EnsembleResult:
    """What the ensemble is worth.

    Attributes:
        seeds: Of its members.
        labels: What its outputs mean, with the threshold of the ensemble.
        reports: Its scores by split, test first; the names say that they are the ensemble's.
        split: The split on which it is held against the single model.
        difference: What it loses there against the single model; below 0 it is better.
    """

    seeds: tuple[int, ...]
    labels: LabelSpace
    reports: Mapping[str, EvaluationReport]
    split: str
    difference: QualityLoss

    def sentence(self) -> str:
        """Its score beside the single model's, and the price."""
        found, count = self.difference, len(self.seeds)
        report = next(iter(self.reports.values()))
        own = report.metrics[found.metric]
        more = "more" if found.loss <= 0 else "less"
        sign = -1 if found.loss <= 0 else 1
        low, high = sorted((sign * found.low, sign * found.high))
        return (
            f"The ensemble of {count} seeds has {METRICS[found.metric].title} {found.value:.4f} on "
            f"the {self.split} split ({own['low']:.4f} to {own['high']:.4f}), the single model "
            f"{found.original:.4f}: {abs(found.loss):.4f} {more} ({100 * report.confidence:g} % "
            f"interval {low:.4f} to {high:.4f}). An answer takes {count} times as long."
        )

    def to_dict(self) -> dict[str, Any]:
        """Every number, as JSON."""
        return {
            "sentence": self.sentence(),
            "seeds": list(self.seeds),
            "threshold": self.labels.threshold,
            "scores": {name: report.metrics for name, report in self.reports.items()},
            "split": self.split,
            "against_single_model": asdict(self.difference),
        }
