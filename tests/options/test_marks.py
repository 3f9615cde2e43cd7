"""Every option says by marks what it decides, and a section answers which options have one."""

from typing import Annotated

import pytest

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.options.marks import Mark
from tf_finetune.options.section import Section, marks_of


class Inner(Section):
    step: Annotated[int, Mark.STEP, Mark.TRIAL] = 1
    folder: Annotated[str | None, Mark.PLACE] = None
    forgotten: int = 3


class Outer(Section):
    first: Inner = Inner()
    alone: Annotated[tuple[float, ...], Mark.COURSE] = (0.5,)


@pytest.mark.parametrize("name", marks_of(ExperimentConfig))
def test_every_option_has_a_mark(name):
    meanings = "\n".join(f"  Mark.{mark.name}: {mark.value}" for mark in Mark)

    asides = {Mark.TRIAL, Mark.STEPWISE, Mark.TEXTS, Mark.LABELS}
    assert marks_of(ExperimentConfig)[name] - asides, (
        f"{name} does not say what it decides. Write its type as Annotated[…, Mark.…] with every "
        f"mark that fits:\n{meanings}"
    )


def test_an_option_without_a_mark_is_seen():
    assert marks_of(Outer)["first.forgotten"] == frozenset()
    assert marks_of(Outer)["first.step"] == {Mark.STEP, Mark.TRIAL}


def test_options_are_asked_for_by_any_of_some_marks_and_none_of_others():
    assert Outer.names_marked(Mark.PLACE, Mark.COURSE) == ("first.folder", "alone")
    assert Outer.names_marked(without={Mark.TRIAL, Mark.PLACE}) == ("first.forgotten", "alone")
    assert Outer.names_marked(Mark.STEP, without={Mark.TRIAL}) == ()


def test_values_are_given_as_json_has_them():
    outer = Outer(first=Inner(step=7))

    assert outer.marked(Mark.STEP, Mark.COURSE) == {"first.step": 7, "alone": [0.5]}
    assert outer.first.marked(Mark.STEP) == {"step": 7}


@pytest.mark.parametrize(
    ("name", "marks"),
    [
        ("data.folds", {Mark.INPUT}),
        ("data.encoding", {Mark.INPUT, Mark.TEXTS}),
        ("freeze.depth", {Mark.STEP, Mark.TRIAL}),
        ("training.epochs", {Mark.COURSE, Mark.STEPWISE}),
        ("training.precision", {Mark.STEP, Mark.ANSWER}),
        ("training.strategy", {Mark.WORK, Mark.ANSWER}),
        ("evaluation.threshold", {Mark.ANSWER}),
        ("cache.dtype", {Mark.COURSE}),
        ("search.ensemble", {Mark.SEARCH, Mark.ANSWER}),
        ("run.dir", {Mark.PLACE}),
    ],
)
def test_telling_options_decide_what_they_did(name, marks):
    assert marks_of(ExperimentConfig)[name] == marks
