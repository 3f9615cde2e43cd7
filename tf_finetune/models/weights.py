"""Where the values of a model come from; nothing here needs TensorFlow."""

from dataclasses import dataclass

import numpy as np

from tf_finetune.encoders.checkpoint_check import check_checkpoint
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.errors import UserError
from tf_finetune.models.head_start import (
    HeadStart,
    matched_head,
    new_head,
    start_lines,
    whole_head,
)
from tf_finetune.models.reinitialising import reinitialised
from tf_finetune.models.spec import Spec
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.output_scale import OutputScale


@dataclass(frozen=True)
class Pretrained:
    """The encoder's checkpoint, and new values where it has none.

    Attributes:
        head: Rows of the checkpoint's head to keep; None: none.
        scale: Of the training targets, where a regression is to be trained.
    """

    head: HeadStart | None = None
    scale: OutputScale | None = None

    def start_of_head(self, num_outputs: int) -> HeadStart:
        """What the head begins with."""
        return self.head or new_head(num_outputs)

    def anew(self, spec: Spec) -> frozenset[str]:
        """Paths of what begins with new values though the checkpoint has some."""
        return reinitialised(spec)

    def lines(self) -> list[str]:
        """What to tell of it before training."""
        return [] if self.head is None else start_lines(self.head, self.scale)


@dataclass(frozen=True)
class OfRun:
    """A fine-tuned model as it stands, its head included.

    Attributes:
        scale: Of the training targets, where a regression is to be trained further.
    """

    scale: OutputScale | None = None

    def start_of_head(self, num_outputs: int) -> HeadStart:
        """What the head begins with."""
        return whole_head(num_outputs)

    def anew(self, spec: Spec) -> frozenset[str]:
        """Nothing: what began anew was trained since."""
        return frozenset()


@dataclass(frozen=True)
class Untrained:
    """No checkpoint: what is asked of the model does not depend on its values."""


Weights = Pretrained | OfRun | Untrained


def pretrained(files: EncoderFiles, labels: LabelSpace, train_targets: np.ndarray) -> Pretrained:
    """Checks an encoder's checkpoint, and finds what of its head is about the labels of a job.

    Args:
        files: The encoder, perhaps a fine-tuned model.
        labels: What the outputs are to mean.
        train_targets: Encoded labels of the training examples, whose scale a regression takes.

    Raises:
        UserError: The checkpoint does not hold every variable of the encoder.
    """
    check_checkpoint(files, labels.num_outputs, head_required=False)
    scale = labels.scale(train_targets, centred=files.family.head_has_bias)
    return Pretrained(matched_head(files, labels, scale), scale)


def check_new_trains(spec: Spec) -> None:
    """Refuses rules that freeze what would begin with new values: it would stay random.

    The head may be frozen, as it is new in most trainings and whoever freezes it means that.

    Raises:
        UserError: `freeze.rules` freezes a pooler that the checkpoint lacks.
    """
    frozen = [
        variable.path
        for variable in spec.variables
        if variable.part != "head"
        and variable.init != "checkpoint"
        and variable.path not in spec.plan.trainable_paths
        and not spec.files.checkpoint.has(variable)
    ]
    if frozen:
        raise UserError(
            f"freeze.rules: would freeze {', '.join(frozen)}, which the checkpoint does not have, "
            "so that it would stay random; accepted: rules that let it train, or "
            "encoder.pooling=mean, which passes it by"
        )


def new_variables(spec: Spec, weights: Pretrained | OfRun) -> list[str]:
    """Paths of the variables that begin with new values.

    Raises:
        UserError: The checkpoint does not hold every variable that it has to.
    """
    outputs = spec.labels.num_outputs
    new = check_checkpoint(spec.files, outputs, head_required=isinstance(weights, OfRun))
    if weights.start_of_head(outputs).is_new:
        return new
    head = {variable.path for variable in spec.variables if variable.part == "head"}
    return [path for path in new if path not in head]
