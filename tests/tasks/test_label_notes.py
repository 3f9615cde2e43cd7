import numpy as np
import pyarrow as pa
import pytest

from tf_finetune.options.data import DataConfig
from tf_finetune.tasks.label_inference import infer_labels
from tf_finetune.tasks.label_notes import label_notes
from tf_finetune.tasks.raw_labels import RawLabels


def notes(*labels, guessed=True, **options):
    kind = pa.list_(pa.string()) if isinstance(labels[0], tuple) else None
    raw = RawLabels("train.csv", pa.chunked_array([pa.array(labels, kind)]), np.arange(len(labels)))
    config = DataConfig(**options)
    space = infer_labels(config, raw)
    return label_notes(config, space, raw, space.encode(raw), guessed=guessed)


def test_a_task_that_was_guessed_from_numbers_is_said():
    (note,) = notes("0", "1")
    assert note == (
        "data.task is taken to be single_label, because the labels are 2 different whole numbers "
        "from 0 to 1; data.task=regression takes them for numbers to predict"
    )


def test_nothing_is_said_of_names_and_of_what_the_user_set():
    assert notes("pos", "neg") == []
    assert notes("0", "1", guessed=False, task="single_label") == []
    assert notes("0", "1", label_names=("neg", "pos")) == []
    assert notes(("a", "b"), ("a",)) == []
    options = {"task": "multi_label", "label_names": ("a", "b")}
    assert notes(("1", "0"), ("0", "1"), guessed=False, **options) == []


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        (("3,5", "4"), {}, "the label '3,5' was read as 3.5, with a decimal comma; data.decimal_m"),
        (("1,234", "2.5"), {}, "the label '1,234' was read as 1234; data.decimal_mark=comma if"),
        (("37%", "2%"), {}, "the label '37%' was read as 0.37, in hundredths"),
        (
            ("37%", "40", "1"),
            {},
            "the label '37%' was read as 0.37, in hundredths, but '40', without the sign, was not",
        ),
        (("３", "4"), {}, "the label '３' was read as 3"),
        (("None", "some"), {}, "'None': a label with a name that programs give to missing values"),
        (("Pos", "pos"), {}, "labels that look alike: 'Pos' and 'pos'"),
        (
            ("['a']", "b"),
            {},
            """labels such as "['a']" are lists that are written out, and others""",
        ),
        (("a|b", "a", "b", "b|a"), {}, "labels such as 'a|b' are put together of others; data.lab"),
        (("1 2", "1", "2", "2 1"), {}, "labels such as '1 2' are put together of others; data.lab"),
        ((("0", "1"), ("1", "1")), {}, "lists of 2 zeros and ones, read by place; the labels are"),
        ((("0",), ("0", "1")), {}, "the lists hold only 0 and 1, which are taken for the names of"),
        ((("-1", "1", "1"), ("1", "-1", "1")), {}, "the lists hold whole numbers such as -1, 1, w"),
        ((("a",), ("b",)), {}, "every row has exactly one of the labels, and several may still be"),
        ((("1", "0"), ("0", "1")), {"label_names": ("a", "b")}, "every row has exactly one of the"),
    ],
)
def test_what_labels_were_taken_for_is_said(labels, options, message):
    assert any(message in note for note in notes(*labels, **options))


def test_three_groups_of_labels_that_look_alike_are_shown():
    names = [name for letter in "abcde" for name in (letter, letter.upper())]
    (note,) = notes(*names)
    assert note.count(" and ") == 4
    assert note.endswith("; and 2 more such groups")


def test_separators_in_names_of_their_own_are_not_mentioned():
    assert notes("Paris, Texas", "London, Ontario") == []
    assert notes("good", "bad", "very good", "very bad") == []
    assert notes("none", "a") == []


def test_a_label_is_the_example_of_one_note_only():
    found = [note for note in notes("37,5\xa0%", "2,0\xa0%") if note.startswith("the label")]
    assert len(found) == 2
    assert not any(note.endswith("was read as 0.375") for note in found)
