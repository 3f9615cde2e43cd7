"""Reports as tables in a terminal."""

import re

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tf_finetune.console_tables import print_table
from tf_finetune.evaluation.report import BEFORE, EvaluationReport, Mistake
from tf_finetune.reports.marked_parts import marked_stretches
from tf_finetune.tasks.metrics import METRICS
from tf_finetune.tasks.table import TASKS
from tf_finetune.tasks.wrong_answers import Answer, Verdict

SHOWN_CHARACTERS = 200
ANSWER_WIDTH = 24
PART_WIDTH = 44
# What is there is underlined, what was found stands on a background.
_STYLES: dict[Verdict, tuple[str, str]] = {
    "missed": ("red underline", ""),
    "invented": ("", "white on magenta"),
    "wrong_kind": ("underline", "black on yellow"),
    "wrong_border": ("underline", "white on blue"),
}
# Whole escape sequences: CSI (colours, cursor), the string types such as OSC (titles,
# links), and the short ones (ECMA-48, 5.3 and 5.4).
ESCAPE_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x80-\x9f]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]"
)
# C0 and C1 controls and what reorders text on the screen (Unicode bidirectional controls).
# White space is not among them: it becomes a single space.
UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
SURROGATE = re.compile(r"[\ud800-\udfff]")


def baseline_title(name: str) -> str:
    """What people call a baseline."""
    return "before fine-tuning" if name == BEFORE else name.replace("_", " ")


def printable(text: str, limit: int | None = None) -> str:
    """Makes a text from outside safe and short enough for one line of a terminal.

    The result is no rich markup and not escaped for it: a `[/b]` in it is still there. Hand
    it to rich with `user_text`.

    Args:
        text: Any text, such as an example or a class name.
        limit: The most characters to keep; None keeps all.

    Returns:
        The text without escape sequences and control characters, its white space as single
        spaces, and an ellipsis where it was cut.
    """
    text = UNPRINTABLE.sub("", ESCAPE_SEQUENCE.sub("", text))
    text = " ".join(SURROGATE.sub("\ufffd", text).split())
    if limit is not None and len(text) > limit:
        text = text[: limit - 1].rstrip() + "…"
    return text


def on_one_line(text: str) -> str:
    """As `printable`, of a part of a text: white space at its ends stays, as single spaces."""
    before, after = text[:1].isspace(), text[-1:].isspace()
    shown = printable(text)
    if not shown:
        return " " * before
    return f"{' ' * before}{shown}{' ' * after}"


def user_text(text: str, limit: int | None = None, style: str = "") -> Text:
    """A text from outside as rich shows it: `printable`, without markup or emoji codes."""
    return Text(printable(text, limit), style=style)


def render_metrics(console: Console, report: EvaluationReport) -> None:
    """Prints each score with its interval beside the baselines.

    Args:
        console: Where to print.
        report: The report of one split.
    """
    title = f"{printable(report.split)}: {_examples(report.n)}{report.threshold_words}"
    table = _table(title)
    table.add_column("metric")
    table.add_column("value", justify="right")
    table.add_column(f"{100 * report.confidence:g} % interval", justify="right")
    for name in report.baselines:
        table.add_column(baseline_title(name), justify="right", style="dim")
    for name, estimate in report.metrics.items():
        low, high = _number(estimate["low"]), _number(estimate["high"])
        table.add_row(
            METRICS[name].title,
            _number(estimate["value"]),
            f"{low} to {high}",
            *(_number(scores[name]) for scores in report.baselines.values()),
            style="bold" if name == TASKS[report.task].headline else "",
        )
    print_table(console, table)
    if report.calibration is not None:
        console.print(Text(report.calibration.sentence(), style="dim"), soft_wrap=True)
    if report.folds:
        print_table(console, _folds_table(report))


