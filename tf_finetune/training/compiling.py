"""Makes a model that is ready to be trained: the recipe, and on it loss and optimiser."""

from collections.abc import Callable

from tf_finetune.models.building import build
from tf_finetune.models.classifier import Classifier
from tf_finetune.models.spec import Spec
from tf_finetune.models.weights import Weights
from tf_finetune.training.fine_tuner import FineTuner
from tf_finetune.training.optimizers import NOT_DECAYED, WarmupSchedule, build_optimizer
from tf_finetune.training.strategy import ChosenStrategy


def build_fine_tuner(
    spec: Spec,
    weights: Weights,
    chosen: ChosenStrategy,
    kind: Callable[..., FineTuner] = FineTuner,
) -> FineTuner:
    """Builds a model and compiles it.

    Args:
        spec: What it is.
        weights: Where its values come from.
        chosen: The devices.
        kind: `FineTuner`, or what makes one with another loss from the same arguments.

    Raises:
        UserError: As `building.build`.
    """
    return compile_fine_tuner(build(spec, weights, chosen.strategy), spec, chosen, kind)


def compile_fine_tuner(
    classifier: Classifier,
    spec: Spec,
    chosen: ChosenStrategy,
    kind: Callable[..., FineTuner] = FineTuner,
) -> FineTuner:
    """Wraps a model for `fit` and `predict`.

    It serves any run whose options with the mark `STEP` are the same.

    Args:
        classifier: The model that the spec describes.
        spec: Its section `training` and its labels are used.
        chosen: The devices that it was built on.
        kind: As for `build_fine_tuner`.
    """
    config = spec.config.training
    with chosen.strategy.scope():
        schedule = WarmupSchedule(config.schedule)
        model = kind(
            classifier,
            spec.labels.task,
            schedule,
            label_smoothing=config.label_smoothing,
            micro_batches=config.accumulation_steps,
            clip_norm=config.clip_norm,
            for_xla=chosen.compiles,
        )
        not_decayed = classifier.of_kinds(*NOT_DECAYED)
        model.compile(optimizer=build_optimizer(config, schedule, not_decayed))
        # Slots are made now, under the scope, so that a checkpoint can fill them.
        model.optimizer.build(model.trainable_weights)
    return model
