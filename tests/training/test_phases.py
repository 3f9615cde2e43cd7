"""A run whose frozen depth changes: what trains when, and that it goes on from anywhere."""

from dataclasses import dataclass, field, replace
from functools import cache
from io import StringIO
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.errors import UserError
from tf_finetune.models.phases import planned_phases
from tf_finetune.models.spec import spec_of
from tf_finetune.models.weights import pretrained
from tf_finetune.runs.phases import phases_of_run
from tf_finetune.training.compiling import build_fine_tuner

pytestmark = [pytest.mark.numeric, pytest.mark.eager]

# Three steps an epoch: three layers frozen in the first, two in the second, none in the third.
THAW = {
    "depth": 3,
    "thaw": [{"from_epoch": 2, "depth": 2}, {"from_epoch": 3, "depth": 0, "learning_rate": 1e-3}],
}
LAYER = "bert/encoder/layer_._{}/output/dense/kernel"


@pytest.fixture(scope="module")
def config(training):
    """Three epochs, with weight decay."""
    return training(epochs=3, weight_decay=0.1, batch_size=12)


@pytest.fixture(scope="module")
def spec(config, splits, tiny_encoder_files):
    experiment = ExperimentConfig(freeze=THAW, training=config, cache={"mode": "memory"})
    return spec_of(experiment, tiny_encoder_files, splits.labels)


@pytest.fixture(scope="module")
def made(spec, splits, cpu):
    """The model of the first phase, and all phases with models that are kept."""
    start = pretrained(spec.files, spec.labels, splits.train.labels)
    planned = planned_phases(spec)
    model = build_fine_tuner(planned[0].spec, start, cpu)
    phases = phases_of_run(planned, model, splits, cpu, Console(quiet=True))
    # Kept, so that another run need not trace their steps again.
    return model, [replace(phase, model=cache(phase.model)) for phase in phases]


@pytest.fixture(scope="module")
def fit(run, config, made):
    """Runs phases from the weights before fine-tuning."""
    model, phases = made

    def go(phases=phases, config=config, **options):
        made[1][-1].model().classifier.reset(config.seed)
        return run(model, config, phases=phases, **options)

    return go


@dataclass
class Watched:
    """What was seen of an undisturbed run.

    Attributes:
        fits: First epoch, end and what changed, of each phase.
        depths: Of the states that each phase read.
        rate: Of the first step of the second phase.
        moved: By path, how far the largest value moved in it.
        said: What was told.
        result: What came of it.
        state: Weights, slots and history.
    """

    fits: list = field(default_factory=list)
    depths: list = field(default_factory=list)
    rate: float = 0.0
    moved: dict = field(default_factory=dict)
    said: str = ""
    result: Any = None
    state: Any = None


@pytest.fixture(scope="module")
def undisturbed(made, fit, weights, state):
    watched, console = Watched(), Console(file=StringIO(), width=200)

    def of_phase(phase):
        def states(tuner):
            found = phase.states(tuner)
            watched.depths.append(found["train"].depth if found else 0)
            return found

        return replace(phase, states=states)

    def watch_fit(tuner, patch):
        real = tuner.fit

        def fit(*args, **more):
            start = weights(tuner)
            real(*args, **more)
            changed = {path for path, v in weights(tuner).items() if (v != start[path]).any()}
            watched.fits.append((more["initial_epoch"], more["epochs"], changed))

        patch.setattr(tuner, "fit", fit)

    def watch_first_step(tuner, patch):
        real = tuner._next_train_steps

        def steps(*args):
            before, rate = weights(tuner), tuner.optimizer_state.rate
            logs = real(*args)
            if not watched.moved:
                watched.rate = rate
                moved = {k: np.abs(v - before[k]).max() for k, v in weights(tuner).items()}
                watched.moved.update(moved)
            return logs

        patch.setattr(tuner, "_next_train_steps", steps)

    with pytest.MonkeyPatch.context() as patch:
        for phase in made[1]:
            watch_fit(phase.model(), patch)
        watch_first_step(made[1][1].model(), patch)
        watched.result = fit([of_phase(phase) for phase in made[1]], console=console)
    watched.state = state(watched.result.model, watched.result)
    watched.said = console.file.getvalue()
    return watched


