"""The table of what models made from another lose: one row a model."""

from rich import box
from rich.table import Table

from tf_finetune.export.quality_loss import QualityLoss
from tf_finetune.tasks.metrics import METRICS


def loss_table(title: str, first_column: str, metric: str, confidence: float) -> Table:
    """An empty table, narrow enough for 80 columns.

    Args:
        title: Above it.
        first_column: What the rows are.
        metric: Name of the score.
        confidence: Of the intervals, such as 0.95.
    """
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(first_column)
    interval = f"{100 * confidence:g} % interval"
    for name in ("MiB", METRICS[metric].title, "loss", interval, "same", "ms"):
        table.add_column(name, justify="right")
    return table


def add_model(table: Table, name: str, size: int, loss: QualityLoss, milliseconds: float) -> None:
    """Adds the row of a model.

    Args:
        table: From `loss_table`.
        name: Of the model.
        size: Bytes.
        loss: Against what it was made from.
        milliseconds: Median time of a call.
    """
    table.add_row(
        name,
        f"{size / 2**20:.1f}",
        f"{loss.value:.4f}",
        f"{loss.loss:.4f}",
        f"{loss.low:.4f} to {loss.high:.4f}",
        _same(loss),
        f"{milliseconds:.1f}",
    )


def _same(loss: QualityLoss) -> str:
    """The share of same answers above its interval."""
    if loss.same_answers is None or loss.same_interval is None:
        return "–"
    low, high = (100 * end for end in loss.same_interval)
    return f"{loss.same_answers:.2%}\n{low:.3g} to {high:.3g}%"
