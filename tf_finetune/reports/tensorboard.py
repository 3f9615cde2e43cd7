"""What TensorBoard shows of a run beside its scalars: the freeze table and the figures."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tensorflow as tf

from tf_finetune.evaluation.report import EvaluationReport
from tf_finetune.reports.figures import confusion_figure, png_bytes
from tf_finetune.reports.page.content import ReportContent
from tf_finetune.reports.page.drawing import (
    curve_drawings,
    evaluation_drawings,
    plan_drawing,
    search_drawings,
)
from tf_finetune.storage.disk_space import told_when_full


def write_plan_text(events: Path, markdown: str) -> None:
    """Shows the freeze plan under Text."""
    with _shown(events, step=0):
        tf.summary.text("freeze_plan", markdown)


def write_report_summaries(events: Path, reports: dict[str, EvaluationReport], step: int) -> None:
    """Shows final scores under Scalars and confusion matrices under Images."""
    with _shown(events, step):
        for split, report in reports.items():
            for name, estimate in report.metrics.items():
                tf.summary.scalar(f"final/{split}/{name}", estimate["value"])
            if report.confusion is not None:
                figure = confusion_figure(report.confusion, [c.name for c in report.per_class])
                image = tf.io.decode_png(png_bytes(figure), channels=4)
                tf.summary.image(f"confusion/{split}", image[None])


def write_report_figures(events: Path, content: ReportContent) -> None:
    """Shows the figures of a report page under Images, those of a search first."""
    drawings = [*search_drawings(content), *curve_drawings(content)]
    plan = plan_drawing(content)
    drawings += [plan] if plan else []
    drawings += evaluation_drawings(content.reports)
    with _shown(events, step=0):
        for number, drawing in enumerate(drawings, start=1):  # else they sort by name
            image = tf.io.decode_png(png_bytes(drawing.figure), channels=4)
            tf.summary.image(
                f"report/{number:02}-{drawing.name}", image[None], description=drawing.description
            )


@contextmanager
def _shown(events: Path, step: int) -> Iterator[None]:
    """Writes the summaries of the block to a new event file."""
    with told_when_full(events), tf.summary.create_file_writer(str(events)).as_default(step=step):
        yield
