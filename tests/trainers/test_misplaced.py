"""A configuration or a run in the place of texts or examples is told where it belongs."""

import pytest

from tf_finetune.errors import UserError
from trainers.arguments import load_arguments, parse_arguments
from trainers.commands import COMMANDS
from trainers.misplaced import check_examples_argument

ON_A_JOB = [verb for verb, command in COMMANDS.items() if command.file_option]


@pytest.fixture
def run_folder(tmp_path):
    folder = tmp_path / "my run"
    (folder / "model").mkdir(parents=True)
    (folder / "config.yaml").touch()
    return folder


@pytest.mark.parametrize("verb", ON_A_JOB)
@pytest.mark.parametrize("name", ["config.yaml", "my config.YML"])
def test_yaml_in_the_place_of_examples_belongs_behind_config(verb, name):
    with pytest.raises(UserError) as caught:
        load_arguments(parse_arguments(verb, [name]))

    quoted = f"'{name}'" if " " in name else name
    assert caught.value.problems == [
        f"{name}: a YAML file, which holds options; accepted: --config {quoted}"
    ]


@pytest.mark.parametrize("verb", ["predict", "explain", "rank", "evaluate", "export"])
def test_yaml_behind_a_run_is_told_to_be_options(verb, run_folder):
    file = str(run_folder / "config.yaml")

    with pytest.raises(UserError, match="holds options; accepted: options as section.name=value"):
        load_arguments(parse_arguments(verb, ["runs/a", file]))


def test_run_in_the_place_of_examples_is_told_both_meanings(run_folder):
    with pytest.raises(UserError) as caught:
        load_arguments(parse_arguments("train", [str(run_folder)]))

    (problem,) = caught.value.problems
    assert problem.startswith(
        f"{run_folder}: the folder of a run; accepted: --config '{run_folder}"
    )
    assert f"encoder.name='{run_folder}'" in problem


def test_run_behind_a_run_is_a_mistake(run_folder):
    with pytest.raises(UserError, match="a run comes before it, as RUN"):
        load_arguments(parse_arguments("predict", ["runs/a", str(run_folder)]))


def test_format_that_is_given_is_taken_at_its_word(tmp_path):
    given = parse_arguments("train", ["notes.yaml", "data.format=text"])

    assert load_arguments(given).data.train == "notes.yaml"


def test_other_folders_and_sentences_pass(tmp_path):
    (tmp_path / "config.yaml").touch()  # a folder of examples beside a configuration

    check_examples_argument(str(tmp_path), takes_config=True)
    check_examples_argument("read it in config.yaml", takes_config=False)
