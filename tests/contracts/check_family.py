"""What every family of encoders has to keep, whatever its layers compute."""

from dataclasses import replace

import numpy as np
import tensorflow as tf
import tf_keras

from tf_finetune.data.batch import text_rows
from tf_finetune.encoders.encoder import Run
from tf_finetune.models.classifier import Classifier
from tf_finetune.models.planned_model import variable_path
from tf_finetune.options.freeze import FreezeConfig
from tf_finetune.options.method import MethodConfig
from tf_finetune.plans.freezing import plan_freezing

LENGTHS = (8, 5, 2)
BY_HAND = {
    "first": lambda states: states[0],
    "mean": lambda states: states.mean(axis=0),
    "max": lambda states: states.max(axis=0),
    "last": lambda states: states[-1],
}


def check_family(classifier, *, library=True):
    """Holds a model of an untrained encoder against its table of variables and the library.

    Args:
        classifier: Built at depth 0 with some dropout.
        library: Whether `transformers` computes this family too.
    """
    files = classifier.files
    variables = files.family.variables(files.config, int(classifier.wrapped.config.num_labels))
    sizes = files.family.sizes(files.config)
    _check_table(classifier, variables, sizes)
    _check_dropouts(classifier)
    _check_products(files.family, variables, sizes)
    inputs = _three_texts(sizes)
    _check_logits(classifier, inputs, library=library)
    for pooling in files.family.poolings:
        _check_pooling(classifier, inputs, pooling)


def _check_table(classifier, variables, sizes):
    real = {variable_path(v): tuple(v.shape) for v in classifier.wrapped.weights}
    assert {v.path: v.shape for v in variables} == real
    assert len({v.tensor for v in variables}) == len(variables)
    assert set().union(*(v.layers for v in variables)) == set(range(sizes.layers))
    assert {v.part for v in variables} >= {"embeddings", "head"}
    head = [v for v in variables if v.part == "head"]
    assert all(v.init != "checkpoint" for v in head)


def _check_dropouts(classifier):
    """Every dropout of the library's has one by position in its place, at a site of its own."""
    theirs = [
        layer
        for layer in classifier.wrapped._flatten_layers()
        if isinstance(layer, tf_keras.layers.Dropout)
    ]
    ours = classifier.encoder.dropouts
    assert len(ours) == len(theirs)
    assert len({dropout.site for dropout in ours}) == len(ours)
    assert sorted(d.rate for d in ours) == sorted(d.rate for d in theirs)


def _check_products(family, variables, sizes):
    """Each dense kernel of a layer is one of the products that the arithmetic counts."""
    for layer in range(sizes.layers):
        names = [product.name for product in family.products(sizes, layer, 4, 4)]
        assert len(set(names)) == len(names)
        sites = {v.site for v in variables if layer in v.layers and v.kind == "kernel"}
        assert sites <= set(names)


def _three_texts(sizes):
    """Of 8, 5 and 2 tokens."""
    mask = (np.arange(8) < np.array(LENGTHS)[:, None]).astype(np.int32)
    draws = np.random.default_rng(1).integers(5, sizes.vocabulary, (3, 8))
    ids, types = tf.constant(draws * mask, tf.int32), tf.zeros((3, 8), tf.int32)
    return text_rows(ids, types, tf.constant(mask))


def _check_logits(classifier, inputs, *, library):
    (ids, types), mask = inputs.content, inputs.texts.mask
    logits = classifier(inputs, training=False)
    if library:
        expected = classifier.wrapped(
            input_ids=ids, token_type_ids=types, attention_mask=mask, training=False
        ).logits
        np.testing.assert_allclose(logits, expected, atol=1e-6, rtol=0)
    ids, types, mask = (tf.pad(v, [[0, 0], [0, 6]]) for v in (ids, types, mask))
    longer = classifier(text_rows(ids, types, mask), training=False)
    np.testing.assert_allclose(longer, logits, atol=1e-6, rtol=0)


def _check_pooling(classifier, inputs, pooling):
    """The head reads what NumPy makes of the states, straight unless it is the family's own."""
    files = replace(classifier.files, wanted_pooling=pooling)
    table = files.variables(int(classifier.wrapped.config.num_labels))
    plan = plan_freezing(FreezeConfig(), MethodConfig(), table)
    model = Classifier(classifier.wrapped, files, plan)
    encoder, run = model.encoder, Run()
    states = model.embed(inputs, training=False)
    context = encoder.context(inputs.texts.mask, packed=False, run=run)
    for index in range(files.num_layers):
        states = encoder.layer(index, states, context, None, run)
    texts = [s[:length] for s, length in zip(states.numpy(), LENGTHS, strict=True)]
    read = np.stack([BY_HAND[pooling](text) for text in texts])
    if pooling == files.family.pooling:
        read = encoder.pool(tf.constant(read[:, None]), run, pooler=True)[:, 0].numpy()
    head = {v.kind: model.by_path[v.path].numpy() for v in table if v.part == "head"}

    logits = model(inputs, training=False)

    expected = read @ head["kernel"] + head["bias"]
    np.testing.assert_allclose(logits, expected, atol=1e-5, rtol=0, err_msg=pooling)
    assert np.ptp(logits, axis=0).max() > 1e-3, "the texts do not differ"
