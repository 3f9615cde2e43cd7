import pytest

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.columns import resolve_columns
from tf_finetune.sources.reading import read_texts

ONE_EACH = "__label__pos a good film\n__label__neg\ta bad, bad film\n"
SEVERAL = "__label__pos __label__long a good film\na film without labels\n"


def found(records):
    return [(record.row, record.text, record.label) for record in records]


def test_one_label_a_line_is_a_single_label(write, read):
    path = write("a.txt", ONE_EACH)
    assert found(read(path)) == [(1, "a good film", "pos"), (2, "a bad, bad film", "neg")]


def test_several_labels_in_a_line_make_the_task_multi_label(write, read):
    path = write("a.txt", SEVERAL)
    assert resolve_columns(DataConfig(train=path)).task == "multi_label"
    assert found(read(path)) == [
        (1, "a good film", ("pos", "long")),
        (2, "a film without labels", ()),
    ]


def test_a_set_task_decides_what_is_accepted(write, read):
    assert found(read(write("a.txt", ONE_EACH), task="multi_label"))[0][2] == ("pos",)
    with pytest.raises(UserError, match=r"row 1: has 2 labels; accepted: one __label__NAME"):
        read(write("b.txt", SEVERAL), task="single_label")


def test_texts_to_predict_come_without_their_labels(write):
    records = read_texts(DataConfig(text_column="text"), write("a.txt", ONE_EACH))
    assert [record.text for record in records] == ["a good film", "a bad, bad film"]
