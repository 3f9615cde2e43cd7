"""Which scores there are, what they are called, and which way is better."""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """A score.

    Attributes:
        title: Its name for people.
        low: Its least value.
        high: Its greatest value.
        lower_is_better: Whether it is an error.
        is_monitor: Whether training and search may go by it.
    """

    title: str
    low: float = 0.0
    high: float = 1.0
    lower_is_better: bool = False
    is_monitor: bool = True

    @property
    def limits(self) -> tuple[float, float]:
        """The range of its values."""
        return self.low, self.high


METRICS = {
    "accuracy": Metric("accuracy"),
    "macro_f1": Metric("macro F1"),
    "micro_f1": Metric("micro F1"),
    "mcc": Metric("MCC", -1.0),
    "pearson": Metric("Pearson r", -1.0),
    "spearman": Metric("Spearman r", -1.0),
    "mse": Metric("MSE", high=math.inf, lower_is_better=True, is_monitor=False),
    "mae": Metric("MAE", high=math.inf, lower_is_better=True, is_monitor=False),
    "strict_f1": Metric("entity F1, strict"),
    "strict_precision": Metric("entity precision, strict", is_monitor=False),
    "strict_recall": Metric("entity recall, strict", is_monitor=False),
    "lenient_f1": Metric("entity F1, lenient"),
    "word_accuracy": Metric("word accuracy"),
    "token_f1": Metric("token F1"),
    "exact_match": Metric("exact match"),
    "relation_f1": Metric("macro F1 of relations"),
    "loss": Metric("loss", high=math.inf, lower_is_better=True),
}


class Monitors(Collection[str]):
    """Names of the scores that training and search may go by, as the table has them now."""

    def __iter__(self) -> Iterator[str]:
        """In the order of the table."""
        return (name for name, metric in METRICS.items() if metric.is_monitor)

    def __len__(self) -> int:
        """How many there are."""
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        """Whether it is one."""
        return name in tuple(self)
