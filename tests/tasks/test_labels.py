import numpy as np
import pyarrow as pa
import pytest

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.label_inference import infer_labels
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.raw_labels import RawLabels
from tf_finetune.tasks.several_classes import SeveralClasses
from tf_finetune.tasks.values import Values


def raw(*labels, source="train.csv", first_row=2):
    kind = pa.list_(pa.string()) if isinstance(labels[0], tuple) else None
    half = len(labels) // 2
    chunks = [pa.array(part, kind) for part in (labels[:half], labels[half:]) if part]
    rows = np.arange(first_row, first_row + len(labels))
    return RawLabels(source, pa.chunked_array(chunks), rows)


def infer_again(config: DataConfig, space: LabelSpace, labels: RawLabels) -> LabelSpace:
    found = {"task": space.task, "label_names": space.names or None}
    filled = config.model_copy(update=found | {"decimal_mark": space.decimal_mark})
    return infer_labels(filled, labels)


@pytest.mark.parametrize(
    ("labels", "task", "names", "encoded"),
    [
        (("pos", "neg", "pos"), "single_label", ("neg", "pos"), [1, 0, 1]),
        (("10", "2", "-1"), "single_label", ("-1", "2", "10"), [2, 1, 0]),
        (("1.0", "0", "1"), "single_label", ("0", "1"), [1, 0, 1]),
        ((1.0, 0.0, 1.0), "single_label", ("0", "1"), [1, 0, 1]),
        (("01", "2", "01"), "single_label", ("01", "2"), [0, 1, 0]),
        (("1_0", "2"), "single_label", ("1_0", "2"), [0, 1]),
        (("None", "some"), "single_label", ("None", "some"), [0, 1]),
        (("0.5", "1", "3"), "regression", (), [0.5, 1.0, 3.0]),
        (("01.5", "2.5", "x9"), "single_label", ("01.5", "2.5", "x9"), [0, 1, 2]),
        ((0.5, -2e3), "regression", (), [0.5, -2000.0]),
        ((("b", "a"), (), ("b",)), "multi_label", ("a", "b"), [[1, 1], [0, 0], [0, 1]]),
        (
            (("1", "0", "1"), ("0", "0", "1")),
            "multi_label",
            ("0", "1", "2"),
            [[1, 0, 1], [0, 0, 1]],
        ),
        ((("0.0", "1."), ("true", "1")), "multi_label", ("0", "1"), [[0, 1], [1, 1]]),
        ((("1", "0"), ("0",), ()), "multi_label", ("0", "1"), [[1, 1], [1, 0], [0, 0]]),
        ((("10", "9"), ("9",)), "multi_label", ("9", "10"), [[1, 1], [1, 0]]),
        (("２", "1", "٢"), "single_label", ("1", "2"), [1, 0, 1]),
        (("1,5", "2"), "regression", (), [1.5, 2.0]),
        (("37%", "50 %"), "regression", (), [0.37, 0.5]),
    ],
)
def test_task_and_names_come_from_the_training_labels(labels, task, names, encoded):
    labels = raw(*labels)
    space = infer_labels(DataConfig(), labels)
    assert (space.task, space.names) == (task, names)
    found = space.encode(labels)
    assert np.array_equal(found, np.array(encoded).astype(found.dtype))
    assert infer_again(DataConfig(), space, labels) == space


def test_targets_have_the_types_that_losses_take():
    assert Classes(("a", "b")).encode(raw("a")).dtype == np.int32
    assert SeveralClasses(("a", "b")).encode(raw(("a",))).dtype == np.float32
    assert Values().encode(raw("1")).dtype == np.float32


def test_the_head_has_one_output_a_class_or_one():
    assert Classes(("a", "b", "c")).num_outputs == 3
    assert Values().num_outputs == 1


@pytest.mark.parametrize(("classes", "task"), [(20, "single_label"), (21, "regression")])
def test_more_than_twenty_integers_that_hardly_repeat_are_targets(classes, task):
    assert infer_labels(DataConfig(), raw(*map(str, range(classes)))).task == task


def test_given_names_make_many_integers_classes():
    names = tuple(f"class {i}" for i in range(30))
    space = infer_labels(DataConfig(label_names=names), raw("29", "0", "class 3"))
    assert space == Classes(names)
    assert space.encode(raw("29", "0", "class 3")).tolist() == [29, 0, 3]


