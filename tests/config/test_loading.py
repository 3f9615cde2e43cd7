"""Options merge in order, and all mistakes come at once with place, value and remedy."""

import os

import pytest

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.config.loading import load_config
from tf_finetune.errors import UserError
from tf_finetune.options.freeze import FreezeRule


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes c.yaml in an empty working folder and returns its name."""
    monkeypatch.chdir(tmp_path)

    def write_yaml(text):
        (tmp_path / "c.yaml").write_text(text, encoding="utf-8")
        return "c.yaml"

    return write_yaml


def problems(path=None, *overrides, **keywords):
    with pytest.raises(UserError, match=".") as caught:
        load_config(path, overrides, **keywords)
    return caught.value.problems


# Merging


def test_nothing_given_is_the_defaults():
    assert load_config(None, []) == ExperimentConfig()


def test_later_sources_win(write):
    base = {"training": {"epochs": 5, "batch_size": 8, "seed": 1}}
    path = write("training:\n  epochs: 6\n  batch_size: 16\n")

    training = load_config(path, ["training.epochs=7"], base=base).training

    assert (training.epochs, training.batch_size, training.seed) == (7, 16, 1)


def test_a_collection_is_replaced_and_not_merged(write):
    path = write("training:\n  class_weights: {a: 1, b: 2}\n")

    config = load_config(path, ["training.class_weights={a: 3}"])

    assert config.training.class_weights == {"a": 3.0}


def test_section_without_options_keeps_its_defaults(write):
    assert load_config(write("training:\n  # epochs: 3\ndata:\n")) == ExperimentConfig()


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n"])
def test_empty_file_is_the_defaults(write, text):
    assert load_config(write(text)) == ExperimentConfig()


# How values are read


@pytest.mark.parametrize("number", ["5e-5", "5.0e-05", "0.00005"])
def test_float_is_read_in_every_notation(write, number):
    path = write(f"training: {{learning_rate: {number}}}")

    assert load_config(path).training.learning_rate == 5e-5
    assert load_config(None, [f"training.learning_rate={number}"]).training.learning_rate == 5e-5


def test_exponent_without_point_or_sign_is_a_number(write):
    assert load_config(write("training: {clip_norm: 1e3}")).training.clip_norm == 1000.0


@pytest.mark.parametrize("word", ["6", "6.0", "007", "yes", "true", "2024-01-01", "1e3"])
def test_text_option_takes_what_was_written(write, word):
    path = write(f"data: {{text_column: {word}}}")

    assert load_config(path).data.text_column == word
    assert load_config(None, [f"data.text_column={word}"]).data.text_column == word


def test_label_names_yes_and_no_are_names(write):
    path = write("data:\n  label_names: [no, yes, 0]\n")

    assert load_config(path).data.label_names == ("no", "yes", "0")
    assert load_config(None, ["data.label_names=[no, yes, 0]"]).data.label_names == (
        "no",
        "yes",
        "0",
    )


@pytest.mark.parametrize(
    ("word", "value"),
    [("yes", True), ("on", True), ("true", True), ("no", False), ("off", False), ("False", False)],
)
def test_truth_value_is_read_in_every_spelling(write, word, value):
    assert load_config(write(f"data: {{header: {word}}}")).data.header is value
    assert load_config(None, [f"data.header={word}"]).data.header is value


@pytest.mark.parametrize(
    "name",
    [
        "my: file.csv",
        "a=b.csv",
        "#1.csv",
        "[x].csv",
        "{x}.csv",
        "*.csv",
        "&x.csv",
        "!x.csv",
        "%x.csv",
        "it's.csv",
        'say "hi".csv',
        r"C:\data\new.csv",
        "überall/日本.csv",
        " spaced .csv",
        "- x.csv",
        "x # y.csv",
        "trailing:",
        "not-utf8-\udcff.csv",
    ],
)
def test_path_on_the_command_line_survives(name):
    assert load_config(None, [f"data.train={name}"]).data.train == name


@pytest.mark.parametrize("null", ["null", "~"])
def test_null_unsets_an_option(write, null):
    path = write("data: {test: t.csv}")

    assert load_config(path, [f"data.test={null}"]).data.test is None


def test_quotation_marks_on_the_command_line_say_text():
    overrides = ['data.test="null"', "data.text_column='a, b'", r'data.label_separator="\t"']
    data = load_config(None, overrides).data

    assert (data.test, data.text_column, data.label_separator) == ("null", "a, b", "\t")


@pytest.mark.parametrize("quote", ["'", '"'])
def test_single_quotation_mark_is_itself(quote):
    assert load_config(None, [f"data.delimiter={quote}"]).data.delimiter == quote


def test_backslash_t_is_a_tab_for_separators(write):
    path = write("data: {delimiter: \\t, label_separator: '|'}")

    assert load_config(path).data.delimiter == "\t"
    assert load_config(None, [r"data.delimiter=\t"]).data.delimiter == "\t"


def test_list_of_mappings_on_the_command_line():
    override = "freeze.rules=[{train: true, parts: [bias]}, {train: no, layers: 0-3}]"

    assert load_config(None, [override]).freeze.rules == (
        FreezeRule(train=True, parts=("bias",)),
        FreezeRule(train=False, layers="0-3"),
    )


def test_word_for_an_option_that_also_takes_a_mapping():
    config = load_config(None, ["training.class_weights=balanced"])

    assert config.training.class_weights == "balanced"


# Mistakes


def test_all_mistakes_of_all_sources_come_at_once_in_reading_order(write):
    path = write(
        "training:\n"
        "  lr: 3\n"
        "  epochs: 0\n"
        "  batch_size: many\n"
        "freeze:\n"
        "  depth: -1\n"
        "  depth: 2\n"
        "qqqq: fast\n"
    )

    assert problems(path, "run.dri=x", "training.seed=1.5") == [
        "training.lr (c.yaml:2): unknown option; nearest: training.learning_rate",
        "training.epochs (c.yaml:3): received 0; accepted: a whole number from 1 to "
        "10,000, such as 3",
        "training.batch_size (c.yaml:4): received many; accepted: a whole number from 1 to "
        "65,536, such as 32",
        "freeze.depth (c.yaml:7): given twice, first in line 6",
        "qqqq (c.yaml:8): unknown section; accepted: " + ", ".join(ExperimentConfig.model_fields),
        "run.dri (command line): unknown option; nearest: run.dir",
        "training.seed (command line): received 1.5; accepted: a whole number from 0 to "
        "2,147,483,647, such as 0",
    ]


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("training.learning_rate=0", "received 0; accepted: a number above 0 and up to 10"),
        ("training.learning_rate=nan", "received nan; accepted: a number above 0 and up to 10"),
        ("training.clip_norm=inf", "received inf; accepted: a number above 0, or null"),
        ("training.warmup_fraction=1", "received 1; accepted: a number from 0 to below 1"),
        ("training.epochs=true", "received true; accepted: a whole number from 1 to 10,000"),
        ("training.epochs=null", "received null; accepted: a whole number from 1 to 10,000"),
        ("training.epochs=0x10", "received 0x10; accepted: a whole number from 1 to 10,000"),
        ("training.schedule=cubic", "received cubic; accepted: linear, cosine or constant"),
        ("data.header=maybe", "received maybe; accepted: true or false"),
        ("data.delimiter=ab", "received ab; accepted: one character, or null"),
        ('data.label_separator=""', 'received ""; accepted: text (not empty), or null'),
        ("data.cache_dir=~", "received null; accepted: text, such as ~/.cache/tf_finetune"),
        ("data.encoding=utf-99", "received utf-99; accepted: an encoding of Python"),
        ("data.label_names={a: b}", 'received {"a": "b"}; accepted: a list of texts, or null'),
        ("training.class_weights=some", "received some; accepted: none or balanced, or a mapping"),
    ],
)
def test_wrong_value_is_told_what_is_accepted(override, problem):
    name = override.split("=")[0]

    (message,) = problems(None, override)

    assert message.startswith(f"{name} (command line): {problem}")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "training.class_weights={pos: 2, neg: -1}",
            "training.class_weights.neg (command line): received -1; accepted: a number above 0, "
            "such as 1",
        ),
        (
            "training.class_weights={very good: x}",
            'training.class_weights["very good"] (command line): received x; accepted: a number '
            "above 0, such as 1",
        ),
        (
            "data.label_names=[a, null]",
            "data.label_names[1] (command line): received null; accepted: text, such as neg",
        ),
        (
            "freeze.rules=[{train: true}, {layers: 0-3}]",
            "freeze.rules[1].train (command line): missing; accepted: true or false",
        ),
        (
            "freeze.rules=[{train: true, colour: red}]",
            "freeze.rules[0].colour (command line): unknown name; accepted: a mapping with train, "
            "layers, parts and pattern, such as {parts: [bias], train: true}",
        ),
        (
            "freeze.rules=[{train: true, parts: [bias, knee]}]",
            "freeze.rules[0].parts[1] (command line): received knee; accepted: embeddings, "
            "attention, feed_forward, layer_norm, bias, pooler or head",
        ),
        (
            "freeze.rules=[5]",
            "freeze.rules[0] (command line): received 5; accepted: a mapping with train, layers, "
            "parts and pattern, such as {parts: [bias], train: true}",
        ),
        (
            "freeze.rules=[{train: true, layers: 5-2}]",
            "freeze.rules[0].layers (command line): received 5-2; accepted: ranges that go "
            "upwards, such as 2-5",
        ),
        (
            "freeze.rules=[{train: true, pattern: '('}]",
            "freeze.rules[0].pattern (command line): received (; missing ), "
            "unterminated subpattern at position 0; accepted: a regular expression such as "
            "output/dense",
        ),
        (
            "freeze.rules=[{train",
            "freeze.rules (command line): received [{train; not valid YAML: expected ',' or '}', "
            "but got '<stream end>'",
        ),
    ],
)
def test_mistake_inside_a_value_is_named_to_the_part(override, message):
    assert problems(None, override) == [message]


def test_mistake_inside_a_value_has_the_line_of_the_part(write):
    path = write("freeze:\n  rules:\n    - train: true\n    - train: true\n      parts: [knee]\n")

    assert problems(path)[0].startswith("freeze.rules[1].parts[0] (c.yaml:5): received knee")


def test_place_is_that_of_the_source_that_won(write):
    path = write("freeze:\n  rules:\n    - {train: true}\n")

    (message,) = problems(path, "freeze.rules=[{train: maybe}]")

    assert message.startswith("freeze.rules[0].train (command line): received maybe")


def test_missing_part_has_the_line_of_the_item(write):
    path = write("freeze:\n  rules:\n    - train: true\n    - layers: 0-3\n")

    assert problems(path)[0].startswith("freeze.rules[1].train (c.yaml:4): missing")


def test_mistake_in_the_base_is_told_apart():
    base = {"training": {"epochs": 0, "speed": 3}}

    unknown, wrong = problems(None, base=base)

    assert unknown.startswith("training.speed (base configuration): unknown option")
    assert wrong.startswith("training.epochs (base configuration): received 0")


@pytest.mark.parametrize(
    ("given", "nearest"),
    [
        ("training.leaning_rate", "training.learning_rate"),
        ("training.lr", "training.learning_rate"),
        ("training.batch-size", "training.batch_size"),
        ("training.warmup", "training.warmup_fraction"),
        ("training.depth", "freeze.depth"),
        ("freeze.epoch", "training.epochs"),
        ("run.batch_size", "training.batch_size or evaluation.batch_size"),
        ("traning.epochs", "training.epochs"),
        ("epochs", "training.epochs"),
        ("freeze.rules.0.train", "data.train"),
    ],
)
def test_unknown_option_is_told_the_nearest(given, nearest):
    assert problems(None, f"{given}=1") == [
        f"{given} (command line): unknown option; nearest: {nearest}"
    ]


def test_option_without_a_near_name_is_told_those_of_its_section():
    (message,) = problems(None, "run.zzzzz=1")

    assert message.endswith("accepted in run: dir, overwrite, tensorboard")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("learning_rate: 3", "learning_rate (c.yaml:1): unknown section; nearest option: "),
        ("dataset: {}", "dataset (c.yaml:1): unknown section; nearest: data; accepted: data,"),
        ("training: 5", "training (c.yaml:1): received 5; accepted: a mapping with learning_rate,"),
        ("run: [a]", 'run (c.yaml:1): received ["a"]; accepted: a mapping with dir,'),
        ("<<: {}", "<< (c.yaml:1): unknown section; accepted: data,"),
    ],
)
def test_wrong_section_is_told_what_is_accepted(write, text, message):
    assert problems(write(text))[0].startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n- b\n", 'c.yaml:1: received ["a", "b"]; accepted: a mapping of sections'),
        ("text,label\n", "c.yaml:1: received text,label; accepted: a mapping of sections"),
        ("a: 1\n\tb: 2\n", "c.yaml:2: not valid YAML: found character '\\t'"),
        ("data: {train: x\n", "c.yaml:2: not valid YAML: expected ',' or '}'"),
        ("data: !!python/name:os.system\n", "c.yaml:1: tag !!python/name:os.system"),
        ("a: &x 1\nb: *x\n", "c.yaml:2: alias *x"),
    ],
)
def test_file_that_is_no_configuration_is_refused_with_its_line(write, text, message):
    assert problems(write(text))[0].startswith(message)


def test_missing_file_is_told_the_nearest_name(write):
    write("")

    assert problems("d.yaml") == ["d.yaml: no such file; nearest: c.yaml"]
    assert problems("no/c.yaml") == ["no/c.yaml: no such file, nor is there a folder no"]


def test_folder_of_a_run_is_told_its_configuration(write, tmp_path):
    write("")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").write_text("")

    assert problems("run") == [
        f"run: a folder; accepted: a YAML file; nearest: {os.path.join('run', 'config.yaml')}"
    ]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["epochs"], "epochs (command line): received no value; accepted: section.name=value"),
        (
            ["data.test="],
            "data.test (command line): received no value; accepted: data.test=null or "
            "data.test='\"\"' (empty text)",
        ),
        (
            ["training.epochs=3", "training.epochs=5"],
            "training.epochs (command line): given twice, as 3 and 5",
        ),
    ],
)
def test_malformed_override_is_a_mistake(overrides, message):
    assert problems(None, *overrides) == [message]


def test_check_across_options_has_the_place_of_the_option(write):
    path = write("training:\n  batch_size: 10\n  accumulation_steps: 4\n")

    assert problems(path) == [
        "training.accumulation_steps (c.yaml:3): received 4, which does not divide "
        "training.batch_size 10; accepted: a divisor of the batch size"
    ]


def test_more_frozen_layers_than_are_used_are_a_mistake(write):
    path = write("encoder:\n  layers: 3\nfreeze:\n  depth: 4\n")

    assert problems(path) == [
        "encoder.layers (c.yaml:2): received 3 with freeze.depth=4; accepted: at least 4, or a "
        "freeze.depth of at most 3"
    ]


def test_folds_beside_a_validation_split_are_a_mistake(write):
    path = write("data:\n  folds: 5\n  validation: dev.csv\n  validation_fraction: 0.2\n")

    assert problems(path) == [
        "data.validation (c.yaml:3): received dev.csv with data.folds=5, which scores the training "
        "examples; accepted: null (its examples can be added to those of data.train), or "
        "data.folds=null",
        "data.validation_fraction (c.yaml:4): received 0.2 with data.folds=5, which scores the "
        "training examples and makes no validation split; accepted: 0, or leave it out, or "
        "data.folds=null",
    ]
    assert load_config(None, ["data.folds=5"]).data.folds == 5
    assert load_config(None, ["data.folds=5", "data.validation_fraction=0"]).data.folds == 5


def test_options_that_do_not_go_with_folds_are_named():
    options = ["training.strategy=multi_worker", "search.median_stopping=true"]

    options += ["search.train_on_validation=true"]
    found = problems(None, "data.folds=3", *options)
    ensemble = problems(None, "data.folds=3", "search.ensemble=true")

    assert [problem.split(" with data.folds=3")[0] for problem in found] == [
        "training.strategy (command line): received multi_worker",
        "search.median_stopping (command line): received true",
        "search.train_on_validation (command line): received true",
    ]
    assert ensemble[0].startswith("search.ensemble (command line): received true with data.folds=3")


def test_several_processes_name_their_precision():
    found = problems(None, "training.strategy=multi_worker", "training.precision=auto")

    assert found == [
        "training.precision (command line): received auto with training.strategy=multi_worker; "
        "accepted: float32, mixed_bfloat16 or mixed_float16 (auto times steps of one process)"
    ]


def test_options_that_do_not_go_with_an_ensemble_are_named():
    alone = problems(None, "search.ensemble=true", "search.seeds=7")
    joined = problems(None, "search.ensemble=true", "search.train_on_validation=true")

    assert alone == [
        "search.ensemble (command line): received true with search.seeds=7; accepted: false, or "
        "two or more seeds, such as search.seeds=0,1,2"
    ]
    assert joined[0].startswith(
        "search.ensemble (command line): received true with search.train_on_validation=true; "
        "accepted: one of the two"
    )
    assert load_config(None, ["search.ensemble=true"]).search.seeds == (0, 1)


def test_required_option_that_nothing_gives_is_a_mistake():
    messages = problems(None, "training.epochs=0", required=["data.train"])

    assert "data.train: not given, but needed here" in messages
    assert len(messages) == 2
    assert load_config(None, ["data.train=a.csv"], required=["data.train"]).data.train == "a.csv"


def test_only_the_first_twenty_mistakes_are_shown(write):
    path = write("training:\n" + "".join(f"  wrong{i}: 1\n" for i in range(25)))

    messages = problems(path)

    assert len(messages) == 21
    assert messages[-1] == "and 5 more (25 problems in all)"


def test_long_and_unprintable_values_are_shown_safely():
    (long,) = problems(None, f"training.epochs={'9x' * 500}")
    (control,) = problems(None, "training.epochs=\x1b[2J")

    assert len(long) < 250
    assert "\x1b" not in control
    assert '"\\u001b[2J"' in control


@pytest.mark.parametrize("text", ["task:\n  name: regression\n", "task: {name: regression}\n"])
def test_a_task_may_be_called_by_its_other_name(write, text):
    assert load_config(write(text), []).data.task == "regression"
    assert load_config(None, ["task.name=multi_label"]).data.task == "multi_label"


def test_mistakes_under_the_other_name_are_told(write):
    assert "data.task" in problems(None, "task.name=colours")[0]
    assert "given twice" in problems(None, "task.name=regression", "data.task=regression")[0]
    assert problems(None, "task.kind=regression")
    assert problems(write("task:\n  kind: regression\n"))
