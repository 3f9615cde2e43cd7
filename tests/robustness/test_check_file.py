"""A file of checks adds to the packaged ones; what is wrong with it is told with its place."""

import pytest

from tf_finetune.errors import UserError
from tf_finetune.robustness.changes import Typos
from tf_finetune.robustness.check_file import load_checks
from tf_finetune.robustness.checks import KINDS


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "mine.yaml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def by_name(checks):
    return {check.name: check for check in checks.checks}


def test_packaged_checks_are_well_formed():
    checks = by_name(load_checks(None))

    assert len(checks) >= 12
    assert {check.kind for check in checks.values()} <= set(KINDS)
    assert not checks["negation"].decides
    assert all(check.about for check in checks.values())
    assert checks["names"].change("Anna", "s") != "Anna"


def test_a_file_adds_replaces_and_leaves_out(written):
    checks = load_checks(
        written(
            "lists: {names: [Zoe], praise: [fine, great]}\n"
            "checks:\n"
            "  typos: {kind: invariance, change: typos, count: 4}\n"
            "  numbers: null\n"
            "  praised: {kind: minimum_function, label: pos, texts: ['a {praise} film', [x, y]]}\n"
            "  worse: {kind: direction, change: add, after: dull, expect: less, label: pos,\n"
            "    tolerance: 0.05, decides: false, column: title}\n"
            "slices: [source]\n"
        )
    )

    found = by_name(checks)
    assert found["typos"].change == Typos(4)
    assert "numbers" not in found and "case" not in found and "upper_case" in found
    assert found["praised"].texts == (("a fine film", None), ("a great film", None), ("x", "y"))
    worse = found["worse"]
    assert (worse.expect, worse.label, worse.tolerance) == ("less", "pos", 0.05)
    assert (worse.decides, worse.column) == (False, "title")
    assert (checks.slices, worse.place.split(", ")[1]) == (("source",), "line 6")
    swapped = {found["names"].change("Zoe", str(seed)) for seed in range(60)}
    assert "Zoe" not in swapped and len(swapped) > 20


def test_all_mistakes_are_told_with_line_received_and_accepted(written):
    path = written(
        "list: {}\n"
        "lists:\n"
        "  names: []\n"
        "  pronouns: [he]\n"
        "  mine: [one]\n"
        "checks:\n"
        "  a: {kind: invariant, change: typos}\n"
        "  b: {kind: invariance, change: typoes}\n"
        "  c: {kind: invariance, change: swap, words: nobody}\n"
        "  d: {kind: invariance, change: typos, count: 0}\n"
        "  e: {kind: direction, change: numbers}\n"
        "  f: {kind: invariance, change: numbers, label: pos}\n"
        "  g: {kind: minimum_function, label: pos, texts: ['{nobody}']}\n"
        "  h: {kind: direction, change: numbers, expect: less, tolerance: 2}\n"
        "  i: text\n"
        "slices: source\n"
    )

    with pytest.raises(UserError) as caught:
        load_checks(path)

    expected = [
        "line 1: list: unknown; nearest: lists",
        "line 3: names: received []; accepted: at least 1 word to add",
        "line 4: pronouns: received ['he']; accepted: a mapping from words to words, as the one",
        "line 5: mine: received ['one']; accepted: at least 2 words",
        "line 16: slices: received 'source'; accepted: a list of columns of the data",
        "line 7: a.kind: received 'invariant'; accepted: minimum_function, invariance, direction",
        "line 8: b.change: received 'typoes'; accepted: typos, case",
        "line 9: c.words: received 'nobody'; accepted: names, pronouns",
        "line 10: d.count: received '0'; accepted: a whole number of at least 1",
        "line 11: e.expect: received nothing; accepted: more, less, less_sure",
        "line 12: f.label: received 'pos'; accepted: kind, decides, about, change, column",
        "line 13: g.texts: received '{nobody}'; accepted: a list: names",
        "line 14: h.tolerance: received '2'; accepted: a number from 0 to 1",
        "line 15: i.kind: received 'text'; accepted: a mapping with kind",
    ]
    assert len(caught.value.problems) == len(expected)
    for problem, part in zip(caught.value.problems, expected, strict=True):
        assert problem.startswith(f"{path}, {part}"), problem


def test_a_file_that_is_none_is_one_sentence(written, tmp_path):
    with pytest.raises(UserError, match=r"nowhere.yaml: cannot be read: .*accepted: a YAML file"):
        load_checks(str(tmp_path / "nowhere.yaml"))
    with pytest.raises(UserError, match=r"line \d: not valid YAML"):
        load_checks(written("checks: [\n"))
    with pytest.raises(UserError, match="line 1: received .*accepted: a mapping with lists"):
        load_checks(written("- a\n"))


def test_a_template_has_no_more_texts_than_are_quick(written):
    words = ", ".join(f"w{number}" for number in range(60))
    path = written(
        f"lists: {{a: [{words}], b: [{words}]}}\n"
        "checks: {many: {kind: minimum_function, label: x, texts: ['{a} {b} {a}']}}\n"
    )

    texts = by_name(load_checks(path))["many"].texts

    assert 400 < len(texts) <= 500
    assert all(text.split()[0] == text.split()[2] for text, _ in texts)
