"""Tagged texts become rows whose reads are the words' first pieces."""

import pytest

from tf_finetune.encoders.tokenizers import whole_texts
from tf_finetune.sources.records import Record
from tf_finetune.tasks.tags.tag_rows import tag_rows


def tagged(text, *tags):
    spans, start = [], 0
    for word in text.split(" "):
        spans.append((start, start + len(word)))
        start += len(word) + 1
    return Record(1, text, None, tags or None, tuple(spans))


def pieces_read(row, tokenizer):
    return [tokenizer.convert_ids_to_tokens(row.ids[read]) for read in row.reads]


def test_each_word_is_read_at_its_first_piece(tiny_tokenizer):
    record = tagged("good film xyz")
    (row,) = tag_rows([record], whole_texts(tiny_tokenizer.backend_tokenizer), 32)
    assert row.ids == tiny_tokenizer(record.text)["input_ids"]
    assert [piece[0] for piece in pieces_read(row, tiny_tokenizer)] == ["g", "f", "x"]
    assert row.words == (0, 3)
    assert (row.start, row.end) == (0, len(record.text))


@pytest.mark.parametrize(
    "name", ["byte_level_tokenizer", "unmarked_tokenizer", "unigram_tokenizer"]
)
def test_rows_of_other_tokenizers_are_those_of_their_library(name, request):
    tokenizer = request.getfixturevalue(name)
    record = tagged("the film was good")
    (row,) = tag_rows([record], whole_texts(tokenizer.backend_tokenizer), 64)
    assert row.ids == tokenizer(record.text)["input_ids"]
    firsts = [p.lstrip("Ġ▁")[0] for p in pieces_read(row, tokenizer)]
    assert firsts == ["t", "f", "w", "g"]


def test_a_word_of_nothing_but_what_the_tokenizer_drops_is_not_read(tiny_tokenizer):
    (row,) = tag_rows(
        [tagged("good \u200b film")], whole_texts(tiny_tokenizer.backend_tokenizer), 32
    )
    assert [read >= 0 for read in row.reads] == [True, False, True]


def test_a_long_text_gives_rows_that_answer_each_word_once(tiny_tokenizer):
    tags = [f"B-{number}" for number in range(40)]
    record = tagged(" ".join(["good", "xyzxyz"] * 20), *tags)
    rows = list(
        tag_rows([record, tagged("film")], whole_texts(tiny_tokenizer.backend_tokenizer), 16)
    )
    of_first = [row for row in rows if row.example == 0]
    assert rows[-1].example == 1
    assert len(of_first) > 5
    assert all(len(row.ids) <= 16 for row in rows)
    shown = [row.shown(record) for row in of_first]
    assert [tag for one in shown for tag in one.label] == tags
    for row, one in zip(of_first, shown, strict=True):
        words = [one.text[start:end] for start, end in one.spans]
        assert words == [record.text[s:e] for s, e in record.spans[slice(*row.words)]]
        assert len(row.reads) == len(words) == len(one.label)
        assert one.row == record.row
