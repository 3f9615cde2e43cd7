"""Costs of plans against sums made by hand."""

import io

import pytest
from rich.console import Console

from tf_finetune.encoders.families.table import FAMILIES
from tf_finetune.methods.adalora import AdaLora
from tf_finetune.methods.full import Full
from tf_finetune.options.freeze import FreezeConfig
from tf_finetune.plans.arithmetic import optimizer_bytes, plan_cost
from tf_finetune.plans.freezing import plan_freezing
from tf_finetune.reports.plan_tables import plan_markdown, render_costs, render_plan, render_rows

BERT = FAMILIES["bert"]
# One layer of width 2. In a batch of one text of two tokens keys and values take 16 FLOPs each;
# the first token's query and attention output 8, each of its attention products 8, each of its
# feed-forward products 16; the pooler 8 and a head of three 12.
SMALL = {
    "hidden_size": 2,
    "num_hidden_layers": 1,
    "num_attention_heads": 1,
    "intermediate_size": 4,
    "vocab_size": 5,
    "max_position_embeddings": 3,
    "type_vocab_size": 2,
}
FORWARD = 2 * 16 + 2 * 8 + 2 * 8 + 2 * 16 + 8 + 12
# The same layer below another one computes both tokens.
LOWER = 4 * 16 + 2 * 16 + 2 * 32
ONLY_HEAD = {"train": True, "parts": ["head"]}
REST_FROZEN = {"train": False}


def cost_of(
    config,
    batch_size=1,
    length=2,
    dropout=True,
    num_labels=3,
    pooling="first",
    method=None,
    training=None,
    **freeze,
):
    variables = BERT.variables(config, num_labels, pooling)
    plan = plan_freezing(FreezeConfig.model_validate(freeze), method or Full(), variables)
    sizes = BERT.sizes(config)
    shape = {"batch_size": batch_size, "length": length, "dropout": dropout}
    return plan_cost(
        plan, plan.with_added(variables), BERT, sizes, **shape, pooling=pooling, **training or {}
    )


def small_cost(**options):
    return cost_of(SMALL, **options)


@pytest.fixture(scope="module")
def bert_base_costs(bert_base):
    shape = {"batch_size": 32, "length": 128, "num_labels": 2}
    return [cost_of(bert_base, depth=depth, **shape) for depth in range(13)]


def test_eight_frozen_layers_of_bert_base_leave_29_million(bert_base_costs):
    costs = bert_base_costs
    assert costs[0].trainable == 109_483_778
    assert costs[8].trainable == 28_943_618
    assert costs[8].gradient_bytes == 4 * 28_943_618
    assert costs[8].optimizer_bytes == 8 * 28_943_618
    assert costs[12].trainable_by_part == {"pooler": 590_592, "head": 1_538}
    assert sum(costs[0].trainable_by_part.values()) == 109_483_778


def test_every_layer_frozen_saves_work_and_memory(bert_base_costs):
    costs = bert_base_costs
    for lower, deeper in zip(costs, costs[1:], strict=False):
        assert deeper.forward_flops == lower.forward_flops
        assert deeper.backward_flops < lower.backward_flops
        assert deeper.activation_bytes < lower.activation_bytes


def test_training_everything_costs_two_forward_passes_more():
    cost = small_cost(depth=0)

    assert cost.forward_flops == FORWARD == 116
    assert cost.backward_flops == 232
    assert cost.step_flops == 348


def test_layers_below_the_last_compute_every_token():
    config = SMALL | {"num_hidden_layers": 2}

    costs = [cost_of(config, depth=depth) for depth in range(2)]

    assert costs[0].forward_flops == LOWER + FORWARD == 276
    assert costs[0].backward_flops == 2 * 276
    # What every token keeps: 10 hidden + 2 inner, and three rows of
    # probabilities; the last layer keeps 3 hidden a token and the rest once.
    lower, last = 2 * (10 * 2 + 2 * 4 + 3 * 2), 2 * 3 * 2 + (7 * 2 + 2 * 4 + 3 * 2)
    assert costs[0].activation_bytes == 4 * (lower + last + 2 * 3 * 2 + 3 * 2)
    assert costs[1].activation_bytes == 4 * (last + 3 * 2)


def test_training_pooler_and_head_alone():
    # The pooler's weights, and weights and input of the head.
    assert small_cost(depth=1).backward_flops == 8 + 2 * 12


def test_biases_alone_need_input_gradients_but_no_weight_gradients():
    # Nothing below the projections trains; both operands of both attention products do.
    expected = 2 * 8 + 2 * 8 + 8 + 2 * 16 + 8 + 12

    cost = small_cost(rules=[{"train": True, "parts": ["bias"]}, REST_FROZEN])

    assert cost.backward_flops == expected


def test_attention_alone():
    # Weights of four projections, both attention products, inputs above them, and the head.
    expected = (8 + 2 * 16) + 2 * 8 + 2 * 8 + 2 * 8 + 2 * 16 + 8 + 2 * 12

    cost = small_cost(rules=[{"train": True, "parts": ["attention"]}, ONLY_HEAD, REST_FROZEN])

    assert cost.backward_flops == expected


