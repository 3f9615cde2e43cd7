"""Checks count what becomes of a made-up model's answers."""

import numpy as np
import pytest

from tf_finetune.robustness.battery import Asked, Battery
from tf_finetune.robustness.changes import Add, Case, Numbers, Punctuation, Swap, Typos
from tf_finetune.robustness.checks import Check
from tf_finetune.robustness.word_lists import WordList
from tf_finetune.sources.records import Record
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.several_classes import SeveralClasses
from tf_finetune.tasks.values import Values

CLASSES = Classes(("neg", "pos"))
TEXTS = ("a good film", "a bad film", "good", "這部電影")
RECORDS = [Record(row, text, None, None) for row, text in enumerate(TEXTS, start=2)]
TARGETS = np.array([1, 0, 1, 0], np.int32)


def score(text):
    return 2.0 * text.count("good") - 2.0 * text.count("bad") - 4.0 * text.count("not")


def ask(records):
    """Classes by words that are written in lower case."""
    return np.array([[0.0, score(one.text)] for one in records])


def ask_numbers(records):
    return np.array([[score(one.text)] for one in records])


def run(check, labels=CLASSES, asking=ask, records=RECORDS, targets=TARGETS, **options):
    battery = Battery(labels, asking, ("text", None), **options)
    return battery.run(check, Asked(records, targets, asking(records)))


def test_flips_are_counted_among_the_texts_that_changed_and_by_class():
    found = run(Check("upper", "invariance", change=Case("upper")))

    # "A GOOD FILM" has no word that the model knows: 0.5 for each, and the first class is taken.
    assert (found.texts, found.share.n, found.share.failed) == (4, 3, 2)
    assert found.share.low == pytest.approx(0.0943, abs=1e-4)  # Clopper and Pearson's, 2 of 3
    assert found.share.high == pytest.approx(0.9916, abs=1e-4)
    assert {n: (s.failed, s.n) for n, s in found.by_name.items()} == {"neg": (0, 1), "pos": (2, 2)}
    first = found.worst[0]
    assert (first.row, first.texts, first.changed) == (2, ("a good film",), ("A GOOD FILM",))
    assert (first.before, first.after) == ("pos", "neg")
    assert first.value_before == pytest.approx(1 / (1 + np.exp(-2)))
    assert first.value_after == pytest.approx(0.5)


def test_a_change_of_none_of_the_texts_is_said_and_counts_nowhere():
    found = run(Check("numbers", "invariance", change=Numbers()))

    assert (found.share.n, found.share.value) == (0, None)
    assert found.note == "changes none of the texts"


def test_no_more_failures_are_kept_than_are_asked_for():
    found = run(Check("upper", "invariance", change=Case("upper")), most_worst=1)
    assert len(found.worst) == 1


NEGATION = Swap(WordList(pairs={"good": "not good"}))


def test_a_direction_fails_where_the_output_moves_against_it():
    more = Check("more", "direction", change=NEGATION, expect="more", label="pos")
    less = Check("less", "direction", change=NEGATION, expect="less", label="pos")
    sure = Check("sure", "direction", change=NEGATION, expect="less_sure")
    surer = Check("surer", "direction", change=Add(after="good"), expect="less_sure")

    assert [run(one).share.failed for one in (more, less, sure)] == [2, 0, 0]
    # The texts answered "pos" get surer; the others lose their answer.
    assert (run(surer).share.failed, run(surer).share.n) == (2, 4)


def test_a_probability_may_move_by_the_tolerance_against_a_direction():
    check = Check("more", "direction", change=NEGATION, expect="more", label="pos", tolerance=0.9)
    assert run(check).share.failed == 0


def test_known_answers_are_asked_for_without_the_data():
    texts = (("good", None), ("bad", None), ("not good", None))
    found = run(Check("known", "minimum_function", texts=texts, label="pos"))

    assert (found.share.n, found.share.failed) == (3, 2)
    worst = found.worst[0]
    # -2 for each, so the first of the two.
    assert (worst.row, worst.texts, worst.changed) == (2, ("bad",), ())
    assert (worst.before, worst.after, worst.value_before) == ("pos", "neg", None)


def test_numbers_are_others_beyond_the_tolerance_and_have_no_sureness():
    options = {"labels": Values(), "asking": ask_numbers, "targets": np.zeros(4, np.float32)}
    upper = Check("upper", "invariance", change=Case("upper"))

    assert run(upper, **options, tolerance=2.0).share.failed == 0
    found = run(upper, **options, tolerance=1.9)
    assert (found.share.failed, found.by_name) == (3, {})
    assert (found.worst[0].before, found.worst[0].after) == (2.0, 0.0)
    more = Check("more", "direction", change=NEGATION, expect="more")
    assert run(more, **options, tolerance=3.9).share.failed == 2
    sure = run(Check("sure", "direction", change=NEGATION, expect="less_sure"), **options)
    assert (sure.share.n, "no probability" in sure.note) == (0, True)


def test_of_several_labels_any_that_changes_is_a_flip():
    labels = SeveralClasses(("fine", "bad"))

    def asking(records):
        return np.array([[score(one.text), one.text.count("bad") - 0.5] for one in records])

    targets = np.array([[1, 0], [0, 1], [1, 0], [0, 0]], np.float32)
    found = run(Check("upper", "invariance", change=Case("upper")), labels, asking, targets=targets)
    assert (found.share.failed, found.share.n) == (3, 3)
    assert {n: (s.failed, s.n) for n, s in found.by_name.items()} == {
        "fine": (2, 2),
        "bad": (1, 1),
    }
    assert found.worst[0].after == []


PAIRS = [Record(1, "see 1999", "in 1999", None), Record(2, "nothing", "1999", None)]


def asked_of(check):
    """What a model that reads pairs is asked of the changed texts."""
    seen = []

    def asking(records):
        seen.append([(one.text, one.text_pair) for one in records])
        return np.zeros((len(records), 2))

    Battery(CLASSES, asking, ("first", "second")).run(
        check, Asked(PAIRS, TARGETS[:2], np.zeros((2, 2)))
    )
    return seen[0]


def test_both_texts_of_a_pair_change_alike():
    both = asked_of(Check("numbers", "invariance", change=Numbers()))

    assert both[0][0].split()[1] == both[0][1].split()[1] != "1999"
    assert both[1][0] == "nothing"


def test_a_column_is_changed_alone_where_a_check_names_it():
    check = Check("numbers", "invariance", change=Numbers(), column="first")
    assert [second for _, second in asked_of(check)] == ["in 1999"]


def test_a_text_that_would_be_blank_stays():
    records = [Record(1, "...", None, None), Record(2, "a, b", None, None)]
    check = Check("none", "invariance", change=Punctuation("none"))
    assert run(check, records=records, targets=TARGETS[:2]).share.n == 1


def test_a_text_is_changed_by_its_row_and_the_check_whichever_others_are_checked():
    seen = []

    def asking(records):
        seen.append([one.text for one in records])
        return np.zeros((len(records), 2))

    records = [Record(row, "wonderful actors carry this film", None, None) for row in range(30)]
    battery = Battery(CLASSES, asking, ("text", None))
    for name, some in (("a", records), ("a", records[3:]), ("b", records[3:])):
        targets, logits = np.zeros(len(some), np.int32), np.zeros((len(some), 2))
        battery.run(Check(name, "invariance", change=Typos()), Asked(some, targets, logits))

    whole, part, other = seen
    assert len(set(whole)) > 10
    assert part == whole[3:] != other
