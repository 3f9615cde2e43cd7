"""Keywords of `keras_model` are held against the sections and the encoder, all at once."""

import pytest

from tf_finetune.api.keras.keras_options import described
from tf_finetune.errors import UserError
from tf_finetune.tasks.table import TASKS


@pytest.fixture
def asked(tiny_encoder):
    """Describes a model by keywords."""

    def describe(**given):
        return described({"encoder": tiny_encoder, "num_labels": 2} | given).spec

    return describe


def problems(describe, **given):
    with pytest.raises(UserError) as raised:
        describe(**given)
    return raised.value.problems


def test_keywords_are_options_of_the_sections(asked):
    method = {"name": "lora", "rank": 4}
    options = {"pooling": "mean", "max_length": 20, "dropout": 0.3, "layers": 2}
    spec = asked(depth=1, method=method, seed=5, **options)

    config = spec.config
    assert (config.freeze.depth, config.training.seed, config.data.max_length) == (1, 5, 20)
    assert (config.method.rank, config.encoder.dropout) == (4, 0.3)
    assert (spec.files.pooling, spec.plan.num_layers, spec.plan.frozen_depth) == ("mean", 2, 1)


def test_a_length_that_nobody_set_is_one_that_the_encoder_can(asked):
    assert asked().config.data.max_length == 64


def test_all_mistakes_are_told_at_once(asked):
    found = problems(asked, encoder="./nowhere", depth=-1, num_labels=0, laers=2, epochs=3)

    assert sorted(found) == [
        "encoder.name: the folder ./nowhere does not exist",
        "epochs: keras_model, which Keras' compile and fit train, does not use it",
        "freeze.depth: received -1; accepted: a whole number of at least 0, such as 0",
        "laers: unknown option; nearest: layers",
        "num_labels: received 0; accepted: 2 or more, the number of labels, or label_names",
    ]


def test_what_does_not_go_with_the_encoder_is_told_at_once(asked):
    found = problems(asked, depth=4, num_labels=None, max_length=65)

    assert [problem.split(";")[0] for problem in found] == [
        "num_labels: received null",
        "data.max_length: received 65",
        "freeze.depth: received 4",
    ]


@pytest.mark.parametrize(
    "given, problem",
    [
        (
            {"method": {"name": "lora", "rnk": 2}},
            "method.rnk: unknown option; nearest: method.rank",
        ),
        (
            {"method": "adalora"},
            "method.name: received adalora, which changes what it added after every update, as "
            "Keras' own fit does not; accepted: the other methods, or fine_tune",
        ),
        (
            {"task": "auto"},
            f"task: received auto; accepted: {', '.join(TASKS)}",
        ),
        (
            {"task": "span", "num_labels": None},
            "task: received span, whose models are not made by themselves; accepted: "
            f"{', '.join(name for name in TASKS if name != 'span')}",
        ),
        (
            {"task": "regression"},
            "num_labels: received 2 with task=regression; accepted: leave it out, because the "
            "model answers with one number",
        ),
        (
            {"label_names": ["a", "b", "c"]},
            "num_labels: received 2 with 3 label_names; accepted: 3, or leave it out",
        ),
        (
            {"label_names": ["a", "a"]},
            'label_names: received ["a", "a"]; accepted: a list of at least 2 names, all different',
        ),
        (
            {"targets": [1.0, 2.0]},
            "targets: received some with task=single_label; accepted: None, because only numbers "
            "have a scale",
        ),
        (
            {"task": "regression", "num_labels": None, "targets": ["a", "b"]},
            "targets: received no list of finite numbers; accepted: one a text",
        ),
        (
            {"precision": "auto"},
            "training.precision: received auto, which times steps of a run; accepted: float32, "
            "mixed_bfloat16, mixed_float16",
        ),
    ],
)
def test_a_mistake_names_what_is_accepted(asked, given, problem):
    assert problems(asked, **given) == [problem]
