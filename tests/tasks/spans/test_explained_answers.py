"""Which answer is explained, by which outputs of which window."""

import numpy as np
import pytest

from tf_finetune.errors import UserError
from tf_finetune.sources.records import Record
from tf_finetune.tasks.questions import Asked
from tf_finetune.tasks.spans.spans import Spans
from tf_finetune.tasks.task_rows import TaskRow
from tf_finetune.tasks.wrong_answers import Part

CONTEXT = "Ann or Bo or Ann Li"
RECORD = Record(3, "who?", CONTEXT, None)
PLACES = ((0, 3), (4, 6), (7, 9), (10, 12), (13, 16), (17, 19))


def window(begin, end):
    """A row whose context begins at its position 5."""
    reads = (0, *range(5, 5 + end - begin))
    return TaskRow(0, (), reads, (begin, end), 0, 19, begin, spans=PLACES[begin:end])


# The third and fourth token are in both.
ROWS = (window(0, 4), window(2, 6))
NONE = Part(0, 0, "no answer", "")


def logits(**heights):
    """Starts and ends of both rows; each height is named by its row and read."""
    found = np.full((2, 5, 2), -4.0, np.float32)
    for name, height in heights.items():
        row, read = name.removeprefix("at").split("_")
        found[int(row), int(read)] = height
    return found


def chosen(by_read, asked, threshold=None):
    labels = Spans(no_answer_threshold=threshold)
    return labels.chosen_part(RECORD, (ROWS, by_read.reshape(2, -1)), asked)


def question(part, by_read=None):
    def logits_of(row):
        assert by_read is not None, "one window shows it"
        return by_read[ROWS.index(row)]

    return Spans().question(RECORD, part, ROWS, logits_of)


def test_the_models_own_answer_is_chosen():
    part, probability = chosen(logits(at1_3=6.0), Asked())

    assert part == Part(13, 16, "answer", "Ann") and 0.9 < probability < 1.0


def test_a_text_is_taken_where_it_is_the_likeliest_answer():
    part, probability = chosen(logits(at1_3=6.0, at0_1=5.0), Asked(text="Ann"))
    assert (part.start, part.end) == (13, 16)
    assert chosen(logits(at1_3=5.0, at0_1=6.0), Asked(text="Ann")).part.start == 0
    # Of all spans, like that of the answer.
    own = chosen(logits(at1_3=6.0, at0_1=5.0), Asked())
    assert (part, probability) == own
    # A probability that rounds to nothing is one all the same.
    assert chosen(logits(at1_3=900.0), Asked(text="Bo")).probability == 0.0


@pytest.mark.parametrize(
    ("text", "why"),
    [("Rome", "is not there"), ("Ann or Bo or Ann", "tokens that it reads")],
)
def test_a_text_that_could_be_no_answer_is_refused(text, why):
    with pytest.raises(UserError, match=f"--answer: received '{text}', .* of row 3, .* {why}"):
        chosen(logits(), Asked(text=text))


def test_no_answer_is_asked_about_where_there_may_be_none():
    sure = logits(at0_0=-0.5, at1_0=0.0)
    assert chosen(sure, Asked(), 0.5) == chosen(sure, Asked(text=""), 0.5)
    part, probability = chosen(sure, Asked(text=""), 0.5)
    assert part == NONE and 0.9 < probability < 1.0
    with pytest.raises(UserError, match="--answer: received '', but of this model every question"):
        chosen(sure, Asked(text=""))


def test_an_answer_is_asked_about_by_its_start_and_its_end():
    asked = question(Part(13, 19, "answer", "Ann Li"))

    assert asked == (ROWS[1], (7, 8), (0, 1), 'answer "Ann Li"')
    # The window that shows all of it, not a part of it.
    assert question(Part(4, 12, "answer", "or Bo or")) == (ROWS[0], (6, 8), (0, 1)) + (
        'answer "or Bo or"',
    )
    assert question(Part(0, 16, "answer", "Ann or Bo or Ann")) is None


def test_of_several_windows_that_decides_whose_score_is_taken():
    bo = Part(7, 9, "answer", "Bo")
    assert question(bo, logits(at0_3=2.0, at1_1=3.0)).row is ROWS[1]
    assert question(bo, logits(at0_3=3.0, at1_1=2.0)).row is ROWS[0]
    # That there is none is as likely as in the window where it is least.
    asked = question(NONE, logits(at0_0=3.0, at1_0=2.0))
    assert asked == (ROWS[1], (0, 0), (0, 1), "no answer")


def test_of_a_context_without_tokens_there_is_nothing_to_say():
    row = TaskRow(0, (), (0, 0), (0, 1), 0, 1, spans=((0, 0),))
    assert Spans().question(RECORD, Part(0, 0, "answer", ""), [row], None) is None
