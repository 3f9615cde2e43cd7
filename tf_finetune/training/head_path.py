"""Solves a dense head on fixed vectors to its optimum, for one penalty after the other.

What is made smaller is the loss of training as a whole, not a batch of it:

    sum of weight * loss / sum of weights + penalty / 2 * (sum of squares of the kernel)

with the kernel for standardised vectors; the bias is not penalised. That is convex, and with a
penalty over 0 the kernel is unique. It is solved by L-BFGS (D. C. Liu and J. Nocedal,
Mathematical Programming 1989) along the principal axes of the vectors, each scaled by its
curvature where it begins, so that a regression takes one step and classes some tens. Going
from the largest penalty to the smallest, each solution is where the next begins (J. Friedman,
T. Hastie and R. Tibshirani, Journal of Statistical Software 2010).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy import optimize

from tf_finetune.data.read_vectors import ReadVectors, laid_out
from tf_finetune.machine.one_thread import one_thread
from tf_finetune.options.training import TrainingConfig
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.output_scale import OutputScale
from tf_finetune.training.head_vectors import HeadVectors

# Of the gradient in scaled coordinates, where curvatures are about 1 and so is a loss: what is left
# to gain is far below what float32 weights can hold.
TOLERANCE = 1e-7
# With so many answers times outputs, as tagged words have, each step takes long, and the last of
# them gain nothing that shows: at 1e-4 the objective is within a thousandth of its least value.
_LARGE, _LARGE_TOLERANCE = 300_000, 1e-4
_MOST_ITERATIONS = 1000
_MEMORY = 20  # pairs of steps and changes of the gradient that L-BFGS keeps
LEAST_PENALTY = 1e-6
_LEAST_CURVATURE = 1e-4  # where a head is already sure of all texts
_SPAN = 100.0
_STEPS_EACH_WAY = 4


def penalties_for(weight_decay: float) -> tuple[float, ...]:
    """Penalties to solve for, the largest first, in half decades around one.

    None is below `LEAST_PENALTY`: without any there may be no optimum, such as where a plane
    parts the classes.

    Args:
        weight_decay: `training.weight_decay`: the middle, from 100 times it to a hundredth.
    """
    steps = range(_STEPS_EACH_WAY, -_STEPS_EACH_WAY - 1, -1)
    around = (weight_decay * _SPAN ** (step / _STEPS_EACH_WAY) for step in steps)
    return tuple(dict.fromkeys(max(LEAST_PENALTY, penalty) for penalty in around))


class RowsOfVectors(NamedTuple):
    """Which rows the vectors of a problem are of, where a row may have several.

    Attributes:
        is_read: Which of its reads each row has, bool [n, r].
        rows: The row of each vector, int64 [m].
        targets: Encoded labels of the rows.
    """

    is_read: np.ndarray
    rows: np.ndarray
    targets: np.ndarray


@dataclass(frozen=True, eq=False)
class HeadProblem:
    """What a head is to answer.

    Attributes:
        vectors: Of n texts.
        targets: Encoded labels of them.
        weights: Of each text in the loss, [n].
        labels: What the labels mean.
        label_smoothing: See `LabelSpace.losses`.
        scale: Of the targets, by which the head's output is multiplied; None: by nothing.
        has_bias: Whether the head adds a bias; otherwise that stays 0.
    """

    vectors: HeadVectors
    targets: np.ndarray
    weights: np.ndarray
    labels: LabelSpace
    label_smoothing: float = 0.0
    scale: OutputScale | None = None
    has_bias: bool = True
    rows: RowsOfVectors | None = None

    @classmethod
    def of(
        cls,
        vectors: ReadVectors,
        targets: np.ndarray,
        labels: LabelSpace,
        config: TrainingConfig,
        *,
        has_bias: bool,
    ) -> "HeadProblem":
        """That of some training examples.

        Args:
            vectors: What the head gets of their n rows, finite.
            targets: Encoded labels of the rows.
            labels: What these mean.
            config: The training section.
            has_bias: Whether the head adds a bias.
        """
        is_read = vectors.is_read
        weights = labels.example_weights(config.class_weights, targets)
        return cls(
            HeadVectors(vectors.values, centred=has_bias),
            labels.answer_targets(targets, is_read.shape[1])[is_read],
            labels.answer_weights(weights, is_read)[is_read],
            labels,
            config.label_smoothing,
            labels.scale(targets, centred=has_bias),
            has_bias,
            RowsOfVectors(is_read, vectors.rows, targets),
        )

    @property
    def tolerance(self) -> float:
        """The gradient in scaled coordinates at which it counts as solved."""
        is_large = len(self.targets) * self.labels.num_outputs > _LARGE
        return _LARGE_TOLERANCE if is_large else TOLERANCE

    @property
    def row_targets(self) -> np.ndarray:
        """Encoded labels of the rows."""
        return self.targets if self.rows is None else self.rows.targets

    def by_vector(self, values: np.ndarray) -> np.ndarray:
        """Of each vector what there is of its row: [n] to [m]."""
        return values if self.rows is None else values[self.rows.rows]

    def select(self, rows: np.ndarray) -> "HeadProblem":
        """The problem of some rows alone; a mask, bool [n]."""
        taken = self.by_vector(rows)
        of_rows = self.rows
        if of_rows is not None:
            is_read = of_rows.is_read[rows]
            of_rows = RowsOfVectors(is_read, np.nonzero(is_read)[0], of_rows.targets[rows])
        return replace(
            self,
            vectors=HeadVectors(self.vectors.as_they_are(taken), centred=self.has_bias),
            targets=self.targets[taken],
            weights=self.weights[taken],
            rows=of_rows,
        )

    def loss_and_slopes(
        self, kernel: np.ndarray, bias: np.ndarray
    ) -> tuple[float, np.ndarray, np.ndarray]:
        """The mean loss of a head for standardised vectors, and its gradients.

        Args:
            kernel: float64 [hidden, outputs].
            bias: float64 [outputs].

        Returns:
            The loss without the penalty, and its derivatives by kernel and bias.
        """
        deviation = self.scale.deviation if self.scale else 1.0
        loss, by_kernel, by_bias = 0.0, np.zeros_like(kernel), np.zeros_like(bias)
        for rows, block in self.vectors.blocks():
            losses, slopes = self.labels.losses_and_slopes(
                self.targets[rows],
                self._logits(block, kernel, bias),
                self.label_smoothing,
                deviation,
            )
            shares = self._shares(rows)
            slopes *= shares[:, None] * deviation
            loss += float(shares @ losses)
            by_kernel += block.T @ slopes
            if self.has_bias:
                by_bias += slopes.sum(axis=0)
        return loss, by_kernel, by_bias

    def curvature(self, kernel: np.ndarray, bias: np.ndarray) -> float:
        """Mean second derivative of the losses by the output that they depend on most."""
        total = np.zeros_like(bias)
        for rows, block in self.vectors.blocks():
            logits = self._logits(block, kernel, bias)
            total += self._shares(rows) @ self.labels.curvatures(logits)
        return float(total.max())

    def answers(self, head: "SolvedHead", asked: np.ndarray) -> np.ndarray:
        """Logits of a head for some of the rows.

        Args:
            head: The head.
            asked: Which rows, bool [n].

        Returns:
            float32 [asked, r * outputs].
        """
        logits = head.answers(self.vectors.as_they_are(self.by_vector(asked)), self.scale)
        return logits if self.rows is None else laid_out(logits, self.rows.is_read[asked])

    def _logits(self, block: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
        outputs = block @ kernel + bias
        return outputs * self.scale.deviation + self.scale.mean if self.scale else outputs

    def _shares(self, rows: slice) -> np.ndarray:
        total = float(self.weights.sum(dtype=np.float64))
        return self.weights[rows].astype(np.float64) / total


@dataclass(frozen=True, eq=False)
class SolvedHead:
    """A head at its optimum.

    Attributes:
        penalty: For which it is that.
        kernel: For the vectors as they are, float32 [hidden, outputs].
        bias: Likewise, float32 [outputs].
        loss: Mean loss of the texts, without the penalty.
        objective: With the penalty.
        iterations: Of the solver.
        gradient: The largest entry of the gradient in scaled coordinates.
        tolerance: What that may be.
    """

    penalty: float
    kernel: np.ndarray
    bias: np.ndarray
    loss: float
    objective: float
    iterations: int
    gradient: float
    tolerance: float = TOLERANCE

    @property
    def is_solved(self) -> bool:
        """Whether the solver got as near to the optimum as it has to."""
        return self.gradient <= self.tolerance

    def answers(self, vectors: np.ndarray, scale: OutputScale | None) -> np.ndarray:
        """Logits, float32 [n, outputs].

        Args:
            vectors: As they are, float32 [n, hidden].
            scale: Of the targets; None: the outputs are the answers.
        """
        outputs = vectors @ self.kernel + self.bias
        return outputs * np.float32(scale.deviation) + np.float32(scale.mean) if scale else outputs


def solve_path(
    problem: HeadProblem, penalties: Sequence[float], tolerance: float | None = None
) -> Iterator[SolvedHead]:
    """Solves a problem for each penalty, beginning at the solution for the one before.

    Args:
        problem: What to solve.
        penalties: Over 0, best in descending order.
        tolerance: The gradient in scaled coordinates at which the solver may stop; None: that of
            the problem.
    """
    tolerance = tolerance or problem.tolerance
    outputs = problem.labels.num_outputs
    kernel = np.zeros((len(problem.vectors.mean), outputs))
    bias = np.zeros(outputs)
    for penalty in penalties:
        scaled = _Scaled(problem, penalty, problem.curvature(kernel, bias))
        # The solver multiplies matrices of a few rows, which threads make twenty times slower.
        with one_thread():
            found = optimize.minimize(
                scaled.objective,
                scaled.point(kernel, bias),
                jac=True,
                method="L-BFGS-B",
                options={
                    "maxiter": _MOST_ITERATIONS,
                    "maxfun": 2 * _MOST_ITERATIONS,
                    "maxcor": _MEMORY,
                    "gtol": tolerance,
                    "ftol": 0.0,
                },
            )
        kernel, bias = scaled.head(found.x)
        folded_kernel, folded_bias = problem.vectors.folded(kernel, bias)
        yield SolvedHead(
            penalty=penalty,
            kernel=folded_kernel.astype(np.float32),
            bias=folded_bias.astype(np.float32),
            loss=float(found.fun) - penalty / 2 * float(np.square(kernel).sum()),
            objective=float(found.fun),
            iterations=int(found.nit),
            gradient=float(np.abs(found.jac).max()),
            tolerance=tolerance,
        )


class _Scaled:
    """A problem with a penalty in coordinates in which all curvatures are about 1.

    Args:
        problem: The problem.
        penalty: Over 0.
        curvature: Of the losses near the solution.
    """

    def __init__(self, problem: HeadProblem, penalty: float, curvature: float):
        self._problem = problem
        self._penalty = penalty
        variances, axes = problem.vectors.components
        curvature = max(curvature, _LEAST_CURVATURE)
        self._lengths = 1 / np.sqrt(curvature * variances + penalty)
        self._axes = axes * self._lengths
        self._bias_length = 1 / np.sqrt(curvature)

    def point(self, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
        """The coordinates of a head for standardised vectors, in one row."""
        along_axes = (self._axes / np.square(self._lengths)).T @ kernel
        return np.concatenate([along_axes.ravel(), bias / self._bias_length])

    def head(self, point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The other way."""
        outputs = self._problem.labels.num_outputs
        kernel = self._axes @ point[:-outputs].reshape(-1, outputs)
        return kernel, point[-outputs:] * self._bias_length

    def objective(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        """The loss with the penalty, and its gradient."""
        kernel, bias = self.head(point)
        loss, by_kernel, by_bias = self._problem.loss_and_slopes(kernel, bias)
        by_kernel += self._penalty * kernel
        gradient = [(self._axes.T @ by_kernel).ravel(), by_bias * self._bias_length]
        return loss + self._penalty / 2 * float(np.square(kernel).sum()), np.concatenate(gradient)
