"""What a run's steps make smaller, and on which texts: by what its method learns from."""

from collections.abc import Sequence
from typing import ClassVar, Protocol

import numpy as np
import tensorflow as tf

from tf_finetune.data.batch import Inputs
from tf_finetune.data.splits import Split
from tf_finetune.data.states import PrefixStates
from tf_finetune.models.classifier import Classifier
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.training.loss import LabelLoss, Loss
from tf_finetune.training.pair_loss import PairLoss
from tf_finetune.training.pair_pipeline import PairSteps
from tf_finetune.training.pipeline import BatchShape, EpochSteps


class Steps(Protocol):
    """The texts of each step of a run."""

    def dataset(
        self, first_step: int, last_step: int, states: PrefixStates | None
    ) -> tf.data.Dataset:
        """Global batches of the steps `first_step` to `last_step` (exclusive)."""

    def examples(self, step: int) -> np.ndarray:
        """The examples of a global step, counted inside the split. int64."""


class Objective(Protocol):
    """What steps make smaller.

    Attributes:
        together: Rows that stay in one piece of a batch.
        leaves_head: Whether the head has no part in the loss, and is solved after each epoch.
    """

    together: ClassVar[int]
    leaves_head: ClassVar[bool]

    def steps(
        self, split: Split, labels: LabelSpace, weights: np.ndarray, shape: BatchShape, seed: int
    ) -> Steps:
        """The texts of each step.

        Args:
            split: The training examples.
            labels: What their labels mean.
            weights: Of each example in the loss of its label, float32 [n].
            shape: How batches are cut and padded.
            seed: Determines their order.
        """

    def loss(self, classifier: Classifier, task: type[LabelSpace], label_smoothing: float) -> Loss:
        """The loss of what `outputs` gives."""

    def outputs(self, classifier: Classifier, inputs: Inputs) -> tf.Tensor:
        """What the loss is of, in training, [n, width]."""

    def problems(self, method: str, labels: LabelSpace, targets: np.ndarray) -> Sequence[str]:
        """Why examples cannot be learned from so.

        Args:
            method: Its name.
            labels: What the labels mean.
            targets: Encoded labels of the training examples.
        """


class LabelObjective:
    """The loss of the labels, on every example once an epoch."""

    together: ClassVar[int] = 1
    leaves_head: ClassVar[bool] = False

    def steps(
        self, split: Split, labels: LabelSpace, weights: np.ndarray, shape: BatchShape, seed: int
    ) -> Steps:
        """See `Objective`."""
        return EpochSteps(split, weights, shape, seed)

    def loss(self, classifier: Classifier, task: type[LabelSpace], label_smoothing: float) -> Loss:
        """See `Objective`."""
        return LabelLoss(classifier, task, label_smoothing)

    def outputs(self, classifier: Classifier, inputs: Inputs) -> tf.Tensor:
        """Logits."""
        logits: tf.Tensor = classifier(inputs, training=True)
        return logits

    def problems(self, method: str, labels: LabelSpace, targets: np.ndarray) -> Sequence[str]:
        """There are none."""
        return ()


class PairObjective:
    """How far the vectors of two texts are from what their labels ask."""

    together: ClassVar[int] = 2
    leaves_head: ClassVar[bool] = True

    def steps(
        self, split: Split, labels: LabelSpace, weights: np.ndarray, shape: BatchShape, seed: int
    ) -> Steps:
        """See `Objective`; the weights are those of the head's problem."""
        return PairSteps(split, shape, seed)

    def loss(self, classifier: Classifier, task: type[LabelSpace], label_smoothing: float) -> Loss:
        """See `Objective`."""
        return PairLoss()

    def outputs(self, classifier: Classifier, inputs: Inputs) -> tf.Tensor:
        """What the head gets."""
        return classifier.head_vectors(inputs, training=True)

    def problems(self, method: str, labels: LabelSpace, targets: np.ndarray) -> Sequence[str]:
        """Each class has two texts at least."""
        if not labels.tells_apart:
            return [
                f"method.name: received {method} for a {labels.task} task; accepted: a method that "
                "learns from labels, as pairs need texts that have the same label or not"
            ]
        counts = labels.class_counts(targets)
        return [
            f"data.train: received {count} text of the class {name!r}, and method.name={method} "
            "pairs texts of the same class; accepted: 2 or more of each class"
            for name, count in zip(labels.counted_names, counts, strict=True)
            if count == 1
        ]


OBJECTIVES: dict[str, Objective] = {"labels": LabelObjective(), "pairs": PairObjective()}
