"""Each command takes the options that it uses; others are refused, or noted and go on."""

from dataclasses import fields

import pytest

from tf_finetune.config import uses
from tf_finetune.config.describe import option_names
from tf_finetune.config.uses import Uses
from tf_finetune.errors import UserError
from trainers.arguments import load_arguments, parse_arguments

ALL = [value for value in vars(uses).values() if isinstance(value, Uses)]
SECTIONS = {name.split(".")[0] for name in option_names()}


def load(verb, *argv):
    return load_arguments(parse_arguments(verb, argv))


@pytest.mark.parametrize("name", option_names())
def test_every_option_is_used_by_a_training_or_a_search(name):
    assert name in uses.TRAIN.names() or name in uses.SEARCH.names()


def test_every_entry_names_a_section_or_an_option():
    assert len(ALL) > 8
    for entries in ALL:
        for field in fields(entries):
            value = getattr(entries, field.name)
            if isinstance(value, tuple):
                assert set(value) <= {*SECTIONS, *option_names()}


def test_a_section_stands_for_its_options_but_those_left_out():
    uses = Uses(("run", "freeze.depth"), with_file=("cache.dir",), not_these=("run.overwrite",))

    assert uses.names(file=False) == ("freeze.depth", "run.dir", "run.tensorboard")
    assert uses.names() == uses.names(file=True)
    assert uses.unused(["run.dir", "run.overwrite", "no.option", "cache.dir"], file=False) == [
        "run.overwrite",
        "cache.dir",
    ]


@pytest.mark.parametrize(
    ("verb", "argv", "problem"),
    [
        (
            "predict",
            ["runs/a", "new.csv", "training.learning_rate=1"],
            "training.learning_rate: predict does not use it; train does",
        ),
        (
            "serve",
            ["runs/a", "data.text_column=text"],
            "data.text_column: serve does not use it; train and search do",
        ),
        (
            "evaluate",
            ["runs/a", "new.csv", "data.test_fraction=0.5"],
            "data.test_fraction: evaluate does not use it with a FILE",
        ),
        ("export", ["runs/a", "run.dir=b"], "run.dir: export does not use it; train and search do"),
    ],
)
def test_option_that_a_command_on_a_run_does_not_use_is_a_mistake(verb, argv, problem):
    with pytest.raises(UserError) as caught:
        load(verb, *argv)

    assert caught.value.problems == [problem]
    assert caught.value.hint.startswith(f"{verb} takes data.")


def test_unused_options_are_told_with_all_other_mistakes():
    with pytest.raises(UserError) as caught:
        load("predict", "runs/a", "new.csv", "training.epochs=5", "data.formt=csv")

    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "training.epochs",
        "data.formt (command line)",
    ]


@pytest.mark.parametrize(
    ("verb", "argv", "note"),
    [
        ("train", ["a.csv", "search.seeds=3"], "search.seeds: train does not use it; search does"),
        ("search", ["a.csv", "freeze.depth=4"], "freeze.depth: search does not use it; train does"),
        (
            "plan",
            ["freeze.depth=4", "data.header=false"],
            "data.header: plan does not use it without a FILE",
        ),
    ],
)
def test_option_that_a_command_on_a_job_does_not_use_is_noted(verb, argv, note, capsys):
    load(verb, *argv)

    assert capsys.readouterr().err == f"tf-finetune: note: {note}\n"


def test_a_configuration_file_may_hold_options_of_other_commands(tmp_path, capsys):
    path = tmp_path / "config.yaml"
    path.write_text("data: {train: a.csv}\nsearch: {seeds: 3}\n")

    load("train", "--config", str(path))

    assert capsys.readouterr().err == ""


def test_validate_checks_the_values_of_all_options(capsys):
    with pytest.raises(UserError, match="search.workers .*: received 0; accepted: a whole number"):
        load("validate", "a.csv", "search.workers=0")
    load("validate", "a.csv", "search.workers=2", "training.epochs=5")

    assert capsys.readouterr().err == ""
