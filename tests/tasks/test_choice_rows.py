"""An example of choices is one row: a text for each, which begins with the context."""

import pytest

from tf_finetune.encoders.tokenizers import whole_texts
from tf_finetune.errors import UserError
from tf_finetune.sources.records import Record
from tf_finetune.tasks.choice_rows import choice_rows

CHOICES = ("bad", "great and fine", "dull")


@pytest.fixture
def rows(tiny_tokenizer):
    """Give the pieces of each text of an example, and its row."""

    def make(record, max_length=99):
        backend = whole_texts(tiny_tokenizer.backend_tokenizer)
        (row,) = choice_rows([record], backend, max_length)
        ends = (*row.reads[1:], len(row.ids))
        pieces = [
            tiny_tokenizer.convert_ids_to_tokens(row.ids[start:end])
            for start, end in zip(row.reads, ends, strict=True)
        ]
        return row, [" ".join(one) for one in pieces]

    return make


def test_each_choice_stands_behind_the_context_and_the_second_text(rows):
    row, texts = rows(Record(1, "the film", "it was", "1", choices=CHOICES))

    assert texts == [
        "[CLS] the film [SEP] i ##t was bad [SEP]",
        "[CLS] the film [SEP] i ##t was great and fine [SEP]",
        "[CLS] the film [SEP] i ##t was dull [SEP]",
    ]
    assert list(row.firsts) == [4, 4, 4]
    assert list(row.types) == [0] * 4 + [1] * 5 + [0] * 4 + [1] * 7 + [0] * 4 + [1] * 5
    assert row.cut == 0


def test_without_a_second_text_the_choice_is_one(rows):
    _, texts = rows(Record(1, "the film", None, "1", choices=CHOICES))

    assert texts[0] == "[CLS] the film [SEP] bad [SEP]"


def test_each_choice_has_an_equal_share_of_a_row_and_what_is_longer_is_cut(rows):
    row, texts = rows(Record(1, "the film was " * 6, None, "1", choices=CHOICES), 39)

    assert [len(text.split()) for text in texts] == [13, 13, 13]
    assert texts[0].endswith("[SEP] bad [SEP]")
    assert texts[1].endswith("[SEP] great and fine [SEP]")
    assert row.cut == 3 * (18 + 3) + 1 + 3 + 1 - 39


def test_a_row_without_room_and_an_example_without_choices_are_refused(rows):
    with pytest.raises(UserError, match=r"received 32 for all 3 choices.*at least 33"):
        rows(Record(1, "the film", None, "1", choices=CHOICES), 32)
    with pytest.raises(UserError, match=r"row 7: received 0 choices; accepted: .* at least 2"):
        rows(Record(7, "the film", None, None))
