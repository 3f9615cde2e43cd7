"""Answers at a terminal."""

from tf_finetune.prediction.readable import readable_lines
from tf_finetune.sources.records import Record
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.several_classes import SeveralClasses
from tf_finetune.tasks.spans.spans import Spans
from tf_finetune.tasks.tags.tags import Tags
from tf_finetune.tasks.values import Values

SINGLE = Classes(("neg", "positive"))
SEVERAL = SeveralClasses(("dull", "good"))
NUMBER = Values()
ONE = {"label": "neg", "probabilities": {"neg": 0.75, "positive": 0.25}}


def record(text, pair=None):
    return Record(1, text, pair, None)


def test_label_probability_and_text_stand_in_a_line():
    line = readable_lines(SINGLE, 80, listed=False)

    assert line(record("dull\nfilm"), ONE) == "neg       0.7500  dull film\n"
    assert line(record("a", "b"), ONE) == "neg       0.7500  a | b\n"


def test_listed_labels_stand_below_the_text():
    line = readable_lines(SINGLE, 80, listed=True)

    assert line(record("dull"), ONE) == "dull\n  neg       0.7500\n  positive  0.2500\n"


def test_labels_that_apply_and_numbers_are_shown():
    several, number = (readable_lines(labels, 80, listed=False) for labels in (SEVERAL, NUMBER))
    shares = {"dull": 0.5, "good": 0.75}

    both = several(record("x"), {"labels": ["dull", "good"], "probabilities": shares})
    assert both == "dull 0.5000, good 0.7500  x\n"
    assert several(record("x"), {"labels": [], "probabilities": shares}).split() == [
        *("no", "label", "x")
    ]
    assert number(record("x"), {"value": 3.25}).split() == ["3.25", "x"]


def test_an_answer_to_a_question_stands_before_it_and_others_below():
    best = {"start": 0, "end": 4, "text": "dull", "probability": 0.5}
    answer = {"answer": "dull", **best, "answers": [best]}
    line, listed = (readable_lines(Spans(), 80, listed=listed) for listed in (False, True))

    assert line(record("was it?", "dull film"), answer) == "dull  0.5000  was it? | dull film\n"
    assert line(record("a", "b"), answer | {"answer": None}) == "no answer  0.5000  a | b\n"
    assert listed(record("a", "b"), answer).splitlines()[1].split() == ["dull", "0.5000"]


def test_entities_are_marked_in_their_line_which_is_not_cut():
    labels = Tags(("O", "B-city", "I-city", "B-name", "I-name"))
    text = "Ann\n  saw \x1b[2JNew  York, " + "far " * 20
    start = text.index("New")
    parts = [
        {"start": 0, "end": 3, "label": "name", "probability": 0.756},
        {"start": start, "end": start + 9, "label": "city", "probability": 0.5},
    ]
    plain, coloured = (
        readable_lines(labels, 20, listed=False, coloured=with_colours)(
            record(text), {"entities": parts}
        )
        for with_colours in (False, True)
    )

    assert plain.startswith("[Ann](name 0.76) saw ")
    assert "[New York](city 0.50), far far" in plain and plain.endswith("far far\n")
    assert "\x1b" not in plain
    assert "\x1b[1;32m[Ann]\x1b[0m\x1b[2m(name 0.76)\x1b[0m saw" in coloured
    assert "\x1b[1;36m[New York]" in coloured and "\x1b[2J" not in coloured
    assert readable_lines(labels, 20, listed=False)(record("no one"), {"entities": []}) == (
        "no one\n"
    )


def test_long_and_wide_texts_end_where_the_terminal_does():
    line = readable_lines(SINGLE, 40, listed=False)

    assert line(record("x" * 100), ONE) == f"neg       0.7500  {'x' * 21}…\n"
    assert line(record("影" * 100), ONE) == f"neg       0.7500  {'影' * 10}…\n"


def test_nothing_that_a_terminal_would_obey_is_written():
    line = readable_lines(SINGLE, 80, listed=False)

    assert "\x1b" not in line(record("a\x1b[2Jb"), ONE)
