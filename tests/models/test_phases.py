"""The phases of a run, as they follow from its options."""

import json

import pytest

from tf_finetune.errors import UserError
from tf_finetune.models.phases import plan_of_run, planned_phases
from tf_finetune.models.plan_check import check_plan

THAW = {
    "depth": 3,
    "thaw": [{"from_epoch": 2, "depth": 1}, {"from_epoch": 4, "depth": 0, "learning_rate": 1e-5}],
}


@pytest.fixture
def phases(tiny_encoder, spec_for):
    training = {"epochs": 5, "learning_rate": 1e-3}
    return planned_phases(spec_for(tiny_encoder, freeze=THAW, training=training))


def test_each_phase_has_its_epochs_depth_and_rate(phases):
    assert [phase.words for phase in phases] == ["1", "2-3", "4-5"]
    assert [phase.first_epoch for phase in phases] == [0, 1, 3]
    assert [phase.spec.plan.frozen_depth for phase in phases] == [3, 1, 0]
    assert [p.spec.config.training.learning_rate for p in phases] == [1e-3, 1e-3, 1e-5]
    assert not any(phase.spec.config.freeze.thaw for phase in phases)


def test_a_run_of_one_depth_is_one_phase(tiny_encoder, spec_for):
    spec = spec_for(tiny_encoder, freeze={"depth": 2})

    (phase,) = planned_phases(spec)

    assert (phase.words, phase.spec.plan) == ("1-3", spec.plan)
    assert plan_of_run([phase]) == spec.plan.to_dict()


def test_the_plan_of_a_run_is_that_of_its_end_and_names_the_phases(phases):
    content = plan_of_run(phases)

    assert content["frozen_depth"] == 0
    assert json.loads(json.dumps(content["phases"][1])) == {
        "from_epoch": 2,
        "epochs": 2,
        "frozen_depth": 1,
        "trainable_parameters": phases[1].spec.plan.trainable_count,
        "learning_rate": 1e-3,
    }


def test_a_phase_does_not_part_layers_that_share_weights(make_encoder, tmp_path, spec_for):
    albert = make_encoder(tmp_path, model_type="albert", num_hidden_groups=1)
    spec = spec_for(albert, freeze={"depth": 3, "thaw": [{"from_epoch": 2, "depth": 1}]})

    with pytest.raises(UserError, match=r"freeze\.thaw\[0\]\.depth: received 1; accepted: 0, 3,"):
        check_plan(spec)
