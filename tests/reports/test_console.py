import io
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from tf_finetune.evaluation.report import (
    ClassScore,
    EvaluationReport,
    FoldScores,
    Mistake,
    build_evaluation_report,
)
from tf_finetune.options.evaluation import EvaluationConfig
from tf_finetune.reports.console import (
    printable,
    render_metrics,
    render_mistakes,
    render_per_class,
    user_text,
)
from tf_finetune.sources.records import Record
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.tags.tags import Tags
from tf_finetune.tasks.values import Values
from tf_finetune.tasks.wrong_answers import Part, WrongPart

HOSTILE = "[/bold]\x1b[2J :smile: [red]x"


def rendered(render, report: EvaluationReport, width: int = 120, **options) -> str:
    output = io.StringIO()
    render(Console(file=output, width=width), report, **options)
    return output.getvalue()


def row(output: str, start: str) -> list[str]:
    """The cells of the first line that starts so."""
    line = next(line for line in output.splitlines() if line.strip().startswith(start))
    return [cell for cell in line.strip().split("  ") if cell.strip()]


@pytest.fixture(scope="module")
def single_label_report() -> EvaluationReport:
    targets = np.array([0, 0, 1, 1], np.int32)
    return build_evaluation_report(
        Classes(("no", HOSTILE)),
        "test",
        targets,
        np.array([[2.0, 0], [2, 0], [0, 2], [2, 0]]),
        lambda indices: [Record(1, HOSTILE + " long" * 100, "second", None)] * len(indices),
        np.arange(4) + 10,
        EvaluationConfig(bootstrap_resamples=100, confidence=0.9),
        train_targets=targets,
        logits_before=np.array([[0.0, 1]] * 4),
    )


@pytest.fixture(scope="module")
def regression_report() -> EvaluationReport:
    return build_evaluation_report(
        Values(),
        "validation",
        np.array([1.0, 2000.0], np.float32),
        np.array([[1.0], [1000.0]]),
        lambda indices: [Record(1, f"text {index}", None, None) for index in indices],
        np.arange(2),
        EvaluationConfig(bootstrap_resamples=100),
    )


def test_metrics_stand_beside_their_interval_and_baselines(single_label_report):
    output = rendered(render_metrics, single_label_report)
    assert "test: 4 examples" in output
    assert "90 % interval" in output
    assert output.index("before fine-tuning") < output.index("majority class")
    cells = [cell.strip() for cell in row(output, "accuracy")]
    assert cells[:2] == ["accuracy", "0.7500"]
    assert cells[3:] == ["0.5000", "0.5000"]
    assert " to " in cells[2]


def test_metrics_fit_an_ordinary_terminal(single_label_report):
    output = rendered(render_metrics, single_label_report, width=80)
    assert max(map(len, output.splitlines())) <= 80
    assert "…" not in output


def test_large_numbers_are_grouped(regression_report):
    output = rendered(render_metrics, regression_report)
    assert [cell.strip() for cell in row(output, "MSE")][1] == "500,000"


def test_each_class_has_a_row_with_its_name_as_it_is(single_label_report):
    output = rendered(render_per_class, single_label_report)
    assert [cell.strip() for cell in row(output, "no")] == ["no", "0.6667", "1.0000", "0.8000", "2"]
    assert "[/bold] :smile: [red]x" in output
    assert "\x1b" not in output


def test_mistakes_show_row_answers_and_shortened_texts(single_label_report):
    output = rendered(render_mistakes, single_label_report)
    assert row(output, "13")[0] == "13"
    assert "most confident mistakes" in output
    assert "0.88" in output  # the probability of "no"
    assert "[/bold] :smile: [red]x long" in output
    assert output.count("long") < 50
    assert "second" in output
    assert "\x1b" not in output


def test_errors_of_a_regression_have_no_probability(regression_report):
    output = rendered(render_mistakes, regression_report)
    assert "largest errors" in output
    assert "prob." not in output
    assert [cell.strip() for cell in row(output, "1")] == ["1", "2,000", "1,000", "text 1"]


def test_what_a_report_lacks_is_not_printed(single_label_report, regression_report):
    assert rendered(render_per_class, regression_report) == ""
    assert rendered(render_mistakes, single_label_report, limit=0) == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain [b]text[/b] 😀 naïve", "plain [b]text[/b] 😀 naïve"),
        ("two\nlines\tand\r\nmore\u2028here", "two lines and more here"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x9b31mred", "red"),
        ("\x1b]0;title\x07shown", "shown"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPdevice\x1b\\shown", "shown"),
        ("\x1bcreset", "reset"),
        ("\x1b]0;never closed", "0;never closed"),
        ("bell\x07 back\x08 null\x00 del\x7f", "bell back null del"),
        ("right\u202eleft\u2066", "rightleft"),
        ("half \ud800", "half \ufffd"),
    ],
)
def test_printable_removes_what_a_terminal_would_obey(text, shown):
    assert printable(text) == shown


def test_printable_cuts_to_the_limit():
    assert printable("abcdef", 6) == "abcdef"
    assert printable("abcdefg", 6) == "abcde…"
    assert printable("abcd efg", 6) == "abcd…"


def test_user_text_is_neither_markup_nor_emoji_code():
    output = io.StringIO()
    Console(file=output, width=80).print(user_text(HOSTILE))
    assert output.getvalue() == "[/bold] :smile: [red]x\n"


def test_each_fold_has_a_row_with_its_interval(single_label_report):
    fold = FoldScores("fold-1", 1234, single_label_report.metrics)
    output = rendered(render_metrics, replace(single_label_report, folds=(fold,)))
    name, examples, accuracy, interval, loss = (cell.strip() for cell in row(output, "fold-1"))
    assert (name, examples) == ("fold-1", "1,234")
    assert [accuracy, interval] == [cell.strip() for cell in row(output, "accuracy")[1:3]]
    assert loss == row(output, "loss")[1].strip()


def test_wrong_entities_stand_by_their_text_and_are_marked_in_it(regression_report):
    city = Part(8, 16, "city", "New York")
    parts = (
        WrongPart("missed", Part(0, 3, "[b]name", "Ann"), None, 0.75),
        WrongPart("wrong_border", city, Part(12, 16, "city", "York"), 0.5),
    )
    mistake = Mistake(0, 7, "Ann saw New York", None, [], [], 0.75, parts=parts)
    score = ClassScore("city", 0.5, 1.0, 0.25, 3)
    report = replace(regression_report, task=Tags.task, mistakes=(mistake,), per_class=(score,))
    output = rendered(render_mistakes, report)
    cells = [cell.strip() for cell in row(output, "7")]
    assert cells == ["7", 'missed [b]name "Ann" 0.75', "Ann saw New York"]
    assert 'city "New York" found as city "York" 0.50' in output
    assert "prob." not in output
    coloured = io.StringIO()
    render_mistakes(Console(file=coloured, width=120, force_terminal=True), report)
    assert "\x1b[4;31mAnn\x1b[0m saw " in coloured.getvalue()
    assert [cell.strip() for cell in row(rendered(render_per_class, report), "kind")] == [
        *("kind", "precision", "recall", "F1", "entities")
    ]