def test_a_set_task_wins_over_what_the_labels_look_like():
    assert infer_labels(DataConfig(task="regression"), raw("1", "2")).task == "regression"
    assert infer_labels(DataConfig(task="single_label"), raw("1.5", "2")).names == ("1.5", "2")
    assert Values().encode(raw("01.5")).tolist() == [1.5]
    space = infer_labels(DataConfig(task="multi_label"), raw("a", "b"))
    assert space.encode(raw("b")).tolist() == [[0, 1]]


def test_integer_names_are_names_and_not_indices():
    space = Classes(("1", "2", "3"))
    assert space.encode(raw("1", "3")).tolist() == [0, 2]
    with pytest.raises(UserError, match=r"train.csv, row 2: received the label '0'; accepted: .*"):
        space.encode(raw("0"))


def test_all_wrong_labels_of_all_files_are_named():
    test = raw("1", "5", "5", source="test.csv", first_row=1)
    with pytest.raises(UserError) as caught:
        infer_labels(DataConfig(label_names=("neg", "pos")), raw("0", "2", "bad"), [test])
    accepted = (
        "accepted: the labels of the training examples, or of data.label_names: 'neg', 'pos', or "
        "their index 0 to 1"
    )
    assert caught.value.problems == [
        f"train.csv, row 3: received the label '2'; {accepted}",
        f"train.csv, row 4: received the label 'bad'; {accepted}",
        f"test.csv, row 2 (and 1 more): received the label '5'; {accepted}",
    ]


def test_a_label_only_in_the_test_split_is_a_mistake():
    with pytest.raises(UserError, match="test.csv, row 2: received the label 'c'"):
        infer_labels(DataConfig(), raw("a", "b"), [raw("c", source="test.csv")])


def test_a_declared_label_may_stand_only_in_the_test_split():
    config = DataConfig(label_names=("a", "b", "c"))
    assert infer_labels(config, raw("a", "b"), [raw("c", source="test.csv")]).num_outputs == 3


@pytest.mark.parametrize(
    ("config", "labels", "message"),
    [
        ({}, ("a", "a"), r"train.csv: received 1 class \('a'\); accepted: at least 2"),
        ({}, ((), ()), r"train.csv: received 0 classes \(none\); accepted: at least 1"),
        (
            {"label_names": ("a", "b")},
            ("a", "a"),
            "train.csv: received the label 'a' in all 2 rows; accepted: at least 2 classes",
        ),
        (
            {"label_names": ("a", "b", "a")},
            ("a", "b"),
            "data.label_names: received 'a' more than once",
        ),
        ({}, ("0.5", "0.5"), "train.csv: received the target 0.5 in all 2 rows"),
        ({}, ("0.5", "nan"), "row 3: received the label 'nan', which says that it is missing; acc"),
        ({}, ("0", "1", "None"), "row 4: received the label 'None', which says that it is missing"),
        ({}, ("0.5", "inf"), "row 3: received the label 'inf'; accepted: a finite number such as"),
        (
            {"task": "regression"},
            ("1", "two", "inf", "1e99"),
            "(?s)row 3: received the label 'two'.*row 4: .* 'inf'.*row 5: .* '1e99'",
        ),
        (
            {"task": "regression", "label_names": ("a",)},
            ("1", "2"),
            "data.label_names: received 1 names, but data.task is regression; accepted: null",
        ),
        (
            {"task": "single_label"},
            (("a", "b"), ("b",)),
            r"train.csv, row 2: received the list \['a', 'b'\]; accepted: one label a text",
        ),
        (
            {"task": "regression"},
            (("1",), ("2",)),
            "train.csv, row 2: received a list of labels; accepted: one number a text",
        ),
        (
            {},
            (("0", "0", "1"), ("1", "0", "0"), ("0", "1")),
            r"row 4: received the list \['0', '1'\]; accepted: lists of 3 zeros and ones",
        ),
        (
            {"label_names": ("a", "b")},
            (("0", "0", "1"), ("1", "0", "0")),
            "row 2: received lists of 3 zeros and ones; accepted: 2, one for each label: 'a', 'b'",
        ),
        (
            {},
            (("0.7", "0.3"), ("0.5", "0.5")),
            "row 2: received a list with the number 0.7; accepted: lists of names, or of 0 and 1",
        ),
    ],
)
def test_labels_that_cannot_be_learnt_are_refused(config, labels, message):
    with pytest.raises(UserError, match=message):
        infer_labels(DataConfig(**config), raw(*labels))


