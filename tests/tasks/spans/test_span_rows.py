"""Questions with their contexts become rows that read every token of a window."""

import pytest

from tf_finetune.encoders.tokenizers import whole_texts
from tf_finetune.sources.records import Record
from tf_finetune.tasks.spans.span_rows import MOST_TOKENS, span_rows, windows


def asked(question, context, *answers):
    spans = tuple((start, start + len(text)) for text, start in answers)
    return Record(1, question, context, tuple(text for text, _ in answers), spans)


def found(row, record):
    """What the target of a row says, in the words of the context."""
    start, end, _ = row.target
    if not start:
        return None
    return record.text_pair[row.spans[start - 1][0] : row.spans[end - 1][1]]


@pytest.mark.parametrize(
    "name",
    ["tiny_tokenizer", "byte_level_tokenizer", "unmarked_tokenizer", "unigram_tokenizer"],
)
def test_a_short_row_is_the_pair_of_the_library(name, request):
    tokenizer = request.getfixturevalue(name)
    record = asked("was it good", "the film was good", ("good", 13))
    (row,) = span_rows([record], whole_texts(tokenizer.backend_tokenizer), 128)
    expected = tokenizer(record.text, record.text_pair, return_token_type_ids=True)
    assert row.ids == expected["input_ids"]
    assert list(row.types) == expected.encodings[0].type_ids
    assert (row.start, row.end, row.words) == (0, 17, (0, len(row.spans)))
    assert row.reads[0] == 0
    second = [place for place, text in enumerate(expected.sequence_ids()) if text == 1]
    assert row.reads[1:] == second
    assert found(row, record).strip() == "good"


def test_without_an_answer_the_first_token_is_right(tiny_tokenizer):
    records = [asked("good", "the film"), Record(2, "good", "the film", None)]
    rows = list(span_rows(records, whole_texts(tiny_tokenizer.backend_tokenizer), 32))
    assert [row.target for row in rows] == [(0, 0, 0)] * 2
    assert [row.example for row in rows] == [0, 1]


def test_every_answer_of_a_long_context_lies_whole_in_a_window(tiny_tokenizer):
    words = ["good", "film"] * 150
    context = " ".join(words)
    tokens = len(tiny_tokenizer(context, add_special_tokens=False)["input_ids"])
    assert tokens == 300
    starts = [sum(len(word) + 1 for word in words[:n]) for n in range(300)]
    for first in (0, 40, 57, 150, 270):
        text = " ".join(words[first : first + MOST_TOKENS])
        record = asked("the", context, (text, starts[first]))
        rows = list(span_rows([record], whole_texts(tiny_tokenizer.backend_tokenizer), 100))
        assert all(len(row.ids) <= 100 for row in rows)
        right = [row for row in rows if row.target[0]]
        assert right
        assert {found(row, record) for row in right} == {text}
        # Tokens keep their number in the whole context in whatever window they are.
        assert {row.words[0] + row.target[0] - 1 for row in right} == {first}
        for row in rows:
            assert row.target[2] == row.words[0]
            shown = row.shown(record)
            assert shown.text_pair == context[row.start : row.end]
            assert {shown.text_pair[s:e] for s, e in shown.spans} == {"good", "film"}


def test_windows_cover_a_text_and_overlap_by_a_quarter():
    assert windows(10, 10) == [(0, 10)]
    assert windows(300, 200) == [(0, 200), (150, 300)]
    assert windows(200, 100) == [(0, 100), (70, 170), (140, 200)]  # by an answer at least
    assert windows(3, 1) == [(0, 1), (1, 2), (2, 3)]
    assert windows(0, 10) == [(0, 0)]


def test_a_long_question_keeps_half_of_the_row(tiny_tokenizer):
    record = asked("good " * 50, "the film", ("film", 4))
    (row,) = span_rows([record], whole_texts(tiny_tokenizer.backend_tokenizer), 23)
    assert len(row.ids) == 10 + 3 + 2
    assert row.cut == 40
    assert found(row, record) == "film"


def test_a_context_without_a_token_is_read_as_an_empty_one(tiny_tokenizer):
    (row,) = span_rows([asked("good", "\u200b")], whole_texts(tiny_tokenizer.backend_tokenizer), 32)
    assert (row.reads, row.spans, row.words) == ([0, 0], [(0, 0)], (0, 1))
    assert row.target == (0, 0, 0)
