"""Trains a head exactly: one pass over the texts for their vectors, then a path of penalties."""

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from tf_finetune.data.loading import Splits
from tf_finetune.data.splits import Split
from tf_finetune.data.states import PrefixStates
from tf_finetune.machine import interruption
from tf_finetune.options.training import TrainingConfig
from tf_finetune.results.trial import order_of_scores
from tf_finetune.training.bad_numbers import NonFiniteError
from tf_finetune.training.fine_tuner import FineTuner
from tf_finetune.training.head_path import (
    TOLERANCE,
    HeadProblem,
    SolvedHead,
    penalties_for,
    solve_path,
)
from tf_finetune.training.head_vectors import HeadVectors
from tf_finetune.training.pipeline import BatchShape
from tf_finetune.training.run_result import PENALTY, RunResult
from tf_finetune.training.split_logits import split_vectors
from tf_finetune.training.tensorboard_scalars import TensorBoardScalars
from tf_finetune.training.weight_change import weight_changes


def order_of_entry(
    entry: Mapping[str, float | None], metric: str, higher_is_better: bool
) -> tuple[float, float]:
    """Sorts the best score of a history first, of equal ones the lowest loss; none comes last.

    Args:
        entry: Of the history.
        metric: The score that decides.
        higher_is_better: Its direction.
    """
    score, loss = entry.get(f"val_{metric}"), entry.get("val_loss")
    if score is None or loss is None or math.isnan(score):
        return math.inf, math.inf
    return order_of_scores(score if higher_is_better else -score, loss)


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
        """Solves for one penalty after the other and keeps the one with the best score.

        Raises:
            NonFiniteError: The vectors of some texts are no finite numbers.
            Interrupted: Ctrl-C or SIGTERM; the next run begins anew.
        """
        validation = self.splits.validation
        known = None if validation is None else self._vectors("validation", validation)
        scalars = self._scalars()
        history: list[dict[str, float]] = []
        best: tuple[tuple[float, float], int, dict[str, np.ndarray], np.ndarray | None] | None = (
            None
        )
        began = time.perf_counter()
        for solved in self._solutions():
            seconds = time.perf_counter() - began
            interruption.check()
            values = self._values(solved)
            self.model.classifier.set_values(values)
            logits = None if known is None else self.model.classifier.head_logits(known).numpy()
            entry = self._entry(solved, seconds, logits)
            history.append(entry)
            self._tell(solved, entry)
            if scalars is not None:
                scalars.on_epoch_end(len(history) - 1, entry)
            order = order_of_entry(entry, *self.splits.labels.monitor(self.config.monitor))
            if best is None or order < best[0]:
                best = order, len(history), values, logits
            began = time.perf_counter()
        if best is None:
            raise ValueError("there is no penalty to solve for")
        _, best_epoch, values, logits = best
        self.model.classifier.set_values(values)
        if known is not None:
            self.console.print(f"kept: penalty {history[best_epoch - 1][PENALTY]:.3g}")
        return RunResult(
            model=self.model,
            history=history,
            best_epoch=best_epoch,
            steps=0,
            train_seconds=sum(entry["seconds"] for entry in history),
            first_step_seconds=0.0,
            first_call_steps=0,
            first_step_at=None,
            micro_batches=self.model.micro_batches,
            validation_logits=logits,
        )

    def _solutions(self) -> Iterator[SolvedHead]:
        train = self.splits.train
        labels, watched = self.splits.labels, self.splits.validation is not None
        has_bias = self.model.classifier.files.family.head_has_bias
        problem = HeadProblem(
            HeadVectors(self._vectors("train", train), centred=has_bias),
            train.labels,
            labels.example_weights(self.config.class_weights, train.labels),
            labels,
            self.config.label_smoothing,
            self.model.classifier.scale,
            has_bias,
        )
        return solve_path(problem, penalties_for(self.config.weight_decay, watched=watched))

    def _vectors(self, name: str, split: Split) -> np.ndarray:
        vectors = split_vectors(self.model, split, self.shape, self.states.get(name))
        bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
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

    def _entry(
        self, solved: SolvedHead, seconds: float, logits: np.ndarray | None
    ) -> dict[str, float]:
        """What stands in the history, the loss of a regression in units of its targets."""
        deviation = (
            1.0 if self.model.classifier.scale is None else self.model.classifier.scale.deviation
        )
        entry = {
            "loss": solved.loss * deviation**2,
            PENALTY: solved.penalty,
            "seconds": seconds,
            "examples_per_second": len(self.splits.train) / seconds,
        }
        validation = self.splits.validation
        if validation is not None and logits is not None:
            scores = self.splits.labels.score(validation.labels, logits)
            entry |= {f"val_{name}": value for name, value in scores.items()}
        return entry

    def _tell(self, solved: SolvedHead, entry: Mapping[str, float]) -> None:
        metric, _ = self.splits.labels.monitor(self.config.monitor)
        score = entry.get(f"val_{metric}")
        scored = "" if score is None else f"  {metric} {score:.4f}"
        self.console.print(
            f"penalty {solved.penalty:.3g}  loss {entry['loss']:.4f}{scored}  "
            f"{entry['seconds']:.2f} s",
            highlight=False,
        )
        if not solved.is_solved:
            self.console.print(
                f"penalty {solved.penalty:.3g}: not solved to its optimum; after "
                f"{solved.iterations} iterations the gradient is {solved.gradient:.1g}, not "
                f"{TOLERANCE:.0g}",
                style="yellow",
                highlight=False,
            )

    def _scalars(self) -> TensorBoardScalars | None:
        if self.events is None:
            return None
        return TensorBoardScalars(
            self.events, weight_changes(self.model.classifier, self.config.seed)
        )
