"""What every method has to keep."""

import numpy as np
import tensorflow as tf

from tf_finetune.data.batch import Inputs, PackedTexts, States, Tokens, text_rows
from tf_finetune.encoders.dropout import dropout_position
from tf_finetune.models.merged_values import handed_on
from tf_finetune.options.freeze import FreezeConfig
from tf_finetune.plans.freezing import plan_freezing

LENGTHS = 9, 5, 2


def check_method_plans(method, variables, num_layers):
    """Holds a method against the plans that it makes at every depth."""
    assert method.words
    assert method.rate_factor > 0
    depths = [d for d in range(num_layers + 1) if not _parts_shared(variables, d)]
    for depth in depths:
        plan = plan_freezing(FreezeConfig(depth=depth), method, variables)
        trained = {row.path for row in plan.rows if row.trainable}
        below = {v.path for v in variables if v.layers and max(v.layers) < depth}
        above = {v.path for v in variables if v.part in ("pooler", "head")}
        assert not trained & below
        assert above <= trained
        assert {v.path for v in plan.added} <= trained
        assert plan.frozen_depth >= depth
        # Every layer above trains, or depth would not mean what it says.
        layers = {layer for row in plan.rows if row.trainable for layer in row.layers}
        assert layers == set(range(depth, num_layers))


def _parts_shared(variables, depth):
    return any(v.layers and min(v.layers) < depth <= max(v.layers) for v in variables)


def check_method_model(classifier, plain):
    """Holds a model of a method, whose added values are random, against the rules of all models.

    Args:
        classifier: Built with the method, which adds something; changed.
        plain: Of the same pretrained variables without a method; changed.
    """
    rows = _texts(classifier)
    inputs = text_rows(*rows)
    pretrained = plain(inputs, training=False)
    # What is added starts as nothing: training begins at the pretrained model.
    if classifier.plan.method.begins_as_nothing:
        begins = classifier(inputs, training=False)
        np.testing.assert_allclose(begins, pretrained, atol=1e-5, rtol=0)
    _randomise(classifier)
    logits = classifier(inputs, training=False).numpy()
    assert not np.allclose(pretrained, logits, atol=1e-5)
    _check_cached(classifier, inputs, logits)
    _check_packed(classifier, rows, logits)
    _check_dropout_by_position(classifier, inputs)
    if classifier.plan.method.merges:
        plain.set_values((v.path, value) for v, value in handed_on(classifier))
        scale = max(1.0, np.abs(logits).max())
        np.testing.assert_allclose(plain(inputs, training=False), logits, atol=1e-5 * scale, rtol=0)


def _randomise(classifier):
    generator = np.random.default_rng(0)
    for variable in classifier.plan.added:
        target = classifier.by_path[variable.path]
        noise = generator.normal(0, 0.2, variable.shape).astype(np.float32)
        target.assign(target.numpy() + noise)


def _texts(classifier):
    sizes = classifier.files.sizes
    mask = (np.arange(max(LENGTHS)) < np.array(LENGTHS)[:, None]).astype(np.int32)
    draws = np.random.default_rng(1).integers(5, sizes.vocabulary, mask.shape)
    padding = classifier.wrapped.config.pad_token_id or 0
    ids = np.where(mask, draws, padding)
    return tuple(tf.constant(value, tf.int32) for value in (ids, 0 * mask, mask))


def _check_cached(classifier, inputs, logits):
    """States at the boundary say what the tokens say, nothing of the method among them."""
    if classifier.plan.frozen_depth:
        states = States(classifier.boundary_states(inputs))
        cached = classifier(Inputs(states, inputs.texts), training=False)
        scale = max(1.0, np.abs(logits).max())
        np.testing.assert_allclose(cached, logits, atol=2e-6 * scale, rtol=0)


def _check_packed(classifier, rows, logits):
    ids, types, _ = rows
    ids, types = (np.concatenate([v[i, :n] for i, n in enumerate(LENGTHS)]) for v in (ids, types))
    numbers = np.repeat(np.arange(len(LENGTHS)) + 1, LENGTHS)
    places = np.concatenate([np.arange(n) for n in LENGTHS])
    starts = np.cumsum((0, *LENGTHS[:-1]))
    ids, types, numbers, places = (
        tf.constant(v[None], tf.int32) for v in (ids, types, numbers, places)
    )
    texts = PackedTexts(numbers, places, tf.constant(starts[None], tf.int32))
    packed = classifier(Inputs(Tokens(ids, types), texts), training=False)
    scale = max(1.0, np.abs(logits).max())
    np.testing.assert_allclose(packed, logits, atol=2e-6 * scale, rtol=0)


def _check_dropout_by_position(classifier, inputs):
    """One batch drops what the rest of it drops that begins where it stands."""
    tokens, texts = inputs

    def trained(rows, first):
        position = tf.constant([3, 1, first], tf.int64)
        part = text_rows(tokens.ids[rows], tokens.type_ids[rows], texts.mask[rows])
        with dropout_position(position):
            return classifier(part, training=True).numpy()

    whole, rest = trained(slice(None), 0), trained(slice(1, None), 1)
    scale = max(1.0, np.abs(whole).max())
    np.testing.assert_allclose(rest, whole[1:], atol=2e-6 * scale, rtol=0)
