"""Scores of a model on labelled examples, as an object."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tf_finetune.api.html_table import html_table
from tf_finetune.evaluation.report import EvaluationReport
from tf_finetune.tasks.table import TASKS

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Scores:
    """Every score with its interval, and what the model got wrong.

    Attributes:
        report: All of it, as `evaluation.json` has it.
    """

    report: EvaluationReport

    def __getitem__(self, metric: str) -> float:
        """The value of a score: `scores["accuracy"]`."""
        return self.report.metrics[metric]["value"]

    @property
    def metrics(self) -> "pd.DataFrame":
        """A row a score: its value and its interval, `low` to `high`."""
        import pandas as pd

        rows = {name: dict(one) for name, one in self.report.metrics.items()}
        table = pd.DataFrame.from_dict(rows, orient="index")
        return table.rename_axis("metric")

    @property
    def classes(self) -> "pd.DataFrame":
        """A row a class, or a kind of entity: precision, recall, F1 and how many there are.

        Empty of numbers.
        """
        import pandas as pd

        columns = ["precision", "recall", "f1", "support"]
        rows = {one.name: [getattr(one, c) for c in columns] for one in self.report.per_class}
        return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis(
            TASKS[self.report.task].nouns[0]
        )

    @property
    def mistakes(self) -> "pd.DataFrame":
        """The most confident mistakes or largest errors, worst first.

        Of tagged texts `label` and `predicted` hold what is wrong, in words.
        """
        import pandas as pd

        columns = ["row", "text", "label", "predicted", "probability"]
        rows: list[list[Any]] = [[getattr(m, c) for c in columns] for m in self.report.mistakes]
        return pd.DataFrame(rows, columns=columns)

    def __str__(self) -> str:
        """The first score with its interval."""
        name, first = next(iter(self.report.metrics.items()))
        interval = f"{first['low']:.4g} to {first['high']:.4g}"
        return (
            f"{name} {first['value']:.4g} ({self.report.confidence:.0%} interval {interval}) on "
            f"{self.report.n:,} examples"
        )

    def __repr__(self) -> str:
        """The same, with the name of the class."""
        return f"Scores({self})"

    def _repr_html_(self) -> str:
        """The scores as a table."""
        return f"<p><b>{self}</b></p>{html_table(self.metrics, index=True)}"
