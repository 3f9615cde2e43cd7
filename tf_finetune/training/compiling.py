"""Makes a model that is ready to be trained: the recipe, and on it loss and optimiser."""

from collections.abc import Callable, Sequence
from functools import partial

import tensorflow as tf

from tf_finetune.models.building import build
from tf_finetune.models.classifier import Classifier
from tf_finetune.models.spec import Spec
from tf_finetune.models.weights import Weights
from tf_finetune.training.adversarial import AdversarialStep
from tf_finetune.training.fine_tuner import FineTuner
from tf_finetune.training.loss import LabelLoss, Loss
from tf_finetune.training.method_upkeep import upkeep_of
from tf_finetune.training.objectives import OBJECTIVES
from tf_finetune.training.optimizer_state import OptimizerState
from tf_finetune.training.optimizers import NOT_DECAYED, WarmupSchedule, build_optimizer
from tf_finetune.training.step import TrainingStep
from tf_finetune.training.strategy import ChosenStrategy
from tf_finetune.training.weight_average import WeightAverage


def build_fine_tuner(
    spec: Spec,
    weights: Weights,
    chosen: ChosenStrategy,
    loss_from: Callable[[LabelLoss], Loss] | None = None,
) -> FineTuner:
    """Builds a model and compiles it.

    Args:
        spec: What it is.
        weights: Where its values come from.
        chosen: The devices.
        loss_from: Makes another loss from that of the labels; None: that one is the loss.

    Raises:
        UserError: As `building.build`.
    """
    return compile_fine_tuner(build(spec, weights, chosen.strategy), spec, chosen, loss_from)


def compile_fine_tuner(
    classifier: Classifier,
    spec: Spec,
    chosen: ChosenStrategy,
    loss_from: Callable[[LabelLoss], Loss] | None = None,
    later: Sequence[frozenset[str]] = (),
) -> FineTuner:
    """Wraps a model for `fit` and `predict`.

    It serves any run whose options with the mark `STEP` are the same.

    Args:
        classifier: The model that the spec describes.
        spec: Its section `training` and its labels are used.
        chosen: The devices that it was built on.
        loss_from: As for `build_fine_tuner`.
        later: Paths of what trains only since the second phase of the run, since the third and so
            on, up to the one that this model is for.
    """
    config = spec.config.training
    with chosen.strategy.scope():
        schedule = WarmupSchedule(config.schedule)
        begun = [
            tf.Variable(0, trainable=False, dtype=tf.int64, name=f"begun_{phase}")
            for phase in range(1, len(later) + 1)
        ]
        optimizer = build_optimizer(
            config,
            schedule,
            classifier.of_kinds(*NOT_DECAYED),
            classifier.rate_factors,
            [
                (classifier.by_path[path], count)
                for paths, count in zip(later, begun, strict=True)
                for path in sorted(paths)
            ],
        )
        # Slots are made now, under the scope, so that a checkpoint can fill them.
        optimizer.build(classifier.trainable_weights)
        upkeep = upkeep_of(classifier)
        kept = list(upkeep.averages) if upkeep else []
        average = None
        if config.average_weights is not None:
            since = {path: b for paths, b in zip(later, begun, strict=True) for path in paths}
            average = WeightAverage(classifier, config.average_weights, since)
            kept += average.averages
        objective = OBJECTIVES[classifier.plan.method.learns_from]
        learnt = classifier, type(spec.labels), config.label_smoothing
        loss = objective.loss(*learnt) if loss_from is None else loss_from(LabelLoss(*learnt))
        kind: Callable[..., TrainingStep] = TrainingStep
        if config.adversarial:
            kind = partial(AdversarialStep, epsilon=config.adversarial)
        step = kind(
            classifier,
            loss,
            partial(objective.outputs, classifier),
            OptimizerState(optimizer, schedule, begun, kept),
            micro_batches=config.accumulation_steps,
            clip_norm=config.clip_norm,
            for_xla=chosen.compiles,
            upkeep=upkeep,
            average=average,
        )
        return FineTuner(step)
