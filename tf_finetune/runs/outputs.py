"""What a model computes of examples, before it is put into words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tf_finetune.data.read_vectors import stacked
from tf_finetune.errors import UserError
from tf_finetune.sources.records import Record
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.task_rows import TaskRow


@dataclass(frozen=True, eq=False)
class Outputs:
    """A model's outputs for some examples.

    Attributes:
        records: The examples.
        rows: The rows that were answered, where the task makes them; else none.
        logits: float32 [n, labels], or of rows [rows, r * labels].
    """

    records: Sequence[Record]
    rows: Sequence[TaskRow]
    logits: np.ndarray

    def answers(self, labels: LabelSpace, top_k: int | None = None) -> Iterator[dict[str, Any]]:
        """What to say of each example; see `LabelSpace.answers` and `LabelSpace.row_answers`.

        Raises:
            UserError: An output is NaN or infinite, so the model is not one to use.
        """
        check_finite(self.logits)
        if labels.makes_rows:
            return labels.row_answers(self.records, self.rows, self.logits, top_k)
        return labels.answers(self.logits, top_k)

    def apart(self) -> list["Outputs"]:
        """Those of each example by themselves."""
        of_rows = [row.example for row in self.rows] or range(len(self.records))
        borders = np.searchsorted(np.asarray(of_rows), np.arange(len(self.records) + 1))
        return [
            Outputs(
                self.records[number : number + 1],
                [row._replace(example=0) for row in self.rows[first:after]],
                self.logits[first:after],
            )
            for number, (first, after) in enumerate(zip(borders, borders[1:], strict=False))
        ]

    @classmethod
    def together(cls, parts: Sequence["Outputs"]) -> "Outputs":
        """The opposite of `apart`."""
        return replace(
            parts[0],
            records=[record for part in parts for record in part.records],
            rows=[
                row._replace(example=number)
                for number, part in enumerate(parts)
                for row in part.rows
            ],
            logits=stacked([part.logits for part in parts]),
        )


def check_finite(logits: np.ndarray) -> None:
    """Refuses outputs of a model that is not one to use.

    Raises:
        UserError: An output is NaN or infinite.
    """
    if not np.isfinite(logits).all():
        raise UserError(
            "the model's outputs are NaN or infinite",
            hint="The training diverged: lower training.learning_rate, or set training.clip_norm.",
        )
