"""The freeze plan: one decision a variable, by ordered rules, checked as a whole."""

import pytest

from tf_finetune.encoders.families.table import FAMILIES
from tf_finetune.encoders.variables import Variable
from tf_finetune.errors import UserError
from tf_finetune.methods.table import METHODS
from tf_finetune.options.freeze import FreezeConfig, FreezeRule
from tf_finetune.plans.freezing import matches, parse_layers, plan_freezing

SIZES = {
    "hidden_size": 4,
    "num_hidden_layers": 3,
    "num_attention_heads": 1,
    "intermediate_size": 8,
    "vocab_size": 10,
    "max_position_embeddings": 6,
    "type_vocab_size": 2,
}
VARIABLES = FAMILIES["bert"].variables(SIZES, num_labels=2)


def plan(method="full", **options):
    method = METHODS[method]()
    return plan_freezing(FreezeConfig.model_validate(options), method, VARIABLES)


def trained_places(plan):
    return {row.part if row.layer is None else row.layer for row in plan.rows if row.trainable}


def test_depth_zero_trains_every_variable():
    everything = plan(depth=0)

    assert [row.path for row in everything.rows] == [v.path for v in VARIABLES]
    assert all(row.trainable for row in everything.rows)
    assert everything.trainable_count == everything.total_count == sum(v.count for v in VARIABLES)
    assert (everything.frozen_depth, everything.embeddings_frozen) == (0, False)


@pytest.mark.parametrize(
    ("depth", "trained"), [(1, {1, 2, "pooler", "head"}), (3, {"pooler", "head"})]
)
def test_depth_freezes_embeddings_and_lower_layers_whole(depth, trained):
    frozen = plan(depth=depth)

    assert trained_places(frozen) == trained
    assert frozen.frozen_depth == depth
    assert frozen.embeddings_frozen
    assert [frozen.layer_is_frozen(layer) for layer in range(3)] == [i < depth for i in range(3)]


def test_embeddings_alone_can_be_frozen():
    frozen = plan(depth=0, embeddings=True)

    assert trained_places(frozen) == {0, 1, 2, "pooler", "head"}
    assert (frozen.frozen_depth, frozen.embeddings_frozen) == (0, True)


def test_first_matching_rule_decides_and_is_named():
    frozen = plan(
        depth=2,
        rules=[
            {"train": False, "layers": "0", "parts": ["attention"]},
            {"train": True, "layers": "0-1"},
        ],
    )

    rules = {row.path: (row.trainable, row.rule) for row in frozen.rows}
    layer = "bert/encoder/layer_._"
    assert rules[f"{layer}0/attention/self/key/kernel"] == (False, "freeze.rules[0]")
    assert rules[f"{layer}0/output/dense/kernel"] == (True, "freeze.rules[1]")
    assert rules[f"{layer}1/attention/self/key/kernel"] == (True, "freeze.rules[1]")
    assert rules["bert/embeddings/LayerNorm/beta"] == (False, "freeze.depth=2")
    assert rules["classifier/kernel"] == (True, "trains by default")


def test_training_something_low_shortens_the_prefix():
    lifted = plan(depth=3, rules=[{"train": True, "layers": "1", "parts": ["bias"]}])
    words = plan(depth=3, rules=[{"train": True, "pattern": "word_embeddings"}])

    assert lifted.frozen_depth == 1
    assert not lifted.layer_is_frozen(1)
    assert lifted.layer_is_frozen(2)  # frozen, but not part of the prefix
    assert (words.frozen_depth, words.embeddings_frozen) == (0, False)


def test_bias_and_layer_norm_select_wherever_they_stand():
    bias = FreezeRule(train=True, parts=("bias",))
    norm = FreezeRule(train=True, parts=("layer_norm",))
    selected_biases = [v.path for v in VARIABLES if matches(bias, v)]
    selected_norms = [v.path for v in VARIABLES if matches(norm, v)]

    assert len(selected_biases) == 3 * 6 + 2  # six dense layers a layer, pooler, head
    assert all(path.endswith("/bias") for path in selected_biases)
    assert len(selected_norms) == 2 * (1 + 3 * 2)
    assert "bert/embeddings/LayerNorm/gamma" in selected_norms


def test_all_conditions_of_a_rule_must_hold():
    rule = FreezeRule(train=True, layers="1", parts=("attention",), pattern="query")

    assert [v.path for v in VARIABLES if matches(rule, v)] == [
        "bert/encoder/layer_._1/attention/self/query/kernel",
        "bert/encoder/layer_._1/attention/self/query/bias",
    ]


def test_layer_condition_never_selects_outside_the_layers():
    pooler = Variable("bert/pooler/dense/bias", "bert.pooler.dense.bias", (4,), "pooler", "bias")

    assert not matches(FreezeRule(train=True, layers="0-2"), pooler)


def test_layer_ranges_are_read():
    assert parse_layers("0-2,5") == {0, 1, 2, 5}
    assert parse_layers("7") == {7}


def test_every_problem_is_named_at_once():
    with pytest.raises(UserError, match=r"freeze\.depth: received 4; accepted: 0 to 3") as caught:
        plan(
            depth=4,
            rules=[
                {"train": False, "layers": "2-5"},
                {"train": False, "pattern": "no_such_path"},
                {"train": True, "layers": "1", "parts": ["pooler"]},
            ],
        )

    assert caught.value.problems[1:] == [
        "freeze.rules[0].layers: received '2-5'; accepted: layers 0 to 2",
        "freeze.rules[1]: selects no variable; see the paths with the command `plan --rows`",
        "freeze.rules[2]: selects no variable; see the paths with the command `plan --rows`",
    ]


def test_freezing_everything_is_refused():
    with pytest.raises(UserError, match="freeze: every variable is frozen"):
        plan(rules=[{"train": False}])


def test_plan_as_a_dictionary_has_totals_and_a_row_a_variable():
    content = plan(depth=3).to_dict()

    # Pooler 4 x 4 + 4, head 4 x 2 + 2.
    assert content["trainable_parameters"] == 30
    assert content["total_parameters"] == sum(v.count for v in VARIABLES)
    assert (content["num_layers"], content["frozen_depth"]) == (3, 3)
    assert content["rows"][-1] == {
        "path": "classifier/bias",
        "part": "head",
        "layer": None,
        "count": 2,
        "trainable": True,
        "rule": "trains by default",
        "rate_factor": 1.0,
    }


def test_a_method_decides_above_the_depth_and_the_head_trains():
    biases = plan(method="biases", depth=2)

    # Query, key, value, output and two of the feed-forward part; kernel and bias of the pooler
    # and of the head.
    trained = [row for row in biases.rows if row.trainable]
    assert [row.layer for row in trained] == [2] * 6 + [None] * 4
    assert {row.part for row in trained[6:]} == {"pooler", "head"}
    assert (biases.frozen_depth, biases.embeddings_frozen) == (2, True)
    assert {row.rule for row in biases.rows if row.layer == 2 and not row.trainable} == {
        "method.name=biases"
    }


def test_rules_come_before_the_method():
    rules = [{"train": True, "parts": ["layer_norm"], "layers": "2"}]
    trained = [
        row.path for row in plan(method="biases", depth=2, rules=rules).rows if row.trainable
    ]
    assert sum("LayerNorm" in path for path in trained) == 4
