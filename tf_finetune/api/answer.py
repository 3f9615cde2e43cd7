"""What a search answers, as an object."""

import html
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tf_finetune.api.finished import Finished
from tf_finetune.api.html_table import html_table
from tf_finetune.errors import UserError
from tf_finetune.results.recommendation import DepthResult, Recommendation
from tf_finetune.results.recommendation_file import read_recommendation
from tf_finetune.searches.running.directory import SearchDirectory

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

FIGURES = ("depths", "costs")
# What a notebook leaves out of the table, so that the rest is seen at once.
_NOT_SHOWN = ("below_best", "seeds", "seconds_per_epoch")


class Answer(Finished):
    """What to fine-tune, how sure that is, what it costs, and the model that was trained so.

    Args:
        folder: Of a finished search, which may have been a command.
        held: What the search reads again when it is asked for; kept as long as this is.

    Raises:
        UserError: There is no finished search.

    Example:
        >>> answer = tft.Answer(answer.path)
        >>> answer.trials["status"].unique().tolist()
        ['completed']
        >>> answer.model.predict("the fine film")["label"].tolist()
        ['pos']
        >>> answer.report.path.name
        'report.html'
    """

    def __init__(self, folder: "str | Path", held: Sequence[object] = ()):
        directory = SearchDirectory(Path(folder).expanduser())
        if not directory.outcome.is_file() or not directory.is_finished:
            raise UserError(
                f"{folder}: holds no finished search; accepted: a folder that `search` wrote",
            )
        super().__init__(directory, held)
        self._content = json.loads(directory.outcome.read_text(encoding="utf-8"))

    @property
    def sentence(self) -> str:
        """The answer and how sure it is."""
        return str(self._content["answer"])

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know before acting on it."""
        return (*self.recommendation.notes, *self._content["notes"])

    @property
    def interrupted(self) -> bool:
        """Whether the search was stopped before its end, so that more may be had from it."""
        return bool(self._content["interrupted"])

    @cached_property
    def recommendation(self) -> Recommendation:
        """All numbers of the answer."""
        return read_recommendation(self._content["recommendation"])

    @property
    def table(self) -> "pd.DataFrame":
        """A row a depth and method, the best learning rate of each.

        The score and its interval `low` to `high`; what it costs as multiples of full
        fine-tuning's seconds an epoch, or of the least frozen depth's; how much worse than the
        best it is; `recommended` marks the answer. Where methods were compared, what trains no
        layer at all is "head alone".
        """
        import pandas as pd

        found = self.recommendation
        rows = [self._row(result) for result in found.depths]
        table = pd.DataFrame(rows)
        if table["method"].notna().any():
            table["method"] = table["method"].fillna("head alone")
        unused = [name for name in ("method", "layers_used") if table[name].isna().all()]
        return table.drop(columns=unused)

    def _row(self, result: DepthResult) -> dict[str, Any]:
        found = self.recommendation
        return {
            "method": result.place.method_name or None,
            "depth": result.depth,
            "layers_used": result.cell.layers_used,
            "learning_rate": result.learning_rate,
            found.metric: result.score,
            "low": result.low,
            "high": result.high,
            "below_best": 0.0 if result.to_best is None else result.to_best.difference,
            "seeds": len(result.seeds),
            "trained": result.trainable_parameters,
            "seconds_per_epoch": result.seconds_per_epoch,
            "relative_time": result.relative_time,
            "peak_memory_bytes": result.peak_memory_bytes,
            "relative_answer": result.relative_answer,
            "recommended": result.place == found.recommended_place,
        }

    @property
    def trials(self) -> "pd.DataFrame":
        """A row a trial, in the order in which they ended."""
        import pandas as pd

        metric = self.recommendation.metric
        return pd.DataFrame(
            [
                {
                    "depth": record["request"]["cell"]["frozen_depth"],
                    "learning_rate": record["request"]["cell"]["learning_rate"],
                    **record["request"]["cell"]["extra"],
                    "seed": record["request"]["seed"],
                    metric: record["result"]["score"],
                    "status": record["result"]["status"],
                    "seconds": record["wall_seconds"],
                }
                for record in self._content["trials"]
            ]
        )

    def plot(self, which: str = "depths") -> "Figure":
        """A figure of the page.

        Args:
            which: `depths`: score against frozen depth; `costs`: score against seconds.

        Raises:
            UserError: `which` is neither.
        """
        from tf_finetune.reports.page.search_figures import cost_figure, score_by_depth_figure

        if which not in FIGURES:
            raise UserError(f"which: received {which!r}; accepted: {' or '.join(FIGURES)}")
        draw = score_by_depth_figure if which == "depths" else cost_figure
        return draw(self.recommendation)

    def __str__(self) -> str:
        """The sentence."""
        return self.sentence

    def __repr__(self) -> str:
        """The folder and the recommendation, in a line."""
        recommended = self.recommendation.recommended
        return (
            f"Answer({str(self.path)!r}: depth {recommended.cell.place_words}, "
            f"{self.recommendation.metric} {recommended.score:.3f})"
        )

    def _repr_html_(self) -> str:
        """The sentence over the most of the table."""
        table = html_table(self.table.drop(columns=list(_NOT_SHOWN)))
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        return f"<p><b>{html.escape(self.sentence)}</b></p>{table}<ul>{notes}</ul>"
