"""Makes the Keras model of a spec: the one recipe, whoever trains, answers or measures."""

import tensorflow as tf
import tf_keras

from tf_finetune.encoders.library import library_module, without_random_values
from tf_finetune.models.classifier import Classifier
from tf_finetune.models.head_start import HeadStart
from tf_finetune.models.spec import Spec
from tf_finetune.models.weights import Untrained, Weights, new_variables
from tf_finetune.tasks.output_scale import OutputScale


def build(
    spec: Spec, weights: Weights, strategy: tf.distribute.Strategy | None = None
) -> Classifier:
    """Makes a model and fills it.

    Args:
        spec: What it is.
        weights: Where its values come from; new ones are a function of `training.seed`.
        strategy: What its variables are made under; None: what is current.

    Raises:
        UserError: The checkpoint does not hold every variable that it has to, or no numbers.
    """
    with (strategy or tf.distribute.get_strategy()).scope():
        if isinstance(weights, Untrained):
            return _unfilled(spec)
        new_variables(spec, weights)
        with without_random_values(spec.files.family):
            head = weights.start_of_head(spec.labels.num_outputs)
            model = _unfilled(spec, head, weights.scale, weights.anew(spec))
        # Every variable is in the table (checked above), so none keeps what Keras filled it with.
        model.set_values(model.initial_values(spec.config.training.seed))
        return model


def _unfilled(
    spec: Spec,
    head: HeadStart | None = None,
    scale: OutputScale | None = None,
    anew: frozenset[str] = frozenset(),
) -> Classifier:
    """The model as config.json describes it, filled with what Keras fills it with."""
    family = spec.files.family
    wrapped_class = getattr(library_module(family), family.classifier_class)
    dropout = spec.config.encoder.dropout
    overrides = {} if dropout is None else dict.fromkeys(family.dropout_keys, dropout)
    config = wrapped_class.config_class.from_dict(
        {**spec.files.config}, num_labels=spec.labels.num_outputs, **overrides
    )
    previous = tf_keras.mixed_precision.global_policy()
    tf_keras.mixed_precision.set_global_policy(spec.config.training.precision)
    try:
        wrapped = wrapped_class(family.adapted(config))
        wrapped.build_in_name_scope()
    finally:
        tf_keras.mixed_precision.set_global_policy(previous)
    classifier = Classifier(wrapped, spec.files, spec.plan, head, scale, anew)
    classifier.recompute = spec.config.training.recompute
    return classifier


def replanned(model: Classifier, spec: Spec) -> Classifier:
    """The same pretrained variables under another plan.

    What a method adds is new: see `Classifier.reset`.

    Args:
        model: Built; not to be trained any more.
        spec: Differs in what trains alone.
    """
    other = Classifier(model.wrapped, model.files, spec.plan, model.head, model.scale, model.anew)
    other.recompute = model.recompute
    return other