def test_values_alone_need_no_gradient_of_the_scores():
    # The weight, one operand of the second attention product, and inputs above.
    expected = 16 + 8 + 8 + 2 * 16 + 8 + 2 * 12

    cost = small_cost(rules=[{"train": True, "pattern": "value/kernel"}, ONLY_HEAD, REST_FROZEN])

    assert cost.backward_flops == expected


@pytest.mark.parametrize(
    ("depth", "dropout", "floats"),
    [
        # Two tokens: 3 hidden, embeddings; the first: 7 hidden + 2 inner, three rows of
        # probabilities; the head.
        (0, True, 2 * (3 * 2 + 3 * 2) + (7 * 2 + 2 * 4 + 3 * 2) + 3 * 2),
        (0, False, 2 * (3 * 2 + 2 * 2) + (5 * 2 + 2 * 4 + 1 * 2) + 3 * 2),
        (1, True, 3 * 2),
    ],
)
def test_activations_by_hand(depth, dropout, floats):
    assert small_cost(depth=depth, dropout=dropout).activation_bytes == 4 * floats


def test_cached_states_spare_the_frozen_layers():
    config = SMALL | {"num_hidden_layers": 2}

    none, one, two = (cost_of(config, depth=depth) for depth in range(3))

    assert (none.prefix_flops, none.state_bytes) == (0, 0)
    # Two tokens two wide, then the first alone.
    assert (one.prefix_flops, one.state_bytes) == (LOWER, 4 * 2 * 2)
    assert (two.prefix_flops, two.state_bytes) == (276 - 8 - 12, 4 * 2)
    # Pooler and head: forward, their weights, and the head's input.
    assert two.cached_step_flops == 8 + 12 + 8 + 2 * 12


def test_a_mean_computes_every_token_in_the_last_layer_and_needs_no_pooler():
    config = SMALL | {"num_hidden_layers": 2}

    none, one, two = (cost_of(config, depth=depth, pooling="mean") for depth in range(3))

    # The mean of two tokens two wide is a product of 8; the head follows.
    assert none.forward_flops == 2 * LOWER + 8 + 12
    assert none.backward_flops == 2 * (2 * LOWER + 12) + 8  # no weight makes the mean
    # Two layers: every token as in a lower layer; embeddings; the vector and what dropout left.
    a_layer = 2 * (10 * 2 + 2 * 4 + 3 * 2)
    assert none.activation_bytes == 4 * (2 * a_layer + 2 * 3 * 2 + 2 * 2)
    assert (one.prefix_flops, one.state_bytes) == (LOWER, 4 * 2 * 2)
    assert (two.prefix_flops, two.state_bytes) == (2 * LOWER + 8, 4 * 2)
    assert two.cached_step_flops == 12 + 12  # the head and its weights
    assert two.trainable_by_part == {"head": 9}
    assert none.trainable == cost_of(config).trainable - 6


def test_the_largest_keep_what_they_were_chosen_from_and_the_last_token_is_as_cheap_as_the_first():
    mean, largest, last, first = (
        small_cost(depth=0, pooling=pooling) for pooling in ("mean", "max", "last", "first")
    )

    assert largest.forward_flops == mean.forward_flops - 8
    assert largest.activation_bytes == mean.activation_bytes + 4 * 2 * 2
    assert last.forward_flops == first.forward_flops - 8  # the pooler
    assert last.activation_bytes == first.activation_bytes - 4 * 2


@pytest.mark.parametrize(
    ("optimizer", "matrix", "vector"),
    [("adamw", 2 * 15, 2 * 5), ("sgd", 15, 5), ("adafactor", 15 + 3 + 5, 5)],
)
def test_optimizer_state_by_hand(optimizer, matrix, vector):
    assert optimizer_bytes((3, 5), optimizer) == 4 * matrix
    assert optimizer_bytes((5,), optimizer) == 4 * vector


def test_averages_of_a_method_are_priced_with_the_state_of_the_optimiser():
    cost = small_cost(method=AdaLora(rank=1, initial_rank=2))

    added = 2 * (2 * 2 + 2 + 2 * 2)  # beside query and value
    above = 2 * 2 + 2 + 2 * 3 + 3
    assert cost.optimizer_bytes == 8 * (added + above) + 8 * added


def test_averages_of_the_weights_are_priced_with_the_state_of_the_optimiser():
    usual, averaged = (small_cost(training={"averages": averages}) for averages in (False, True))

    assert averaged.optimizer_bytes == usual.optimizer_bytes + 4 * usual.trainable


def test_tables_name_places_counts_and_rules():
    variables = BERT.variables(SMALL, num_labels=3)
    plan = plan_freezing(FreezeConfig(depth=1), Full(), variables)
    cost = small_cost(depth=1)
    console = Console(width=120, record=True, file=io.StringIO())

    render_plan(console, plan)
    render_rows(console, plan)
    render_costs(
        console, [("0", small_cost()), ("1", cost)], batch_size=1, length=2, highlighted="1"
    )
    text = console.export_text()

    # Embeddings 24, layer 54; pooler 2 x 2 + 2, head 2 x 3 + 3.
    assert "15 of 93 train (16.1%)" in text
    assert "bert/encoder/layer_._0/attention/self/query/kernel" in text
    assert "One step of 1 x 2 tokens, float32" in text
    assert "| pooler | 6 | 6 | trains by default |" in plan_markdown(plan)
    assert "| layer 0 | 54 | 0 | freeze.depth=1 |" in plan_markdown(plan)
