"""Texts that are labelled are known again, wherever they are labelled."""

import pytest

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.ranking.labelled import different_texts, labelled_keys, unlabelled
from tf_finetune.sources.records import Record


@pytest.fixture
def data(tmp_path):
    """A run's own examples: two to train on, one to validate on."""
    (tmp_path / "train.csv").write_text("text,label\nown one,a\nown two,b\n")
    (tmp_path / "validation.csv").write_text("text,label\nown three,a\n")
    (tmp_path / "by_now.csv").write_text("text,kind\nnew one,a\n")
    return DataConfig(
        train=str(tmp_path / "train.csv"),
        validation=str(tmp_path / "validation.csv"),
        text_column="text",
        label_column="label",
    )


def records(*texts):
    return [Record(number, text, None, None) for number, text in enumerate(texts, 1)]


def test_own_examples_and_those_of_files_are_left_out(data, tmp_path):
    keys = labelled_keys(data, [str(tmp_path / "by_now.csv")], without="")
    given = records("own two", "new one", "new two", "own three", "own one")

    assert [record.text for record in unlabelled(given, keys)] == ["new two"]


def test_examples_that_are_gone_are_told_with_how_to_do_without(data, tmp_path):
    (tmp_path / "train.csv").unlink()

    with pytest.raises(UserError) as caught:
        labelled_keys(data, ["nowhere.csv"], without="Do this.")

    own, other = caught.value.problems
    assert own.startswith("data.train: the run's own examples: ") and "no such file" in own
    assert other.startswith("--labelled: nowhere.csv: no such file")
    assert caught.value.hint == "Texts that are labelled are left out. Do this."


def test_different_texts_are_counted_as_far_as_they_matter():
    given = records("a", "b", "a", "c")

    assert different_texts(given, 9) == (4, 3)
    assert different_texts(given, 2) == (4, 2)
    assert different_texts([], 2) == (0, 0)
