"""The ways to train that a learning curve compares, each as a cell for any number of examples."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tf_finetune.methods.contrastive import Contrastive
from tf_finetune.methods.method import Method
from tf_finetune.methods.settings import setting_of, setting_text
from tf_finetune.plans.rates import steps_of_one_reading, two_digits, usual_rate
from tf_finetune.results.recommendation import Recommendation
from tf_finetune.results.trial import METHOD, Cell
from tf_finetune.searches.leading.job import SearchJob
from tf_finetune.searches.running.records import TrialRecord
from tf_finetune.training.objectives import OBJECTIVES

# Pairs read each text some thirty times in an epoch; a method of pairs is for few labels.
_MOST_READINGS = 20_000


@dataclass(frozen=True)
class Way:
    """A way to train.

    Attributes:
        words: What it is.
        cell: The cell for a number of examples.
        most_examples: Of parts that are not too dear; None: any.
    """

    words: str
    cell: Callable[[int], Cell]
    most_examples: int | None = None


def ways_of(
    job: SearchJob, found: Recommendation, records: Sequence[TrialRecord]
) -> tuple[Way, ...]:
    """The best solved head, pairs where labels can be paired, and the best of what trains in steps.

    Args:
        job: The search.
        found: What it recommends.
        records: Its trials that can be compared.
    """
    ways = []
    sign = 1.0 if job.higher_is_better else -1.0
    whole = [r for r in records if r.is_completed and r.result.score is not None]
    solved = [r for r in whole if r.request.cell.is_solved]
    trained = [r for r in whole if not r.request.cell.is_solved]

    def best_of(ended: Sequence[TrialRecord]) -> Cell:
        return max(ended, key=lambda r: sign * float(r.result.score or 0.0)).request.cell

    if solved:
        cell = best_of(solved)
        on = "the first" if cell.layers_used else "all"
        ways.append(Way(f"a head solved on {on} {_layers(cell.frozen_depth)}", lambda _: cell))
    recommended = found.recommended.cell
    if not recommended.is_solved or trained:
        tuned = recommended if not recommended.is_solved else best_of(trained)
        if pairs := _pairs(job, tuned):
            ways.append(pairs)
        ways.append(_in_steps(job, tuned))
    return tuple(ways)


def _layers(count: int) -> str:
    """So many layers, in words."""
    return f"{count} layer" + "s" * (count != 1)


def _in_steps(job: SearchJob, tuned: Cell) -> Way:
    """The cell itself; with fewer steps its rate grows as usual rates do."""
    method = _method_of(job, tuned)

    def cell(examples: int) -> Cell:
        rate = tuned.learning_rate
        assert rate is not None, "of a cell that trains in steps"
        rate *= _usual(job, method, tuned, examples) / _usual(
            job, method, tuned, len(job.splits.train)
        )
        return replace(tuned, learning_rate=two_digits(rate))

    return Way(f"{method.words}, {_layers(tuned.frozen_depth)} frozen", cell)


def _pairs(job: SearchJob, tuned: Cell) -> Way | None:
    """Pairs at the depth of a cell; None where there are none, or all layers are frozen there."""
    method = Contrastive()
    objective = OBJECTIVES[method.learns_from]
    splits = job.splits
    if tuned.frozen_depth >= job.files.num_layers or objective.problems(
        method.name, splits.labels, splits.train.labels
    ):
        return None

    def cell(examples: int) -> Cell:
        extra = tuple((name, value) for name, value in tuned.extra if name != METHOD)
        rate = two_digits(_usual(job, method, tuned, examples))
        return Cell(tuned.frozen_depth, rate, ((METHOD, setting_text(method)), *extra))

    most = _MOST_READINGS // method.readings
    return Way(f"{method.words}, {_layers(tuned.frozen_depth)} frozen", cell, most)


def _usual(job: SearchJob, method: Method, cell: Cell, examples: int) -> float:
    steps = steps_of_one_reading(job.config, examples)
    num_layers = job.files.num_layers
    return usual_rate(job.config.data.task, method, cell.frozen_depth, num_layers, steps)


def _method_of(job: SearchJob, cell: Cell) -> Method:
    return job.config.method if cell.method is None else setting_of(cell.method)
