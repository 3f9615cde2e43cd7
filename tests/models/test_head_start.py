"""A row of a checkpoint's head is kept for the label that it is about, and for no other."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.models.head_start import matched_head, start_lines
from tf_finetune.models.initial_values import initial_values
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.output_scale import OutputScale
from tf_finetune.tasks.several_classes import SeveralClasses
from tf_finetune.tasks.values import Values

CLASSIFIER = ["BertForSequenceClassification"]
NAMES = {"0": "neg", "1": "neutral", "2": "pos"}
KERNEL, BIAS = "classifier/kernel", "classifier/bias"


@pytest.fixture(scope="module")
def with_head(make_encoder, tmp_path_factory):
    """Folders of encoders with a head: all numbers of row i are i + 1."""
    folders = {}

    def add_head(count):
        rows = np.arange(1, count + 1, dtype=np.float32)
        return lambda tensors: (
            tensors
            | {
                "classifier.weight": np.repeat(rows[:, None], 32, axis=1),
                "classifier.bias": rows,
            }
        )

    def make(count=3, **config):
        if count not in folders:
            folder = tmp_path_factory.mktemp(f"head_{count}")
            folders[count] = make_encoder(folder, add_head(count))
        path = folders[count] / "config.json"
        sizes = json.loads(path.read_text())
        for name in ("id2label", "label2id", "problem_type", "text_pooling"):
            sizes.pop(name, None)
        path.write_text(json.dumps(sizes | {"architectures": CLASSIFIER} | config))
        return EncoderFiles("with head", folders[count])

    return make


def classes(*names):
    return Classes(names)


def several(*names):
    return SeveralClasses(names)


def test_a_head_that_has_learned_from_something_else_is_new(with_head):
    files = with_head(id2label=NAMES, text_pooling="mean", architectures=["BertModel"])
    labels = classes("neg", "neutral", "pos")

    same, other = (
        matched_head(files, labels),
        matched_head(replace(files, wanted_pooling="max"), labels),
    )

    assert same.rows == (0, 1, 2)
    assert other.is_new
    assert other.line == (
        "head: new: neg, neutral, pos (the checkpoint's reads mean, this one max: encoder.pooling)"
    )
    own = replace(with_head(id2label=NAMES), wanted_pooling="mean")
    assert "the checkpoint's reads first, this one mean" in matched_head(own, labels).line
    cut = replace(with_head(id2label=NAMES), wanted_layers=2)
    assert "the checkpoint's stands on 3 layers, this one on 2" in matched_head(cut, labels).line


def values(files, labels, scale=None, seed=0):
    """Kernel [hidden, outputs] and bias [outputs] of the head of a new job."""
    variables = files.family.variables(files.config, labels.num_outputs)
    head = matched_head(files, labels, scale)
    only = frozenset([KERNEL, BIAS])
    found = dict(initial_values(files, variables, seed, head=head, scale=scale, only=only))
    return found[KERNEL], found[BIAS]


@pytest.mark.parametrize(
    ("config", "labels", "rows", "line"),
    [
        ({"id2label": NAMES}, classes("neg", "neutral", "pos"), (0, 1, 2), "neg, neutral, pos"),
        ({"id2label": NAMES}, classes("pos", "neg", "neutral"), (2, 0, 1), "pos, neg, neutral"),
        (
            {"id2label": NAMES},
            classes("neg", "pos"),
            (0, 2),
            "neg, pos (not used, of the checkpoint's: neutral)",
        ),
    ],
)
def test_rows_follow_their_names(with_head, config, labels, rows, line):
    head = matched_head(with_head(**config), labels)

    assert (head.rows, head.line) == (rows, f"head: kept {line}")


def test_rows_of_other_names_are_new_and_told(with_head):
    files = with_head(id2label=NAMES)

    head = matched_head(files, classes("neg", "mixed", "pos", "other"))

    assert head.rows == (0, None, 2, None)
    assert head.line == (
        "head: kept neg, pos; new: mixed, other (not used, of the checkpoint's: neutral)"
    )
    none = matched_head(files, classes("good", "bad"))
    assert none.is_new
    assert none.line == ("head: new: good, bad (not used, of the checkpoint's: neg, neutral, pos)")


def test_a_new_row_does_not_depend_on_how_many_others_are_kept(with_head):
    files = with_head(id2label=NAMES)
    alone, _ = values(files, classes("x", "y", "z"), seed=7)

    kernel, bias = values(files, classes("pos", "y", "neg"), seed=7)

    np.testing.assert_array_equal(kernel[:, 1], alone[:, 1])
    np.testing.assert_array_equal(kernel[:, [0, 2]], np.tile([3.0, 1.0], (32, 1)))
    np.testing.assert_array_equal(bias, [3.0, 0.0, 1.0])


@pytest.mark.parametrize(
    ("config", "labels", "rows"),
    [
        # Names under another key, of another type, or as a list.
        ({"label2id": {"neg": 0, "neutral": 1, "pos": 2}}, classes("pos", "neg"), (2, 0)),
        (
            {
                "id2label": {str(i): f"LABEL_{i}" for i in range(3)},
                "label2id": {"neg": 0, "neutral": 1, "pos": 2},
            },
            classes("pos", "neg"),
            (2, 0),
        ),
        ({"id2label": {"0": 1, "1": 2, "2": 3.0}}, classes("3", "1"), (2, 0)),
        ({"id2label": ["neg", "neutral", "pos"]}, classes("pos", "neg"), (2, 0)),
        # What transformers calls labels without names is their place.
        ({}, classes("0", "1", "2", "3"), (0, 1, 2, None)),
        ({"id2label": {str(i): f"LABEL_{i}" for i in range(3)}}, classes("0", "1"), (0, 1)),
        ({"id2label": {str(i): f"LABEL_{i}" for i in range(3)}}, classes("1", "2"), (None, None)),
        ({}, classes("1", "2", "3"), (None, None, None)),
        ({}, classes("neg", "neutral", "pos"), (None, None, None)),
        ({"id2label": {"0": "a", "1": "b", "2": "a"}}, classes("a", "b"), (None, 1)),
        ({"id2label": {"0": None, "1": "b", "2": {}}}, classes("None", "b"), (None, 1)),
    ],
)
def test_names_are_read_as_people_write_them(with_head, config, labels, rows):
    assert matched_head(with_head(**config), labels).rows == rows


@pytest.mark.parametrize(
    ("config", "labels", "reason"),
    [
        ({}, classes("neg", "pos"), "id2label says LABEL_0 and so on"),
        ({"id2label": {"0": "a", "1": "a", "2": "b"}}, classes("a", "b"), "more than one row"),
        (
            {"id2label": {"0": "neg", "1": "pos"}},
            classes("neg", "pos"),
            "its id2label names others",
        ),
        ({"id2label": {"1": "a", "2": "b", "3": "c"}}, classes("a", "b"), "names others"),
        ({"id2label": NAMES}, several("neg", "pos"), "gives one label a text, this one several"),
        (
            {"id2label": NAMES, "problem_type": "multi_label_classification"},
            classes("neg", "pos"),
            "gives several labels a text, this one one label",
        ),
        (
            {"id2label": NAMES},
            Values(),
            "gives one label a text, this one a number",
        ),
        ({"problem_type": "regression"}, Values(), "gives 3 numbers"),
        (
            {"problem_type": "odd", "id2label": NAMES},
            classes("neg", "pos"),
            "problem_type is 'odd'",
        ),
        (
            {"architectures": ["BertForTokenClassification"], "id2label": NAMES},
            classes("neg", "pos"),
            "is that of a BertForTokenClassification",
        ),
    ],
)
def test_what_does_not_fit_is_left_out_with_the_reason(with_head, config, labels, reason):
    head = matched_head(with_head(**config), labels)

    assert None in head.rows
    assert reason in head.line


def test_several_labels_keep_the_rows_of_several_labels(with_head):
    files = with_head(id2label=NAMES, problem_type="multi_label_classification")

    assert matched_head(files, several("pos", "odd")).rows == (2, None)


def test_an_encoder_without_a_head_has_nothing_to_tell(tiny_encoder):
    files = EncoderFiles("tiny", tiny_encoder)

    head = matched_head(files, classes("neg", "pos"))

    assert (head.rows, start_lines(head, None)) == ((None, None), [])


def test_one_output_is_a_number_and_answers_as_before_in_another_scale(with_head):
    files, number = with_head(1), Values()
    scale = OutputScale(50.0, 25.0)

    kernel, bias = values(files, number, scale)

    pooled = np.linspace(-1, 1, 32)
    answer = (pooled @ kernel + bias) * scale.deviation + scale.mean
    np.testing.assert_allclose(answer, [pooled.sum() + 1.0], rtol=1e-6)
    assert matched_head(files, classes("a", "b")).is_new


def test_a_new_head_of_a_regression_answers_the_mean(with_head):
    kernel, bias = values(with_head(3, id2label=NAMES), Values(), OutputScale(5, 2))

    assert np.abs(kernel).max() < 0.04
    np.testing.assert_array_equal(bias, [0.0])


@pytest.mark.parametrize(("mean", "deviation", "kept"), [(2.0, 1.0, True), (50.0, 25.0, False)])
def test_a_number_in_other_units_begins_anew(with_head, mean, deviation, kept):
    files = with_head(1, target_mean=2.7, target_deviation=1.5)

    head = matched_head(files, Values(), OutputScale(mean, deviation))

    assert (head.rows == (0,)) == kept
    assert ("on another scale, mean 2.7, deviation 1.5; these have mean 50" in head.line) != kept
