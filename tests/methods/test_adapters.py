from tiny_variables import tiny_bert

from tf_finetune.methods.adapters import Adapters

VARIABLES = tiny_bert(layers=1)


def shapes(method):
    matrices = [v for v in VARIABLES if v.kind == "kernel" and v.layers]
    return [(m.site, added.name, added.shape) for m in matrices for added in method.added(m)]


def test_they_stand_behind_both_parts_or_the_feed_forward_part():
    of_one = [
        ("adapter_down", (8, 3)),
        ("adapter_down_bias", (3,)),
        ("adapter_up", (3, 8)),
        ("adapter_up_bias", (8,)),
    ]
    both = [(site, *rest) for site in ("attention_output", "down") for rest in of_one]

    assert shapes(Adapters(width=3)) == both
    assert shapes(Adapters(width=3, placement="feed_forward")) == both[4:]


def test_a_bottleneck_is_no_wider_than_a_state():
    assert Adapters(width=8).problems(VARIABLES) == []
    assert Adapters(width=9).problems(VARIABLES) == [
        "method.width: received 9; accepted: up to 8, the width of a state"
    ]