def test_each_phase_trains_what_its_depth_leaves_and_decays_nothing_else(undisturbed, made):
    assert [(begun, ended) for begun, ended, _ in undisturbed.fits] == [(0, 1), (1, 2), (2, 3)]
    for (_, _, changed), phase in zip(undisturbed.fits, made[1], strict=True):
        assert changed <= phase.plan.trainable_paths
        layers = {row.layer for row in phase.plan.rows if row.path in changed and row.layers}
        assert layers == set(range(phase.plan.frozen_depth, 3))
    assert "from epoch 2 on: 2 of 3 layers frozen" in undisturbed.said
    assert "from epoch 3 on: 0 of 3 layers frozen" in undisturbed.said


def test_cached_boundaries_follow_the_depth(undisturbed):
    assert undisturbed.depths == [3, 2, 0]


def test_steps_are_counted_on_and_from_when_each_part_trains(undisturbed):
    optimizer = undisturbed.result.model.optimizer_state

    begun = {v.name: int(v) for v in optimizer.variables if "begun" in v.name}
    assert begun == {"begun_1:0": 3, "begun_2:0": 6}
    assert (int(optimizer.iterations), undisturbed.result.steps) == (9, 9)
    assert optimizer.rate == pytest.approx(0.0, abs=1e-9)  # the schedule is that of all steps


def test_first_step_of_what_is_thawed_is_no_longer_than_the_rate(undisturbed):
    """Adam's would be three times as long with moments that are taken for those of a late step."""
    bias = "bert/encoder/layer_._2/intermediate/dense/bias"
    assert undisturbed.moved[bias] == pytest.approx(undisturbed.rate, rel=0.05)


def test_slots_of_what_trained_before_are_kept(undisturbed):
    """With slots of zero its step would have the length of the rate as well."""
    head = "classifier/bias"
    assert undisturbed.moved[head] != pytest.approx(undisturbed.rate, rel=0.05)


# Inside the second phase and inside the third; between two it is what a damaged checkpoint leaves.
@pytest.mark.parametrize("step", [5, 7])
def test_interrupted_run_ends_as_an_undisturbed_one(
    fit, state, assert_equal, undisturbed, tmp_path, interrupt_at, step
):
    outputs = interrupt_at(step, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        fit(outputs=outputs)
    said = Console(file=StringIO(), width=200)

    result = fit(outputs=outputs, console=said)

    assert_equal(state(result.model, result), undisturbed.state)
    assert f"going on from step {step} of 9" in said.file.getvalue()


def test_damaged_checkpoint_of_a_phase_leads_back_to_the_one_before(
    made, fit, state, assert_equal, undisturbed, tmp_path, interrupt_at
):
    outputs = interrupt_at(7, tmp_path)  # and of step 6, with the model of the phase before
    with pytest.raises(KeyboardInterrupt):
        fit(outputs=outputs)
    (data,) = (tmp_path / "step-000000007").glob("variables.data*")
    data.write_bytes(bytes(byte ^ 1 for byte in data.read_bytes()))

    result = fit(outputs=outputs)

    assert_equal(state(result.model, result), undisturbed.state)
    with pytest.raises(UserError, match="belongs to another job"):
        fit(made[1][:2], outputs=outputs)


def test_best_weights_of_an_earlier_phase_leave_later_layers_as_they_were(
    made, fit, config, weights, monkeypatch
):
    made[1][-1].model().classifier.reset(config.seed)
    before = weights(made[0])
    scores = iter([0.9, 0.5, 0.4])
    monkeypatch.setattr(
        "tf_finetune.tasks.classes.Classes.score", lambda *_: {"accuracy": next(scores)}
    )

    result = fit(config=config.model_copy(update={"early_stopping_patience": 2}))

    assert (result.best_epoch, len(result.history)) == (1, 3)
    for layer in range(3):
        path = LAYER.format(layer)
        np.testing.assert_array_equal(result.model.classifier.by_path[path], before[path])
