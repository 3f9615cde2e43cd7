"""The page of a checked model shows shares, what changed, classes and slices."""

import re

import pytest

from tf_finetune.reports.page.check_page import class_table, marked_changes, write_check_page
from tf_finetune.robustness.results import CheckReport, CheckResult, Failure, Share, Slice


def share(failed, n):
    return Share.of(failed, n, 0.95)


def result(name, found, *, kind="invariance", by_name=None, worst=(), decides=True, note=""):
    about = f"about <{name}>"
    return CheckResult(name, kind, about, decides, found, 100, by_name or {}, worst, note)


@pytest.fixture
def report():
    failure = Failure(7, ("a <b>fine</b> film",), ("a <b>fime</b> film",), "pos", "neg", 0.9, 0.2)
    known = Failure(1, ("good",), (), "pos", "neg", None, 0.1)
    by_name = {"neg": share(4, 40), "pos": share(16, 60)}
    checks = (
        result("typos", share(20, 100), by_name=by_name, worst=(failure,)),
        result("numbers", share(0, 0), note="changes none of the texts"),
        result("known", share(1, 2), kind="minimum_function", worst=(known,)),
        result("negation", share(90, 100), kind="direction", decides=False),
    )
    score = {"value": 0.8, "low": 0.7, "high": 0.9}
    low = {"value": 0.5, "low": 0.3, "high": 0.6}
    slices = (Slice("source", "web", 50, score, False), Slice("source", "mail", 9, low, True))
    return CheckReport(
        "new.csv", "single_label", 100, 400, 0.95, 0.0, "accuracy", score, checks, slices, 0.3
    )


def test_a_check_fails_above_the_accepted_share_if_it_decides(report):
    assert [one.name for one in report.failed] == ["known"]
    assert report.verdict == "failed: above 30 % of the texts: known 50.0 %"
    assert report.to_dict()["failed"] == ["known"]
    assert report.to_dict()["checks"][0]["share"] == 0.2
    # At the accepted share itself nothing fails.
    assert CheckReport(**{**vars(report), "most_flipped": 0.5}).failed == ()
    unasked = CheckReport(**{**vars(report), "most_flipped": None})
    assert unasked.failed == () and "known fails most often, on 50.0 %" in unasked.verdict


def test_the_page_is_one_file_in_which_texts_are_escaped(report, tmp_path):
    write_check_page(tmp_path / "check.html", "Checks <of>", report)

    page = (tmp_path / "check.html").read_text()
    assert "<script" not in page and "src=" not in page
    assert "Checks &lt;of&gt;" in page and "about &lt;typos&gt;" in page
    assert "<b>fine" not in page
    assert re.search(r"Failed: above 30 % of the texts: known 50.0 %\.", page)
    assert "changes none of the texts" in page and "does not decide" in page
    assert '<mark class="against" style="--strength: .6">&lt;b&gt;fime&lt;/b&gt;</mark>' in page
    assert "right is <b" in page
    assert page.count('<li class="failed">') == 1
    assert re.search(
        r'<tr class="emphasized">\s*<th scope="row" class="word" dir="auto">mail', page
    )
    # Each kind has its heading, known answers first.
    titles = re.findall(r"<h3>(.*?)</h3>", page)
    assert titles == [
        "Known answers",
        "Should not change the answer",
        "Should move the answer one way",
    ]


def test_few_classes_have_a_column_each_and_of_many_the_worst_are_listed(report):
    table = class_table(report)
    assert table.columns == ("check", "neg", "pos")
    assert table.rows == (("typos", "10.0 % (4 of 40)", "26.7 % (16 of 60)"),)

    many = {f"c{n}": share(n, 50) for n in range(30)}
    table = class_table(
        CheckReport(**{**vars(report), "checks": (result("x", share(1, 2), by_name=many),)})
    )
    assert len(table.rows) == 16
    assert table.rows[0][:3] == ("x", "c29", "29 of 50")


def test_what_a_change_put_there_is_marked_word_for_word():
    found = list(marked_changes("it is a fine film", "it is not a fine film ."))
    assert "".join(part.text for part in found) == "it is not a fine film ."
    assert [part.text for part in found if part.is_new] == ["not", "."]
    assert [part.text for part in marked_changes("a", "b") if part.is_new] == ["b"]
