"""Wrong entities on the page, told apart by line, colour and word."""

from dataclasses import replace

from tf_finetune.evaluation.report import ClassScore, Mistake
from tf_finetune.reports.page.coloured_parts import coloured_parts, verdicts_of
from tf_finetune.reports.page.writing import render_page
from tf_finetune.tasks.tags.tags import Tags
from tf_finetune.tasks.wrong_answers import Part, WrongPart

TEXT = "<b>Ann</b> saw New York"
NAME, CITY = Part(3, 6, "name", "Ann"), Part(15, 23, "city", "New York")
PARTS = (
    WrongPart("missed", NAME, None, 0.75),
    WrongPart("wrong_border", CITY, Part(19, 23, "city", "York"), 0.5),
)
MISTAKE = Mistake(0, 7, TEXT, None, [], [], 0.75, parts=PARTS)


def test_stretches_say_what_is_wrong_and_what_ends():
    found = coloured_parts(MISTAKE, 600)

    assert "".join(one["text"] for one in found) == TEXT
    assert [one["names"] for one in found] == [
        *("", "gold-missed", "", "gold-wrong_border", "gold-wrong_border given-wrong_border")
    ]
    assert [note["text"] for one in found for note in one["notes"]] == [
        "name missed",
        "city border",
    ]
    assert found[1]["title"] == 'missed: missed name "Ann"'


def test_a_wrong_kind_says_both_kinds():
    part = WrongPart("wrong_kind", NAME, replace(NAME, label="city"), 0.75)

    found = coloured_parts(replace(MISTAKE, parts=(part,)), 600)

    assert [note["text"] for one in found for note in one["notes"]] == ["name, not city"]


def test_the_legend_has_what_there_is():
    assert [(one["title"], one["names"]) for one in verdicts_of([MISTAKE])] == [
        ("missed", "gold-missed"),
        ("wrong border", "gold-wrong_border given-wrong_border"),
    ]
    assert verdicts_of([replace(MISTAKE, parts=())]) == []


def test_the_page_marks_entities_and_counts_them_by_kind(run_content):
    content = run_content()
    task = Tags.task
    scores = content.reports["test"].metrics["accuracy"]
    report = replace(
        content.reports["test"],
        task=task,
        metrics={Tags.headline: scores, "loss": scores},
        baselines={},
        per_class=(ClassScore("city", 0.0, 0.0, 0.0, 1), ClassScore("name", 0.0, 0.0, 0.0, 1)),
        confusion=None,
        mistakes=(MISTAKE,),
    )
    page = render_page(
        replace(content, reports={"test": report}, data={**content.data, "task": task})
    )

    assert '<mark class="gold-missed" title="missed: missed name &#34;Ann&#34;">Ann</mark>' in page
    assert '<sub class="note missed">name missed</sub>' in page
    assert '<mark class="gold-wrong_border given-wrong_border" title=' in page
    assert "&lt;b&gt;" in page and TEXT not in page
    assert "city &#34;New York&#34; found as city &#34;York&#34;, 0.500" in page
    assert "Each kind on the test examples" in page
    assert "Entities of each kind" in page
