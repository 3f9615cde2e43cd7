"""A checkpoint belongs to one encoder, plan, start of the head, data set and set of options."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from tf_finetune.models.head_start import HeadStart, new_head
from tf_finetune.tasks.output_scale import OutputScale
from tf_finetune.tasks.several_classes import SeveralClasses
from tf_finetune.training.checkpoint_identity import checkpoint_identity


@pytest.fixture(scope="module")
def plan(tiny_encoder_files, spec_for):
    def plan(method="full", **options):
        return spec_for(tiny_encoder_files, freeze=options, method=method).plan

    return plan


@pytest.fixture(scope="module")
def identity(plan, splits, training):
    """The identity of a job of which something is another."""

    def of(data=splits, config=None, **other):
        files = SimpleNamespace(checkpoint=SimpleNamespace(sha256=other.pop("weights", "a")))
        usual = {"plan": plan(), "files": files, "head": new_head(2), "scale": None}
        return checkpoint_identity(SimpleNamespace(**usual | other), data, config or training())

    return of


def test_the_same_job_has_the_same_identity(identity, plan, training):
    assert identity() == identity(plan=plan(), config=training(steps_per_execution=3))


def test_a_threshold_is_told_only_where_it_is_not_the_usual_one(identity, splits):
    several = SeveralClasses(splits.labels.names, threshold=0.5)

    assert identity(data=replace(splits, labels=several)) == identity()


def test_whatever_decides_the_course_of_a_run_is_told_apart(identity, plan, splits, training):
    several = SeveralClasses(splits.labels.names, threshold=0.3)
    jobs = [
        identity(),
        identity(weights="b"),
        identity(plan=plan(depth=1)),
        identity(plan=plan(rules=({"layers": "1", "train": False},))),
        identity(plan=plan(method="lora")),
        identity(plan=plan(method={"name": "lora", "alpha": 4})),
        identity(head=HeadStart((1, 0))),
        identity(head=HeadStart((0, 1))),
        identity(scale=OutputScale(0.0, 1.0)),
        identity(scale=OutputScale(0.0, 2.0)),
        identity(config=training(seed=2)),
        identity(config=training(class_weights="balanced")),
        identity(config=training(precision="mixed_bfloat16")),
        identity(data=replace(splits, train=splits.train.select(slice(0, 33)))),
        identity(data=replace(splits, labels=several)),
    ]

    assert len(set(jobs)) == len(jobs)
