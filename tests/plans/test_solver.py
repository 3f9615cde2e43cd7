"""What `training.solver` means for a plan, and what does not go with it."""

from pathlib import Path

import pytest

from tf_finetune.config.loading import load_config
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.errors import UserError
from tf_finetune.models.spec import spec_of
from tf_finetune.plans.solver import (
    resolve_solver,
    solved_where_it_can_be,
    trains_head_alone,
)
from tf_finetune.tasks.table import TASKS

SIZES = {
    "model_type": "bert",
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "vocab_size": 10,
    "max_position_embeddings": 8,
    "type_vocab_size": 2,
}
TWO_LAYERS = EncoderFiles("two layers", Path("nowhere"))
TWO_LAYERS.__dict__["own_config"] = SIZES  # in place of its config.json
NO_POOLER = "freeze.rules=[{train: false, parts: [pooler]}]"


def resolved(*overrides):
    config = load_config(None, overrides)
    found = resolve_solver(config, spec_of(config, TWO_LAYERS).plan)
    return found.config.training.solver, found.lines


def refusal(*overrides):
    with pytest.raises(UserError) as raised:
        resolved("training.solver=exact", *overrides)
    return raised.value.problems


def test_a_head_that_trains_alone_is_solved():
    solver, (line,) = resolved("freeze.depth=2", NO_POOLER)

    assert solver == "exact"
    assert line.startswith("solver: exact, as the head alone trains; learning rate, epochs")
    assert resolved("freeze.depth=2", NO_POOLER, "training.solver=exact") == (solver, (line,))


@pytest.mark.parametrize(
    "overrides",
    [
        ("freeze.depth=2",),  # the pooler trains
        ("freeze.depth=1", NO_POOLER),
        ("freeze.depth=2", "freeze.rules=[{train: false, pattern: pooler|classifier/bias}]"),
    ],
)
def test_what_is_more_or_less_than_the_head_is_trained_in_steps(overrides):
    assert resolved(*overrides) == ("steps", ())


def test_the_depth_does_not_matter_where_rules_leave_the_head_alone():
    rule = "freeze.rules=[{train: false, pattern: ^bert}]"

    assert resolved("freeze.depth=0", rule)[0] == "exact"


@pytest.mark.parametrize(
    "option",
    [
        *("training.learning_rate=3e-4", "training.epochs=5", "encoder.dropout=0.2"),
        *("training.layer_decay=0.9", "training.head_rate_factor=2"),
    ],
)
def test_an_option_that_means_something_for_steps_is_not_passed_over(option):
    solver, (line,) = resolved("freeze.depth=2", NO_POOLER, option)

    name = option.split("=")[0]
    assert solver == "steps"
    assert line == f"solver: steps, because of {name}; without, the head would be solved exactly"


@pytest.mark.parametrize(
    "option",
    [
        *("training.weight_decay=0.1", "training.seed=3", "training.label_smoothing=0.1"),
        *("training.class_weights=balanced", "training.monitor=loss", "cache.mode=memory"),
    ],
)
def test_options_that_a_solution_heeds_or_shares_do_not_stand_in_its_way(option):
    assert resolved("freeze.depth=2", NO_POOLER, option)[0] == "exact"


def test_steps_can_be_asked_for():
    assert resolved("freeze.depth=2", NO_POOLER, "training.solver=steps") == ("steps", ())


def test_exact_says_what_trains_besides_the_head():
    (problem,) = refusal("freeze.depth=2")

    assert problem == (
        "training.solver: received exact, which solves the head alone, and of this plan pooler "
        "would train too; accepted: auto, steps, or freeze.depth=2 where the pooler is frozen by "
        "freeze.rules or passed by (encoder.pooling)"
    )


def test_a_head_that_answers_a_row_as_a_whole_is_trained_in_steps():
    assert resolved("freeze.depth=2", NO_POOLER, "data.task=span") == ("steps", ())

    (problem,) = refusal("freeze.depth=2", NO_POOLER, "data.task=span")

    assert "this task answers those of a row together; accepted: auto, steps" in problem


def test_exact_wants_the_whole_head():
    rule = "freeze.rules=[{train: false, pattern: pooler|classifier/bias}]"

    (problem,) = refusal("freeze.depth=2", rule)

    assert "this one has a part that is frozen" in problem


def test_exact_tells_all_that_it_has_no_use_for():
    problems = refusal("freeze.depth=2", NO_POOLER, "training.epochs=9", "training.clip_norm=null")

    assert problems == [
        "training.epochs: received 9, which training.solver=exact has no use for; accepted: 3, or "
        "training.solver=steps",
        "training.clip_norm: received null, which training.solver=exact has no use for; accepted: "
        "1.0, or training.solver=steps",
    ]


def test_a_plan_of_the_head_alone_is_known():
    config = load_config(None, ["freeze.depth=2", NO_POOLER])

    assert trains_head_alone(spec_of(config, TWO_LAYERS).plan)


def test_a_search_trains_heads_in_steps_where_none_can_be_solved():
    joined, alone = TASKS["span"], TASKS["single_label"]
    config = load_config(None, [])
    assert solved_where_it_can_be(config, joined).training.solver == "steps"
    assert solved_where_it_can_be(config, alone) is config
    with pytest.raises(UserError, match="answers those of a row together; accepted: auto, steps"):
        solved_where_it_can_be(load_config(None, ["training.solver=exact"]), joined)