@pytest.mark.parametrize(
    ("labels", "names", "encoded"),
    [
        ((("b",), ("a",)), ("a", "b"), [1, 0]),
        ((("0", "1", "0"), ("1", "0", "0")), ("0", "1", "2"), [1, 0]),
        (("['b']", "['a']"), ("a", "b"), [1, 0]),
        (("[0 1 0]", "[1. 0. 0.]"), ("0", "1", "2"), [1, 0]),
        (("[True, False]", "[False, True]"), ("0", "1"), [0, 1]),
        (("[NEG]", "['a']"), ("['a']", "[NEG]"), [1, 0]),
    ],
)
def test_lists_with_exactly_one_label_can_be_single_labels(labels, names, encoded):
    space = infer_labels(DataConfig(task="single_label"), raw(*labels))
    assert space == Classes(names)
    assert space.encode(raw(*labels)).tolist() == encoded


def test_names_that_are_known_may_look_like_lists():
    config = DataConfig(task="single_label", label_names=("['a', 'b']", "['b']"))
    labels = raw("['b']", "['a', 'b']")
    assert infer_labels(config, labels).encode(labels).tolist() == [1, 0]


def test_zeros_and_ones_by_place_take_the_given_names():
    labels = raw(("0", "1"), ("1", "1"))
    assert infer_labels(DataConfig(label_names=("x", "y")), labels).names == ("x", "y")


def test_lists_of_another_length_than_in_training_are_refused():
    space = SeveralClasses(("0", "1", "2"))
    assert space.encode(raw(("0", "1", "1"))).tolist() == [[0, 1, 1]]
    with pytest.raises(UserError, match="received lists of 2 zeros and ones; accepted: 3"):
        space.encode(raw(("0", "1"), ("1", "1")))


def test_names_and_places_may_meet_in_other_files():
    space = SeveralClasses(("x", "y", "z"))
    assert space.encode(raw(("0", "1", "1"), ("1", "0", "0"))).tolist() == [[0, 1, 1], [1, 0, 0]]
    assert space.encode(raw(("z", "x"), ("y",))).tolist() == [[1, 0, 1], [0, 1, 0]]


def test_truth_values_are_zero_and_one():
    assert Classes(("0", "1")).encode(raw("True", "false")).tolist() == [1, 0]


def test_the_decimal_mark_of_the_training_labels_holds_for_other_files():
    space = infer_labels(DataConfig(), raw("0,5", "1,25"))
    assert space.decimal_mark == "comma"
    assert space.encode(raw("1,250", "3")).tolist() == [1.25, 3.0]
    assert Values().encode(raw("1,250")).tolist() == [1250.0]


def test_a_label_that_looks_like_a_known_one_is_told_so():
    with pytest.raises(UserError, match=r"received the label 'Pos'; .*; it looks like 'pos'$"):
        Classes(("neg", "pos")).encode(raw("neg", "Pos"))


def test_a_missing_label_can_be_given_as_a_name():
    config = DataConfig(label_names=("0", "1", "NA"))
    assert infer_labels(config, raw("0", "1", "NA")).encode(raw("NA", "0")).tolist() == [2, 0]


def test_classes_that_are_numbers_are_in_their_order_and_found_however_written():
    space = infer_labels(DataConfig(task="single_label"), raw("10.5", "2.5", "3.0"))
    assert space.names == ("2.5", "3", "10.5")
    assert space.encode(raw("3", "２.5")).tolist() == [1, 0]


def test_codes_are_found_as_they_are_written_only():
    space = infer_labels(DataConfig(), raw(*["1.1", "1.10", "1.2"] * 3))
    assert space.names == ("1.1", "1.10", "1.2")
    with pytest.raises(UserError, match=r"received the label '1.20'"):
        space.encode(raw("1.20"))


def test_twenty_of_many_wrong_labels_are_shown():
    names = tuple("ab")
    with pytest.raises(UserError) as caught:
        infer_labels(DataConfig(label_names=names), raw("a", "b", *(f"x{i}" for i in range(50))))
    assert len(caught.value.problems) == 21
    assert caught.value.problems[-1].startswith("and 30 more")
