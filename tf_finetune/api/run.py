"""A finished training, as an object."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tf_finetune.api.finished import Finished
from tf_finetune.api.html_table import html_table
from tf_finetune.runs.opening import open_run

if TYPE_CHECKING:
    import pandas as pd


class Run(Finished):
    """What was trained, how that went, and the model.

    Args:
        folder: Of a finished run, which may have been a command.
        held: What the run reads again when it is asked for; kept as long as this is.

    Raises:
        UserError: There is no finished run.

    Example:
        >>> run = tft.Run(run.path)
        >>> run.history["loss"].size
        2
        >>> sorted(run.evaluations)
        ['test', 'validation']
    """

    def __init__(self, folder: "str | Path", held: Sequence[object] = ()):
        directory, self._config = open_run(str(folder))
        super().__init__(directory, held)

    @property
    def history(self) -> "pd.DataFrame":
        """A row an epoch: loss, scores on validation, seconds."""
        import pandas as pd

        table = pd.DataFrame(self._read(self._directory.history)["epochs"])
        table.index = pd.RangeIndex(1, len(table) + 1, name="epoch")
        return table

    @property
    def evaluations(self) -> dict[str, "pd.DataFrame"]:
        """Every score with its interval, by split."""
        import pandas as pd

        found = self._read(self._directory.metrics)
        return {
            split: pd.DataFrame.from_dict(scores, orient="index").rename_axis("metric")
            for split, scores in found.items()
        }

    def _read(self, path: Path) -> Any:
        return json.loads(path.read_text(encoding="utf-8"))

    def __str__(self) -> str:
        """The first score of the first split, if any was scored."""
        found = self._read(self._directory.metrics)
        if not found:
            return f"depth {self._config.freeze.depth}: no examples to score it on"
        split, scores = next(iter(found.items()))
        name, score = next(iter(scores.items()))
        return (
            f"depth {self._config.freeze.depth}: {split} {name} {score['value']:.4g} "
            f"({score['low']:.4g} to {score['high']:.4g})"
        )

    def __repr__(self) -> str:
        """Folder and score in a line."""
        return f"Run({str(self.path)!r}: {self})"

    def _repr_html_(self) -> str:
        """The line over the scores."""
        tables = "".join(
            f"<p>{split}</p>{html_table(table, index=True)}"
            for split, table in self.evaluations.items()
        )
        return f"<p><b>{self}</b></p>{tables}"
