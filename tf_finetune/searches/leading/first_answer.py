"""The first answer of a search: a head on every layer, each solved exactly, from a single pass.

For each number j of first layers and each pooling a linear head is solved on what the untouched
encoder, cut after layer j, gives of the texts. Nothing is trained, so it takes seconds, and each
is a cell like any other: all of its layers are frozen, its head is solved, and its record stands
in the journal before the first trial.
"""

import gc
import math
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from tf_finetune.encoders.family import Pooling
from tf_finetune.errors import UserError
from tf_finetune.machine.memory import PeakMemory
from tf_finetune.machine.one_thread import one_thread
from tf_finetune.models.building import build
from tf_finetune.models.plan_check import check_plan
from tf_finetune.models.spec import Spec, spec_of
from tf_finetune.models.weights import Pretrained
from tf_finetune.options.freeze import FreezeConfig
from tf_finetune.options.value_checks import duration_seconds
from tf_finetune.plans.solver import trains_head_alone
from tf_finetune.prefix.of_a_run import kept_splits
from tf_finetune.results.trial import Cell
from tf_finetune.searches.leading.job import SearchJob
from tf_finetune.searches.running.layer_heads import Candidate, Pass, solved_trial
from tf_finetune.searches.running.layer_vectors import layer_vectors
from tf_finetune.searches.running.records import TrialRecord
from tf_finetune.searches.running.trial_request import TrialRequest
from tf_finetune.training.pipeline import BatchShape

_MOST_THREADS = 4  # each holds the vectors of a head in float64


def first_candidates(job: SearchJob) -> list[Candidate]:
    """A head on each number of layers and each pooling, where nothing else would train.

    None where `training.solver` wants heads in steps, rules keep the head from training alone, or
    `training.reinitialise_top` lets layers begin anew, which have to train.
    """
    if not job.config.search.first_answer or job.config.training.solver == "steps":
        return []
    found = (
        _candidate(job, _cell(job, layers, pooling))
        for layers in job.files.family.possible_layers(job.files.config)
        for pooling in poolings_of_a_head(job)
    )
    return [candidate for candidate in found if candidate is not None]


def poolings_of_a_head(job: SearchJob) -> list[Pooling]:
    """What is read straight, without a pooler that would have to be trained."""
    family, of_task = job.files.family, job.splits.labels.pooling
    if of_task is not None:
        return [of_task]
    usual: Pooling = "first_state" if family.pooling == "first" else family.pooling
    wanted: tuple[Pooling, ...] = (usual, "mean")
    return [pooling for pooling in dict.fromkeys(wanted) if pooling in family.poolings]


def first_answer(
    job: SearchJob, tell: Callable[[str], None], after: Callable[[TrialRecord], None]
) -> list[TrialRecord]:
    """Solves the heads that the journal does not have yet, and writes them there.

    Args:
        job: The search.
        tell: Takes a line about what is done.
        after: Is called with each record that is safely in the journal.

    Returns:
        What was solved now; nothing if all stood there.

    Raises:
        UserError: `search.time_budget` is shorter than this takes.
    """
    candidates = first_candidates(job)
    missing = [c for c in candidates if c.request.key not in job.journal.records]
    if not missing:
        if job.config.search.first_answer and not candidates:
            tell(
                "first answer: none, as training.solver=steps, freeze.rules or "
                "training.reinitialise_top leave no head that trains alone"
            )
        return []
    texts = sum(map(len, kept_splits(job.splits).values()))
    tell(f"first answer: one pass over {texts:,} texts for {len(missing)} heads")
    whole = spec_of(
        job.config,
        job.files,
        job.splits.labels,
        freeze=FreezeConfig(depth=job.files.num_layers),
    )
    began = time.monotonic()
    done = _pass(job, whole)
    gc.collect()  # the model of the pass is a web of cycles
    share = (time.monotonic() - began) / len(missing)

    threads = min(os.cpu_count() or 1, _MOST_THREADS)

    def solve(candidate: Candidate) -> TrialRecord:
        record = solved_trial(candidate, job.splits, done, whole, job.directory)
        return replace(record, wall_seconds=share + record.wall_seconds / threads)

    solved = []
    with one_thread(), ThreadPoolExecutor(threads) as pool:
        try:
            for record in pool.map(solve, missing):
                job.journal.append(record)
                solved.append(job.journal.records[record.request.key])
                after(solved[-1])
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return solved


def first_dimensions(job: SearchJob) -> dict[str, tuple[Any, ...]]:
    """Values of the options by which these cells differ from the search's own configuration."""
    found: dict[str, dict[Any, None]] = {}
    for candidate in first_candidates(job):
        for name, value in candidate.request.cell.extra:
            found.setdefault(name, {})[value] = None
    return {name: tuple(values) for name, values in found.items()}


def _cell(job: SearchJob, layers: int, pooling: Pooling) -> Cell:
    """With what differs from the search's own configuration."""
    extra: dict[str, Any] = {}
    if layers != job.files.num_layers:
        extra["encoder.layers"] = layers
    if pooling != job.config.encoder.pooling:
        extra["encoder.pooling"] = pooling
    return Cell(layers, None, tuple(extra.items()))


def _candidate(job: SearchJob, cell: Cell) -> Candidate | None:
    request = TrialRequest(cell, job.space.seeds[0], job.config.training.epochs)
    config = request.configure(job.config)
    try:
        spec = spec_of(config, job.files.configured(config.encoder), job.splits.labels)
        check_plan(spec)
    except UserError:  # such as a rule that this encoder has no layer for, or that freezes it all
        return None
    return Candidate(request, config, spec) if trains_head_alone(spec.plan) else None


def _pass(job: SearchJob, whole: Spec) -> Pass:
    """What every layer gives of the texts, with the encoder as it was found."""
    config = job.config
    poolings = poolings_of_a_head(job)
    shape = BatchShape(config.evaluation.batch_size, max_length=config.data.max_length)
    vectors, seconds = {}, {}
    with PeakMemory() as memory:
        classifier = build(whole, Pretrained())
        for name, split in kept_splits(job.splits).items():
            vectors[name], seconds[name] = layer_vectors(
                classifier, split, shape, poolings, job.directory.path, _within_budget(job)
            )
    is_read = {name: split.is_read for name, split in kept_splits(job.splits).items()}
    return Pass(vectors, is_read, poolings, seconds["train"], memory.peak_bytes)


def _within_budget(job: SearchJob) -> Callable[[float], None]:
    """Refuses a time budget that a pass alone would overrun."""
    text = job.config.search.time_budget

    def check(seconds: float) -> None:
        if text is not None and seconds > duration_seconds(text):
            raise UserError(
                f"search.time_budget: received {text}; accepted: at least "
                f"{math.ceil(seconds)}s, what one pass over the texts for the first answer takes "
                "here, or search.first_answer=false"
            )

    return check
