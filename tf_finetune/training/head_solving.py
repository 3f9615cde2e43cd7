"""Trains a head exactly: one pass over the texts for their vectors, a penalty, its optimum."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from tf_finetune.data.loading import Splits
from tf_finetune.data.read_vectors import ReadVectors, laid_out
from tf_finetune.data.splits import Split
from tf_finetune.data.states import PrefixStates
from tf_finetune.machine import interruption
from tf_finetune.options.training import TrainingConfig
from tf_finetune.results.trial import Predictions
from tf_finetune.training.bad_numbers import NonFiniteError
from tf_finetune.training.fine_tuner import FineTuner
from tf_finetune.training.head_choice import PenaltyChoice, choose_penalty, inner_folds
from tf_finetune.training.head_path import (
    HeadProblem,
    SolvedHead,
    solve_path,
)
from tf_finetune.training.pipeline import BatchShape
from tf_finetune.training.run_result import OUT_OF_FOLD_LOSS, PENALTY, RunResult
from tf_finetune.training.split_logits import split_vectors
from tf_finetune.training.tensorboard_scalars import TensorBoardScalars
from tf_finetune.training.weight_change import weight_changes


def entry_of(
    problem: HeadProblem,
    solved: SolvedHead,
    out_of_fold: Mapping[str, float],
    seconds: float,
    validation: Predictions | None,
) -> dict[str, float]:
    """What stands in a history in the place of an epoch, losses in units of the targets.

    Args:
        problem: What was solved.
        solved: Its solution for a penalty.
        out_of_fold: Scores of that penalty; see `choose_penalty`.
        seconds: What that took.
        validation: Answers to the validation split, if there is one.
    """
    deviation = problem.scale.deviation if problem.scale else 1.0
    entry = {
        "loss": solved.loss * deviation**2,
        OUT_OF_FOLD_LOSS: out_of_fold["loss"],
        PENALTY: solved.penalty,
        "seconds": seconds,
        "examples_per_second": len(problem.row_targets) / seconds,
    }
    if validation is not None:
        scores = problem.labels.score(*validation)
        entry |= {f"val_{name}": value for name, value in scores.items()}
    return entry


@dataclass(frozen=True, eq=False)
class HeadSolver:
    """Solves the head of a model whose plan trains nothing else.

    The solution depends on the examples and the options alone: not on what the head held before,
    nor on a seed. Each of several processes computes it from the same vectors.

    Attributes:
        model: The model; changed in place.
        splits: Training and, where there is one, validation examples.
        config: The training section.
        shape: How batches are cut for the pass over the texts.
        states: States of "train" and "validation", where they are cached.
        events: Where TensorBoard's scalars go; None: nowhere.
        console: Where progress goes.
    """

    model: FineTuner
    splits: Splits
    config: TrainingConfig
    shape: BatchShape
    states: Mapping[str, PrefixStates]
    events: Path | None
    console: Console

    def solve(self) -> RunResult:
        """Solves for the penalty with the lowest loss out of fold, the larger ones on its way.

        Raises:
            NonFiniteError: The vectors of some texts are no finite numbers.
            Interrupted: Ctrl-C or SIGTERM; the next run begins anew.
        """
        validation = self.splits.validation
        known = None if validation is None else self._vectors("validation", validation)
        scalars = self._scalars()
        history: list[dict[str, float]] = []
        logits: np.ndarray | None = None
        began = time.perf_counter()
        problem = self._problem()
        choice = self._choice(problem)
        path = choice.penalties[: choice.best + 1]
        for solved, answered in zip(solve_path(problem, path), choice.scores, strict=False):
            seconds = time.perf_counter() - began
            interruption.check()
            self.model.classifier.set_values(self._values(solved))
            logits = None
            if known is not None:
                flat = self.model.classifier.head_logits(known.values).numpy()
                logits = laid_out(flat, known.is_read)
            answers = None
            if validation is not None and logits is not None:
                answers = Predictions(validation.labels, logits)
            entry = entry_of(problem, solved, answered, seconds, answers)
            history.append(entry)
            self._tell(solved, entry)
            if scalars is not None:
                scalars.on_epoch_end(len(history) - 1, entry)
            began = time.perf_counter()
        self.console.print(
            f"kept: penalty {path[-1]:.3g}, the lowest loss out of fold of "
            f"{len(choice.penalties)}, from {choice.penalties[0]:.3g} to "
            f"{choice.penalties[-1]:.3g}",
            highlight=False,
        )
        return RunResult(
            model=self.model,
            history=history,
            best_epoch=len(history),
            steps=0,
            train_seconds=sum(entry["seconds"] for entry in history),
            first_step_seconds=0.0,
            first_call_steps=0,
            first_step_at=None,
            micro_batches=self.model.micro_batches,
            validation_logits=logits,
        )

    def _problem(self) -> HeadProblem:
        train = self.splits.train
        vectors = self._vectors("train", train)
        return HeadProblem.of(
            vectors,
            train.labels,
            self.splits.labels,
            self.config,
            has_bias=self.model.classifier.files.family.head_has_bias,
        )

    def _choice(self, problem: HeadProblem) -> PenaltyChoice:
        folds = inner_folds(self.splits.train, self.splits.labels)
        return choose_penalty(problem, folds, self.config.weight_decay)

    def _vectors(self, name: str, split: Split) -> ReadVectors:
        values = split_vectors(self.model, split, self.shape, self.states.get(name))
        vectors = ReadVectors(values, split.is_read)
        bad = np.unique(vectors.rows[~np.isfinite(values).all(axis=1)])
        if len(bad):
            raise NonFiniteError(
                f"the encoder's answer to {len(bad)} of {len(split)} {name} texts is not finite; "
                f"the first stands in row {split.source_rows[bad[0]]}",
                hint="Try training.precision=float32.",
            )
        return vectors

    def _values(self, solved: SolvedHead) -> dict[str, np.ndarray]:
        """The solution by the paths of the head's variables."""
        head = [variable for variable in self.model.classifier.table if variable.part == "head"]
        return {v.path: solved.kernel if v.kind == "kernel" else solved.bias for v in head}

    def _tell(self, solved: SolvedHead, entry: Mapping[str, float]) -> None:
        metric, _ = self.splits.labels.monitor(self.config.monitor)
        score = entry.get(f"val_{metric}")
        scored = "" if score is None else f"  {metric} {score:.4f}"
        self.console.print(
            f"penalty {solved.penalty:.3g}  loss {entry['loss']:.4f}, "
            f"out of fold {entry[OUT_OF_FOLD_LOSS]:.4f}{scored}  "
            f"{entry['seconds']:.2f} s",
            highlight=False,
        )
        if not solved.is_solved:
            self.console.print(
                f"penalty {solved.penalty:.3g}: not solved to its optimum; after "
                f"{solved.iterations} iterations the gradient is {solved.gradient:.1g}, not "
                f"{solved.tolerance:.0g}",
                style="yellow",
                highlight=False,
            )

    def _scalars(self) -> TensorBoardScalars | None:
        if self.events is None:
            return None
        return TensorBoardScalars(
            self.events, weight_changes(self.model.classifier, self.config.seed)
        )
