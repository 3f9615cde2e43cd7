"""Texts cut where what is wrong in them begins and ends."""

from tf_finetune.reports.marked_parts import marked_stretches
from tf_finetune.tasks.wrong_answers import Part, WrongPart

TEXT = "Ann saw New York"
MISSED = WrongPart("missed", Part(0, 3, "name", "Ann"), None, 0.9)
BORDER = WrongPart(
    "wrong_border", Part(8, 16, "city", "New York"), Part(12, 16, "city", "York"), 0.5
)


def stretches(text, parts, limit=1000):
    return [
        (one.text, one.gold and one.gold.verdict, one.given and one.given.verdict)
        for one in marked_stretches(text, parts, limit)
    ]


def test_what_is_there_and_what_was_found_are_told_apart():
    assert stretches(TEXT, (MISSED, BORDER)) == [
        ("Ann", "missed", None),
        (" saw ", None, None),
        ("New ", "wrong_border", None),
        ("York", "wrong_border", "wrong_border"),
    ]
    ends = [one.ends for one in marked_stretches(TEXT, (MISSED, BORDER), 100)]
    assert ends == [(MISSED,), (), (), (BORDER,)]


def test_a_missed_entity_inside_what_was_found_elsewhere_keeps_both():
    wide = WrongPart("wrong_border", Part(0, 3, "name", "Ann"), Part(0, 16, "name", TEXT), 0.9)
    city = WrongPart("missed", Part(8, 16, "city", "New York"), None, 0.9)

    assert stretches(TEXT, (wide, city)) == [
        ("Ann", "wrong_border", "wrong_border"),
        (" saw ", None, "wrong_border"),
        ("New York", "missed", "wrong_border"),
    ]


def test_of_a_long_text_what_is_beside_the_surest_parts_is_shown():
    long = f"{'far ' * 100}{TEXT} {'away ' * 100}and Bob {'too ' * 30}"
    ann, bob = long.index("Ann"), long.index("Bob")
    parts = (
        WrongPart("missed", Part(ann, ann + 3, "name", "Ann"), None, 0.9),
        WrongPart("missed", Part(bob, bob + 3, "name", "Bob"), None, 0.5),
    )

    both = "".join(text for text, *_ in stretches(long, parts, 400))
    one = "".join(text for text, *_ in stretches(long, parts, 200))

    assert "Ann saw New York away" in both and "and Bob too" in both
    assert both.startswith(" … far") and both.count(" … ") == 3
    assert "Ann" in one and "Bob" not in one
    assert len(one) < 200 < len(both) < 400


def test_an_entity_of_any_length_is_cut():
    endless = WrongPart("invented", None, Part(0, 5000, "name", "a" * 5000), 0.9)

    shown = "".join(text for text, *_ in stretches("a" * 5000, (endless,), 300))

    assert len(shown) < 400