def _folds_table(report: EvaluationReport) -> Table:
    """One row a fold; the headline score has its interval."""
    headline = TASKS[report.task].headline
    table = _table(f"{printable(report.split)}: each fold")
    table.add_column("fold")
    for title in ("examples", METRICS[headline].title):
        table.add_column(title, justify="right")
    table.add_column(f"{100 * report.confidence:g} % interval", justify="right")
    table.add_column("loss", justify="right")
    for fold in report.folds:
        found = fold.metrics[headline]
        cells = (_number(found["value"]), f"{_number(found['low'])} to {_number(found['high'])}")
        loss = _number(fold.metrics["loss"]["value"])
        table.add_row(fold.name, f"{fold.n:,}", *cells, loss)
    return table


def render_per_class(console: Console, report: EvaluationReport) -> None:
    """Prints precision, recall and F1 of each class; nothing in a regression.

    Args:
        console: Where to print.
        report: The report of one split.
    """
    if not report.per_class:
        return
    task = TASKS[report.task]
    table = _table(f"{printable(report.split)}: each {task.nouns[0]}")
    table.add_column(task.nouns[0])
    for title in ("precision", "recall", "F1", task.counted):
        table.add_column(title, justify="right")
    for entry in report.per_class:
        table.add_row(
            user_text(entry.name, SHOWN_CHARACTERS),
            *(_number(value) for value in (entry.precision, entry.recall, entry.f1)),
            f"{entry.support:,}",
        )
    print_table(console, table)


def render_mistakes(console: Console, report: EvaluationReport, limit: int | None = None) -> None:
    """Prints the worst mistakes; nothing when there are none.

    Args:
        console: Where to print.
        report: The report of one split.
        limit: The most mistakes to print; None prints all that the report holds.
    """
    mistakes = report.mistakes[:limit]
    if not mistakes:
        return
    table = _table(f"{printable(report.split)}: {TASKS[report.task].mistake_words}")
    table.add_column("row", justify="right")
    if TASKS[report.task].answers_parts:
        table.add_column("mistake", max_width=PART_WIDTH)
    else:
        table.add_column("label", max_width=ANSWER_WIDTH)
        table.add_column("predicted", max_width=ANSWER_WIDTH)
        if mistakes[0].probability is not None:
            table.add_column("prob.", justify="right")
    table.add_column("text", overflow="fold")
    for mistake in mistakes:
        table.add_row(str(mistake.row), *_mistake_cells(mistake))
    print_table(console, table)


def _mistake_cells(mistake: Mistake) -> list[str | Text]:
    """What is wrong, how sure the model was of it, and the text."""
    if mistake.parts:
        said = [
            user_text(part.sentence, SHOWN_CHARACTERS).append(f" {part.probability:.2f}")
            for part in mistake.parts
        ]
        return [Text("\n").join(said), _marked_text(mistake)]
    text = user_text(mistake.text, SHOWN_CHARACTERS)
    if mistake.text_pair is not None:
        text.append("\n").append_text(user_text(mistake.text_pair, SHOWN_CHARACTERS))
    probability = [] if mistake.probability is None else [f"{mistake.probability:.2f}"]
    return [*map(_answer_text, (mistake.label, mistake.predicted)), *probability, text]


def _marked_text(mistake: Mistake) -> Text:
    """The text, with what is wrong in it marked."""
    found = Text()
    for stretch in marked_stretches(mistake.text, mistake.parts, SHOWN_CHARACTERS):
        styles = (
            _STYLES[part.verdict][place]
            for place, part in enumerate((stretch.gold, stretch.given))
            if part is not None
        )
        found.append(on_one_line(stretch.text), style=" ".join(styles))
    return found


def _table(title: str) -> Table:
    return Table(
        title=Text(title, style="bold"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False
    )


def _answer_text(answer: Answer) -> Text:
    if isinstance(answer, float):
        return Text(_number(answer))
    if isinstance(answer, str):
        return user_text(answer, SHOWN_CHARACTERS)
    return user_text(", ".join(answer) or "(none)", SHOWN_CHARACTERS)


def _number(value: float) -> str:
    return f"{value:.4f}" if abs(value) < 100 else f"{value:,.6g}"


def _examples(n: int) -> str:
    return "1 example" if n == 1 else f"{n:,} examples"
