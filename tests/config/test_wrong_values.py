"""Whatever is wrong with a value, the message says in words what is accepted, and shows one."""

import re

import pytest

from tf_finetune.config.describe import list_sections, option_names
from tf_finetune.config.loading import load_config
from tf_finetune.config.schema import branches, resolve, schema_at
from tf_finetune.errors import UserError
from tf_finetune.methods.table import METHODS

# Each is wrong for some kind of option: for numbers and their ends, for words, texts, lists,
# mappings, and for what is inside of these.
WRONG = [
    *("-1e300", "1e300", "-1", "0", "0.5", "1", "1000000", "nan", "inf", "many", "@ @", "", None),
    *("5-2", "2,,3", "1h90x", "12 parsecs", "1,1", "utf-99", "(", "auto2", "Standard", "yess"),
    *([], [""], ["many"], ["1", "1"], ["2", "1"], ["1", "2", "3"], [None], [["1"]], [{"a": "1"}]),
    *({}, {"a": "1"}, {"a": ["many"]}, {"0": "many"}, {"0": ["0.1", "0.1"]}, {"0": []}),
    *({"train": "perhaps"}, [{"train": "yes", "parts": "hed"}], [{"train": "yes", "layers": "x"}]),
    *([{"train": "yes", "pattern": "("}], {"a": [{"parts": ["head"]}]}, [{"train": "1", "b": "1"}]),
]
# What pydantic says, what its schema says, and what only a programmer reads.
STRANGE = re.compile(
    r"pydantic|validat|should|input|tuple|integer|string|schema|regex|pattern_|literal|"
    r"\\d|\^|\$|\)\?|\|",
    re.IGNORECASE,
)


def mistakes_with(name, value):
    section, option = name.split(".")
    try:
        load_config(None, base={section: {option: value, **with_method(name)}})
    except UserError as error:
        return error.problems
    return []


def with_method(name):
    """The name of a method that has an option."""
    section, option = name.split(".")
    if section != "method" or option == "name":
        return {}
    return {"name": next(n for n, method in METHODS.items() if option in method.model_fields)}


@pytest.mark.parametrize("name", option_names())
def test_a_wrong_value_is_told_what_is_accepted_in_words_and_with_an_example(name):
    told = [problem for value in WRONG for problem in mistakes_with(name, value)]

    assert told  # every option refuses some of them
    for problem in told:
        _, found, accepted = problem.partition("accepted: ")
        assert found, problem
        assert not STRANGE.search(accepted), problem
        assert shows_a_value(name, accepted), problem


def shows_a_value(name, accepted):
    """Whether the words name every value, or show one."""
    if re.search(
        r"such as \S|with name=\S|true or false|different values|the lower and then", accepted
    ):
        return True
    words = accepted.replace(",", " ").split()
    return any(
        choices and set(choices) <= set(words)
        for branch in with_items(schema_at(tuple(name.split("."))))
        for choices in ([*branch.get("enum", ())], [*branch.get("properties", ())])
    )


def with_items(schema):
    """The schema and those of its parts."""
    for branch in branches(schema):
        yield branch
        for inside in (branch.get("items"), branch.get("additionalProperties")):
            if isinstance(inside, dict):
                yield from with_items(resolve(inside))
        for part in branch.get("properties", {}).values():
            yield from with_items(resolve(part))


def test_examples_are_accepted_themselves():
    shown = 0
    for section in list_sections():
        for option in section.options:
            for example in schema_at(tuple(option.name.split("."))).get("examples", ()):
                given = {option.name.split(".")[1]: example, **with_method(option.name)}
                if option.name == "freeze.thaw":
                    given["depth"] = 3  # to thaw from
                load_config(None, base={section.name: given})
                shown += 1
    assert shown > 30


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        (
            "training.epochs=0",
            "received 0; accepted: a whole number from 1 to 10,000, such as 3",
        ),
        (
            "training.optimizer=adam",
            "received adam; nearest: adamw; accepted: adamw, sgd or adafactor",
        ),
        (
            "search.seeds=one",
            "received one; accepted: one or more whole numbers from 0 to 2,147,483,647, such as "
            "0,1",
        ),
        (
            "search.depths=0..6",
            "received 0..6; accepted: all, or depths and ranges of depths, with commas, such as "
            "0,2,4-6",
        ),
        (
            "search.time_budget=2 hours",
            'received "2 hours"; accepted: a time in hours, minutes and seconds, or null, such as '
            "1h30m",
        ),
        (
            "search.learning_rate_range=1e-3",
            "received 1e-3; accepted: two numbers above 0 and up to 10, or null, such as "
            "1e-05,0.001",
        ),
        (
            "freeze.rules=[{train: true, layers: first}]",
            "received first; accepted: layers and ranges of layers, with commas, or null, such as "
            "0-3",
        ),
        (
            "search.learning_rates_by_depth={0: [fast]}",
            "received fast; accepted: a number above 0 and up to 10, such as 5e-05",
        ),
        (
            "method.rank=4",
            "received 4; accepted: no options with name=full, and this one with name=lora or "
            "adalora or contrastive_lora",
        ),
        (
            "training.class_weights={pos: heavy}",
            "received heavy; accepted: a number above 0, such as 3",
        ),
    ],
)
def test_message_reads_as_a_person_would_say_it(override, problem):
    with pytest.raises(UserError) as caught:
        load_config(None, [override])

    (told,) = caught.value.problems
    assert told.partition(": ")[2] == problem
