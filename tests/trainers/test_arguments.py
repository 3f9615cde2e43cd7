"""Files, flags and options are told apart wherever they stand; --help lists every option."""

import shlex

import pytest

from tf_finetune.config.describe import option_names
from tf_finetune.errors import UserError
from trainers.arguments import build_parser, load_arguments, parse_arguments
from trainers.commands import COMMANDS


@pytest.mark.parametrize(
    "argv",
    [
        ["a.csv", "--config", "c.yaml", "freeze.depth=2", "training.epochs=1"],
        ["--config", "c.yaml", "freeze.depth=2", "a.csv", "training.epochs=1"],
        ["freeze.depth=2", "--config=c.yaml", "training.epochs=1", "a.csv"],
        ["freeze.depth=2", "training.epochs=1", "--config=c.yaml", "--", "a.csv"],
    ],
)
def test_file_flags_and_options_stand_in_any_order(argv):
    arguments = parse_arguments("train", argv)

    assert arguments.file == "a.csv"
    assert arguments.config == "c.yaml"
    assert arguments.overrides == ["freeze.depth=2", "training.epochs=1"]


def test_everything_is_optional_in_train():
    arguments = parse_arguments("train", [])

    assert (arguments.file, arguments.config, arguments.overrides) == (None, None, [])


def test_flags_may_follow_the_positionals_of_evaluate():
    arguments = parse_arguments("evaluate", ["runs/a", "evaluation.batch_size=8", "new.csv"])

    assert (arguments.run, arguments.file) == ("runs/a", "new.csv")
    assert arguments.overrides == ["evaluation.batch_size=8"]
    assert parse_arguments("evaluate", ["runs/a"]).file is None


def test_dash_is_standard_input_for_predict():
    assert parse_arguments("predict", ["runs/a", "-"]).file == "-"


def test_value_of_a_flag_is_no_option():
    assert parse_arguments("train", ["--config", "a.b=c.yaml"]).config == "a.b=c.yaml"


def test_after_two_dashes_nothing_is_an_option():
    arguments = parse_arguments("train", ["--", "a.b=c.csv"])

    assert (arguments.file, arguments.overrides) == ("a.b=c.csv", [])


@pytest.mark.parametrize("name", ["./a.b=c.csv", "/tmp/a.b=c.csv", "C:\\a.b=c.csv", "1.b=c.csv"])
def test_path_with_an_equals_sign_is_a_file(name):
    assert parse_arguments("train", [name]).file == name


def test_name_without_a_section_is_an_option_unless_there_is_such_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert parse_arguments("train", ["epochs=3"]).overrides == ["epochs=3"]

    (tmp_path / "split=1").touch()
    assert parse_arguments("train", ["split=1"]).file == "split=1"


def test_value_with_line_breaks_is_an_option():
    assert parse_arguments("train", ["run.dir=a\nb"]).overrides == ["run.dir=a\nb"]


@pytest.mark.parametrize(
    ("verb", "argv", "problem"),
    [
        ("train", ["--confg", "c.yaml"], "--confg: unknown flag; nearest: --config"),
        (
            "train",
            ["--epochs", "3", "a.csv"],
            "--epochs: unknown flag; options have no dashes: training.epochs=VALUE",
        ),
        (
            "train",
            ["--training.lr=3"],
            "--training.lr: unknown flag; options have no dashes: training.learning_rate=VALUE",
        ),
        ("train", ["--qqqqqq"], "--qqqqqq: unknown flag; accepted: --config, --help"),
        ("train", ["a.csv", "b.csv"], "b.csv: unexpected argument"),
        (
            "predict",
            ["run", "a", "film"],
            "film: unexpected argument; a text of several words stands in quotes",
        ),
        ("train", ["--config"], "argument --config: expected one argument"),
        ("predict", [], "the following arguments are required: RUN"),
        ("init", ["a.csv", "training.epochs=3"], "training.epochs=3: unexpected argument"),
        ("init", ["a.csv", "--forec"], "--forec: unknown flag; nearest: --force"),
    ],
)
def test_wrong_argument_is_told_what_is_accepted(verb, argv, problem):
    with pytest.raises(UserError, match=f"usage: tf-finetune {verb} ") as caught:
        parse_arguments(verb, argv)

    assert caught.value.problems == [problem]


def test_flags_are_not_abbreviated():
    with pytest.raises(UserError, match="--conf: unknown flag; nearest: --config"):
        parse_arguments("train", ["--conf", "c.yaml"])


@pytest.mark.parametrize("name", ["my: file.csv", "null", "~", "'quoted'", "- x.csv"])
def test_file_is_short_for_the_training_examples(name):
    config = load_arguments(parse_arguments("train", ["--", name]))

    assert config.data.train in (name, f"./{name}")


def test_empty_file_name_is_a_mistake():
    with pytest.raises(UserError, match="data.train .*: received no value"):
        load_arguments(parse_arguments("train", [""]))


def test_file_given_twice_is_a_mistake():
    with pytest.raises(UserError, match=r"data.train .*: given twice, as b.csv and a.csv"):
        load_arguments(parse_arguments("train", ["a.csv", "data.train=b.csv"]))


def test_training_without_examples_is_a_mistake():
    with pytest.raises(UserError, match="data.train: not given, but needed here"):
        load_arguments(parse_arguments("train", []))


def test_base_lies_below_the_command_line():
    base = {"evaluation": {"batch_size": 9, "mistakes": 9}}
    arguments = parse_arguments("evaluate", ["runs/a", "evaluation.mistakes=1"])

    evaluation = load_arguments(arguments, base).evaluation

    assert (evaluation.batch_size, evaluation.mistakes) == (9, 1)


@pytest.mark.parametrize("verb", [verb for verb, command in COMMANDS.items() if command.uses])
@pytest.mark.parametrize("columns", ["60", "100"])
def test_help_lists_the_options_of_the_command_and_no_others(verb, columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)

    lines = build_parser(verb).format_help().splitlines()

    shown = [line.strip().split("=")[0] for line in lines]
    assert {name for name in shown if name in option_names()} == {*COMMANDS[verb].uses.names()}
    wrapped = [line for line in lines if line.startswith("      ")]
    assert max(map(len, wrapped)) <= int(columns)


def test_help_shows_default_range_and_meaning(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    text = build_parser("train").format_help()

    assert text.startswith("usage: tf-finetune train [FILE] [--config FILE] [section.name=value")
    assert text.count("[section.name=value ...]") == 1
    assert (
        "  training.epochs=3\n"
        "      passes over the training examples (a whole number from 1 to 10,000)\n"
    ) in text
    assert "\ntraining: How the chosen variables are trained.\n" in text


@pytest.mark.parametrize("verb", COMMANDS)
def test_examples_in_help_can_be_parsed(verb):
    for example, _ in COMMANDS[verb].examples:
        parse_arguments(verb, shlex.split(example.split(" < ")[0]))
