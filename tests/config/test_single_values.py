"""One value, or several with commas, where a list is accepted."""

import pytest

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.config.loading import load_config
from tf_finetune.config.schema import branches, schema_at
from tf_finetune.errors import UserError
from tf_finetune.options.freeze import FreezeRule

LISTS = [
    f"{section}.{option}"
    for section, field in ExperimentConfig.model_fields.items()
    for option in field.annotation.model_fields
    if any(branch.get("type") == "array" for branch in branches(schema_at((section, option))))
]


def option(config, name):
    section, own = name.split(".")
    return getattr(getattr(config, section), own)


def loaded(tmp_path, name, text):
    """The option from the command line, and the same from a file."""
    path = tmp_path / "config.yaml"
    path.write_text("{}:\n  {}: {}\n".format(*name.split("."), text))
    given, in_file = load_config(None, [f"{name}={text}"]), load_config(path)
    assert given == in_file
    return option(given, name)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("search.seeds", "1", (1,)),
        ("search.seeds", "1, 2,3", (1, 2, 3)),
        ("search.seeds", "[1]", (1,)),
        ("search.learning_rates", "1e-4", (1e-4,)),
        ("search.learning_rate_range", "1e-5,1e-3", (1e-5, 1e-3)),
        ("search.batch_sizes", "16", (16,)),
        ("data.label_names", "a", ("a",)),
        ("data.label_names", "yes, no", ("yes", "no")),
        ("data.label_names", "not bad", ("not bad",)),
        ("data.label_names", '["a, b", c]', ("a, b", "c")),
        ("data.label_names", "null", None),
        ("search.learning_rates_by_depth", "{0: 1e-4, 2: '1e-4,3e-4'}", None),
        ("freeze.rules", "{train: true, parts: bias}", (FreezeRule(train=True, parts=("bias",)),)),
    ],
)
def test_value_without_brackets_is_a_list(name, text, value, tmp_path):
    if name == "search.learning_rates_by_depth":
        value = {0: (1e-4,), 2: (1e-4, 3e-4)}

    assert loaded(tmp_path, name, text) == value


@pytest.mark.parametrize("name", LISTS)
def test_every_list_takes_its_only_value_without_brackets(name):
    section, own = name.split(".")
    example = schema_at((section, own)).get("examples", [[0]])[0]
    if name == "search.learning_rate_range":
        pytest.skip("takes two")
    with_it = {"depth": 3} if name == "freeze.thaw" else {}  # to thaw from

    (value,) = option(load_config(None, base={section: {own: example[0], **with_it}}), name)

    bracketed = load_config(None, base={section: {own: example[:1], **with_it}})
    assert (value,) == option(bracketed, name)


@pytest.mark.parametrize(
    ("name", "text", "received"),
    [
        ("search.seeds", "x", "x"),
        ("search.seeds", "0,x", "0,x"),
        ("search.seeds", "0,", "0,"),
        ("data.label_names", "a,,b", "a,,b"),
    ],
)
def test_wrong_value_without_brackets_is_shown_as_it_was_written(name, text, received):
    with pytest.raises(UserError) as caught:
        load_config(None, [f"{name}={text}"])

    (problem,) = caught.value.problems
    assert problem.startswith(f"{name} (command line): received {received}; accepted: ")


def test_wrong_part_of_a_single_rule_is_named_where_it_stands(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("freeze:\n  rules:\n    train: true\n    parts: hed\n")

    with pytest.raises(UserError) as caught:
        load_config(path)

    (problem,) = caught.value.problems
    assert problem.startswith(f"freeze.rules.parts ({path}:4): received hed; nearest: head; ")
