"""Trains each way on each part, as trials of searches of their own, and reads the curve."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from rich.console import Console

from tf_finetune.evaluation.resampling import resampled_scores
from tf_finetune.results.learning_curve import LearningCurve, MeasuredPoint, WayCurve, doubling
from tf_finetune.results.recommendation import Recommendation
from tf_finetune.searches.leading.job import SearchJob
from tf_finetune.searches.learning_curve.parts import part_of, part_sizes
from tf_finetune.searches.learning_curve.saying import sentences_of
from tf_finetune.searches.learning_curve.ways import Way, ways_of
from tf_finetune.searches.running.directory import SearchDirectory
from tf_finetune.searches.running.identity import search_identity
from tf_finetune.searches.running.records import TrialJournal, TrialRecord
from tf_finetune.searches.running.runner import TrialRunner
from tf_finetune.searches.running.trial_request import TrialRequest
from tf_finetune.tasks.pseudo_examples import Kind

_RESAMPLES = 1000
# Scores vary where nothing went wrong, too, as in the race.
_ADDED: tuple[Kind, ...] = ("right", "wrong")


def measure_curve(
    job: SearchJob,
    found: Recommendation,
    records: Sequence[TrialRecord],
    runner: TrialRunner,
    console: Console,
) -> LearningCurve:
    """Trains what the journals of the parts lack, scores it on the validation split, and reads it.

    Args:
        job: The search.
        found: What it recommends.
        records: Its trials that can be compared; those of all examples are not trained again.
        runner: What runs trials: its compiled models are used.
        console: Where a line for each training goes.

    Raises:
        UserError: Something that concerns every training, such as a full disk.
        Interrupted: A signal came; what was trained is kept.
    """
    sign = 1.0 if job.higher_is_better else -1.0
    ways = ways_of(job, found, records)
    known = {record.request.key: record for record in records}
    trained: dict[tuple[str, int], list[TrialRecord]] = {}
    for size in part_sizes(job.splits.train, job.splits.labels):
        for seed in job.space.seeds:
            part = _Part(job, size, seed, known, runner, console)
            for way in ways:
                if way.most_examples is None or size <= way.most_examples:
                    trained.setdefault((way.words, size), []).append(part.trained(way))
    points = _points(job, ways, trained)
    best = [points[way.words] for way in ways if points[way.words]]
    most = max((line[-1] for line in best), key=lambda one: (one.examples, sign * one.score))
    doubled = doubling(next(line for line in best if line[-1] is most))
    return LearningCurve(
        metric=job.metric,
        ways=tuple(
            WayCurve(way, tuple(one.point for one in line)) for way, line in points.items() if line
        ),
        doubled=doubled,
        sentences=sentences_of(points, job.metric, sign, doubled),
    )


class _Part:
    """One draw of a part, with a folder and a journal of its own."""

    def __init__(
        self,
        job: SearchJob,
        size: int,
        seed: int,
        known: Mapping[str, TrialRecord],
        runner: TrialRunner,
        console: Console,
    ):
        self._job, self._size, self._seed, self._console = job, size, seed, console
        self._is_whole = size == len(job.splits.train)
        self._known = known if self._is_whole else {}
        search = job.config.search.model_copy(
            update={"median_stopping": False, "ensemble": False, "workers": 1}
        )
        config = job.config.model_copy(update={"search": search})
        splits = replace(
            job.splits, train=part_of(job.splits.train, job.splits.labels, size, seed), test=None
        )
        directory = SearchDirectory(job.directory.learning_curve / f"{size}-draw{seed}")
        directory.trials.mkdir(parents=True, exist_ok=True)
        identity = search_identity(config, job.files, splits)
        self._journal = TrialJournal(directory.journal, directory.trials, identity)
        self._runner = TrialRunner(job.files, splits, config, runner.chosen, directory)
        self._runner.models = runner.models  # compiled already

    def trained(self, way: Way) -> TrialRecord:
        """The record of a way on this part, trained if the journals do not have it."""
        epochs = self._job.config.training.epochs
        request = TrialRequest(way.cell(self._size), self._seed, epochs)
        known = self._known.get(request.key) or self._journal.records.get(request.key)
        if known is not None:
            return known
        record = self._runner.run(request, "explore")
        self._journal.append(record)
        self._runner.remove_checkpoints(record)
        score = record.result.score
        came = record.result.reason if score is None else f"{self._job.metric} {score:.4f}"
        self._console.print(
            f"{self._size:,} examples, {way.words}, draw {self._seed}: {came}",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
        return self._journal.records[request.key]  # which knows where its predictions are


def _points(
    job: SearchJob, ways: Sequence[Way], trained: Mapping[tuple[str, int], list[TrialRecord]]
) -> dict[str, list[MeasuredPoint]]:
    points: dict[str, list[MeasuredPoint]] = {way.words: [] for way in ways}
    for (way, size), ended in trained.items():
        whole = [record for record in ended if record.is_completed]
        if not whole:
            continue
        resampled = [
            resampled_scores(
                job.splits.labels, *record.result.load_predictions(), _RESAMPLES, 0, _ADDED
            )[job.metric]
            for record in whole
        ]
        scores = [float(record.result.score or 0.0) for record in whole]
        seconds = [record.wall_seconds for record in whole]
        points[way].append(
            MeasuredPoint(
                size,
                float(np.mean(scores)),
                np.mean(resampled, axis=0),
                len(whole),
                float(np.mean(seconds)),
            )
        )
    return points
