"""Which scores there are, what they are called, and which way is better."""

from dataclasses import dataclass

import numpy as np


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
    "mse": Metric("MSE", high=np.inf, lower_is_better=True, is_monitor=False),
    "mae": Metric("MAE", high=np.inf, lower_is_better=True, is_monitor=False),
    "loss": Metric("loss", high=np.inf, lower_is_better=True),
}
