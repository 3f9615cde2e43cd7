"""Labels texts round after round in the order that a strategy says; see `rank.py`."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console

from tf_finetune.config.loading import load_config
from tf_finetune.data.read_vectors import ReadVectors
from tf_finetune.data.splits import Split
from tf_finetune.jobs.training_inputs import load_training_inputs
from tf_finetune.models.building import build
from tf_finetune.options.training import TrainingConfig
from tf_finetune.ranking.choosing import choose
from tf_finetune.ranking.pool import Candidate, Pool
from tf_finetune.ranking.request import Request
from tf_finetune.runs.outputs import Outputs
from tf_finetune.runs.trained_model import TrainedModel
from tf_finetune.sources.records import Record
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.training.head_choice import choose_penalty, inner_folds
from tf_finetune.training.head_path import HeadProblem, solve_path
from tf_finetune.training.strategy import build_strategy
from tools.benchmarks.data_sets import DATA_SETS
from tools.benchmarks.own_program import own_options

RANDOM = "random"
# What `--by` and `--balanced` ask for.
STRATEGIES = {
    "entropy": ("entropy", False),
    "margin": ("margin", False),
    "coverage": ("coverage", False),
}
_BATCH = 64


class Known(NamedTuple):
    """Texts with what the head reads of them and their labels, which are looked at one by one.

    Attributes:
        split: The texts.
        records: The same as `rank` reads them.
        vectors: Of each, float32 [n, hidden].
    """

    split: Split
    records: list[Record]
    vectors: np.ndarray


class Job(NamedTuple):
    """What is simulated.

    Attributes:
        pool: The texts that are labelled one after the other.
        test: Those that each head is scored on.
        labels: What their labels mean.
        training: The options of a head.
        has_bias: Whether the head has a bias.
        each: Texts a round.
        rounds: Rounds after the first texts, which are drawn at random.
    """

    pool: Known
    test: Known
    labels: LabelSpace
    training: TrainingConfig
    has_bias: bool
    each: int
    rounds: int


def main() -> None:
    """Prints a JSON line a strategy and draw."""
    arguments = own_options(
        __doc__,
        words=("data", "set", "encoder"),
        numbers=("texts", "count", "rounds", "draws"),
    )
    options = DATA_SETS[arguments.set].options_in(
        Path(arguments.data), arguments.texts, arguments.encoder
    )
    job = _job(options, arguments.count, arguments.rounds)
    for draw in range(arguments.draws):
        for name in (RANDOM, *STRATEGIES):
            found = {"data": arguments.set, "draw": draw, "strategy": name}
            print(json.dumps(found | {"scores": list(simulated(job, name, draw))}), flush=True)


def simulated(job: Job, strategy: str, draw: int) -> Iterator[float]:
    """The accuracy on the test texts, after the first texts and after each round.

    The penalty is chosen anew whenever there are twice as many labels.

    Args:
        job: What is simulated.
        strategy: `RANDOM`, or one of `STRATEGIES`.
        draw: Draws the first texts, the same for all strategies, and what is drawn further.
    """
    order = np.random.default_rng(draw).permutation(len(job.pool.records))
    labelled, path = order[: job.each], [0.0]
    decay = job.training.weight_decay
    for number in range(job.rounds + 1):
        own, problem = _problem(job, labelled)
        if (number + 1).bit_count() == 1:  # labels have doubled
            choice = choose_penalty(problem, inner_folds(own, job.labels), decay)
            path = [*choice.penalties[: choice.best + 1]]
        *_, head = solve_path(problem, path)
        answer = partial(head.answers, scale=problem.scale)
        yield job.labels.score(job.test.split.labels, answer(job.test.vectors))["accuracy"]
        if number < job.rounds:
            # In the drawn order, so that equal scores are no matter of how the file is sorted.
            rest = order[~np.isin(order, labelled)]
            chosen = rest[: job.each]
            if strategy != RANDOM:
                chosen = rest[_chosen(job, rest, answer, strategy, draw)]
            labelled = np.concatenate([labelled, chosen])


def _problem(job: Job, labelled: np.ndarray) -> tuple[Split, HeadProblem]:
    """Some texts, and the head that they ask for, as `training.solver=exact` has it."""
    labelled = np.sort(labelled)
    own = job.pool.split.select(labelled)
    vectors = ReadVectors(job.pool.vectors[labelled], np.ones((len(own), 1), bool))
    problem = HeadProblem.of(vectors, own.labels, job.labels, job.training, has_bias=job.has_bias)
    return own, problem


def _chosen(
    job: Job,
    rest: np.ndarray,
    answer: Callable[[np.ndarray], np.ndarray],
    strategy: str,
    draw: int,
) -> list[int]:
    """Places in `rest` that `rank` would give of these texts."""
    by, balanced = STRATEGIES[strategy]
    request = Request(job.each, by, balanced, draw)  # type: ignore[arg-type]
    vectors = job.pool.vectors[rest]
    outputs = Outputs([job.pool.records[place] for place in rest], (), answer(vectors))
    measure = request.measure(job.labels)
    assert measure is not None, "classes have probabilities"
    scores = job.labels.doubts(measure, outputs.records, (), outputs.logits)
    groups = job.labels.predicted(outputs.logits) if balanced else np.zeros(len(rest), np.int64)
    pool = Pool(request.kept)
    pool.offer(outputs, scores, groups)

    def vectors_of(candidates: Sequence[Candidate]) -> np.ndarray:
        return vectors[[one.place for one in candidates]]

    chosen = choose(pool.groups(), request, vectors_of, weighed=True)
    return [one.candidate.place for one in chosen]


def _job(options: list[str], count: int, rounds: int) -> Job:
    """Reads the texts, and what an untouched encoder says of them."""
    config = load_config(None, [*options, "freeze.depth=0", "training.precision=float32"])
    with ExitStack() as claims:
        inputs = load_training_inputs(config, claims, Console(quiet=True))
    chosen = build_strategy("auto")
    classifier = build(inputs.spec, inputs.start, chosen.strategy)
    model = TrainedModel(inputs.spec, classifier, inputs.tokenizer, chosen)

    def known(split: Split | None) -> Known:
        assert split is not None, "every set has a test split"
        records = split.records(np.arange(len(split)))
        return Known(split, records, model.vectors_of(records, _BATCH))

    splits: Any = inputs.splits
    return Job(
        known(splits.train),
        known(splits.test),
        splits.labels,
        inputs.config.training,
        inputs.files.family.head_has_bias,
        count,
        rounds,
    )


if __name__ == "__main__":
    main()
