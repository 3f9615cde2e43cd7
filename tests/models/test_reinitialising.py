"""Top layers that begin with new values: which, with which values, and what does not go with it."""

import numpy as np
import pytest

from tf_finetune.errors import UserError
from tf_finetune.models.building import build
from tf_finetune.models.plan_check import check_plan
from tf_finetune.models.reinitialising import reinitialised, reinitialised_lines
from tf_finetune.models.weights import OfRun, Pretrained

TOP = {"reinitialise_top": 2}


def values(model):
    return {path: variable.numpy() for path, variable in model.by_path.items()}


@pytest.fixture(scope="module")
def pretrained_values(tiny_encoder, spec_for):
    return values(build(spec_for(tiny_encoder), Pretrained()))


@pytest.fixture(scope="module")
def anew(tiny_encoder, spec_for):
    return build(spec_for(tiny_encoder, training=TOP), Pretrained())


def test_top_layers_and_pooler_begin_anew_and_nothing_else(tiny_encoder, spec_for):
    spec = spec_for(tiny_encoder, training=TOP)

    chosen = [v for v in spec.variables if v.path in reinitialised(spec)]
    assert {layer for v in chosen for layer in v.layers} == {1, 2}
    assert {v.part for v in chosen if not v.layers} == {"pooler"}
    assert reinitialised_lines(spec) == [
        "begins anew: layers 1 to 2 and the pooler, as training.reinitialise_top=2 asks for"
    ]
    assert reinitialised_lines(spec_for(tiny_encoder)) == []


def test_kernels_are_normal_biases_zero_and_norms_one(anew, pretrained_values):
    found = values(anew)
    for variable in anew.table:
        value = found[variable.path]
        if variable.path not in anew.anew:
            np.testing.assert_array_equal(value, pretrained_values[variable.path])
        elif variable.kind == "kernel":
            # Cut at two deviations of 0.02, a normal distribution has 0.88 of them.
            assert value.std() == pytest.approx(0.88 * 0.02, rel=0.1)
            assert (value != pretrained_values[variable.path]).all()
        else:
            np.testing.assert_array_equal(value, float(variable.path.endswith("gamma")))


def test_new_values_are_a_function_of_the_seed(anew, tiny_encoder, spec_for):
    first = values(anew)
    kernel = "bert/encoder/layer_._2/output/dense/kernel"
    again = build(spec_for(tiny_encoder, training=TOP | {"seed": 3}), Pretrained())
    assert (again.by_path[kernel].numpy() != first[kernel]).any()

    again.reset(0)

    for path, value in values(again).items():
        np.testing.assert_array_equal(value, first[path])


def test_a_trained_model_keeps_what_it_learnt(tiny_encoder, spec_for):
    assert OfRun().anew(spec_for(tiny_encoder, training=TOP)) == frozenset()


@pytest.mark.parametrize(
    ("sections", "problem"),
    [
        (
            {"freeze": {"depth": 2}},
            "received 2 with freeze.depth=2; accepted: 0 to 1, the layers that are not frozen",
        ),
        (
            {"freeze": {"rules": [{"train": False, "layers": "2", "parts": ["bias"]}]}},
            r"received 2, but bert/encoder/layer_\._2/attention/self/query/bias and 5 more would "
            r"be frozen by freeze\.rules\[0\] and stay random; accepted: 0, or let all of these",
        ),
        ({"method": {"name": "biases"}}, r"would be frozen by method.name=biases and stay random"),
    ],
)
def test_what_is_frozen_cannot_begin_anew(tiny_encoder, spec_for, sections, problem):
    with pytest.raises(UserError, match=problem):
        check_plan(spec_for(tiny_encoder, training=TOP, **sections))


def test_no_more_layers_begin_anew_than_there_are(tiny_encoder, spec_for):
    with pytest.raises(UserError, match="received 4; accepted: 0 to 3"):
        check_plan(spec_for(tiny_encoder, training={"reinitialise_top": 4}))
    check_plan(spec_for(tiny_encoder, training={"reinitialise_top": 3}))


def test_layers_that_share_weights_do_not_begin_anew_by_one(make_encoder, tmp_path, spec_for):
    albert = make_encoder(tmp_path, model_type="albert", num_hidden_groups=1)

    with pytest.raises(UserError, match="received 1; accepted: 0, 3, because layers of this"):
        check_plan(spec_for(albert, training={"reinitialise_top": 1}))
