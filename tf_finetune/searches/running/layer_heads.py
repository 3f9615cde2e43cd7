"""Heads that are solved on what one pass over the texts gave of every layer, as trials."""

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.folds import Round, rounds_of, scored_split
from tf_finetune.data.loading import Splits
from tf_finetune.data.read_vectors import ReadVectors, laid_out
from tf_finetune.models.spec import Spec
from tf_finetune.results.trial import OutOfFold, Predictions
from tf_finetune.searches.running.directory import SearchDirectory
from tf_finetune.searches.running.records import TrialRecord, finite_history, write_predictions
from tf_finetune.searches.running.trial_request import TrialRequest
from tf_finetune.searches.running.trial_results import Measured, failed_result, result_of
from tf_finetune.training.head_choice import choose_penalty, inner_folds
from tf_finetune.training.head_path import HeadProblem, solve_path
from tf_finetune.training.head_solving import entry_of
from tf_finetune.training.rounds import pooled


class Candidate(NamedTuple):
    """A head on some layer.

    Attributes:
        request: Its trial: all layers that it has are frozen, and the head is solved.
        config: The configuration of that trial.
        spec: Its model.
    """

    request: TrialRequest
    config: ExperimentConfig
    spec: Spec


@dataclass(frozen=True, eq=False)
class Pass:
    """What a pass over the texts left.

    Attributes:
        vectors: Of each split that is kept, float32 [layers, poolings, m, hidden].
        is_read: Which reads they are of, bool [n, r]; see `ReadVectors`.
        poolings: Their order.
        seconds: That the training examples took, without tracing.
        peak_bytes: The most memory that was in use; None if it could not be measured.
    """

    vectors: Mapping[str, np.ndarray]
    is_read: Mapping[str, np.ndarray]
    poolings: Sequence[str]
    seconds: float
    peak_bytes: int | None

    def of(self, candidate: Candidate) -> dict[str, ReadVectors]:
        """What the candidate's head reads of each split."""
        files = candidate.spec.files
        place = files.num_layers - 1, self.poolings.index(files.pooling)
        return {
            name: ReadVectors(values[place], self.is_read[name])
            for name, values in self.vectors.items()
        }


class _Head(NamedTuple):
    """What came of one training: its answers to the examples that it is scored on.

    Those to its training examples are of heads that were solved without them.
    """

    logits: np.ndarray
    out_of_fold: OutOfFold
    entry: dict[str, float]


def solved_trial(
    candidate: Candidate, splits: Splits, done: Pass, whole: Spec, directory: SearchDirectory
) -> TrialRecord:
    """Solves a candidate's head and scores it as any trial is.

    Args:
        candidate: What to solve.
        splits: With a validation split or folds: each is answered by a head without it.
        done: The pass.
        whole: The model that the pass went through, for its share of the seconds.
        directory: Where the answers go.
    """
    began, request = time.monotonic(), candidate.request
    folder = directory.trial(request, request.epochs)
    vectors = done.of(candidate)
    if not all(np.isfinite(one.values).all() for one in vectors.values()):
        reason = "what the encoder gives of some texts is not finite"
        failed = failed_result(request, reason)
        return TrialRecord(request, "first", failed, time.monotonic() - began, (), folder.name)
    rounds = rounds_of(splits)
    heads = [_head(candidate, one, vectors) for one in rounds]
    scored = scored_split(splits)
    if scored is None:
        raise ValueError("a search needs a validation split or folds")
    predictions = Predictions(scored.labels, pooled(rounds, [head.logits for head in heads]))
    length = splits.train.mean_length
    share = candidate.spec.cost(1, length).forward_flops / whole.cost(1, length).forward_flops
    history = {name: statistics.fmean(h.entry[name] for h in heads) for name in heads[0].entry}
    seconds = share * done.seconds + history["seconds"]
    measured = Measured(
        # Shared out over the epochs of the others, as of every head that is solved.
        seconds_per_epoch=seconds / request.epochs,
        examples_per_second=len(splits.train) / seconds,
        train_seconds=seconds,
        peak_memory_bytes=done.peak_bytes,
        epochs=1,
    )
    result = result_of(
        request,
        candidate.config.training,
        candidate.spec,
        splits.train,
        splits.labels,
        predictions,
        measured,
        "validation",
    )
    folder.mkdir(parents=True, exist_ok=True)
    # With folds all training examples are answered out of fold already.
    out_of_fold = heads[0].out_of_fold if splits.folds is None else None
    digest = write_predictions(folder / "validation.npz", predictions, out_of_fold)
    folds = tuple(finite_history([head.entry]) for head in heads) if len(heads) > 1 else ()
    return TrialRecord(
        request,
        "first",
        result,
        wall_seconds=time.monotonic() - began,
        history=finite_history([history]),
        folder=folder.name,
        predictions_sha256=digest,
        fold_histories=folds,
    )


def _head(candidate: Candidate, one: Round, vectors: Mapping[str, ReadVectors]) -> _Head:
    """The head of one training, with what stands in its history."""
    began, train = time.thread_time(), one.splits.train  # as it would take alone
    own = one.own(vectors, ReadVectors.select)
    labels, training = one.splits.labels, candidate.config.training
    has_bias = candidate.spec.files.family.head_has_bias
    problem = HeadProblem.of(own["train"], train.labels, labels, training, has_bias=has_bias)
    choice = choose_penalty(problem, inner_folds(train, labels), training.weight_decay)
    (head,) = solve_path(problem, [choice.penalty])
    seconds = time.thread_time() - began
    asked_of = own["validation"]
    logits = laid_out(head.answers(asked_of.values, problem.scale), asked_of.is_read)
    scored = one.splits.validation
    answered = None if scored is None else Predictions(scored.labels, logits)
    asked = Predictions(train.labels[choice.asked], choice.answers)
    entry = entry_of(problem, head, choice.score, seconds, answered)
    return _Head(logits, OutOfFold(asked, choice.folds), entry)
