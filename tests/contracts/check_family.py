"""What every family of encoders has to keep, whatever its layers compute."""

from collections import Counter
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from tf_finetune.data.batch import Inputs, PackedTexts, Tokens, text_rows
from tf_finetune.encoders.dropout import PositionalDropout, dropout_position
from tf_finetune.encoders.encoder import Run
from tf_finetune.encoders.sublayers import variable_path
from tf_finetune.methods.full import Full
from tf_finetune.models.classifier import Classifier
from tf_finetune.options.freeze import FreezeConfig
from tf_finetune.plans.freezing import plan_freezing

# Of the texts behind the first, which takes every position that there is.
LENGTHS = 9, 5, 2
# Where nothing bounds a text, one longer than any that a tiny encoder has seen.
LONGEST = 70
BY_HAND = {
    "first": lambda states: states[0],
    "mean": lambda states: states.mean(axis=0),
    "max": lambda states: states.max(axis=0),
    "last": lambda states: states[-1],
    "first_state": lambda states: states[0],
    "words": lambda states: states[0],  # what the batch names, here the first token
}
# Read of rows that a task makes, whose own tests hold them.
OF_TASKS = {"second_text", "choice"}


def check_family(classifier, *, library=True):
    """Holds a model of an untrained encoder against its table of variables and the library.

    Args:
        classifier: Built at depth 0 with some dropout.
        library: Whether `transformers` computes this family too.
    """
    files = classifier.files
    sizes, variables = files.sizes, classifier.table
    _check_table(classifier, variables, sizes)
    _check_products(files.family, variables, sizes)
    ids, types, mask = _texts(classifier, sizes)
    logits = classifier(text_rows(ids, types, mask), training=False)
    if library:
        _check_dropouts(classifier, text_rows(ids, types, mask))
        theirs = library_logits(classifier, ids, types, mask)
        np.testing.assert_allclose(logits, theirs, atol=1e-6, rtol=0)
    _check_rows(classifier, ids, types, mask, logits[1:])
    inputs = text_rows(*(tf.constant(v[1:, : max(LENGTHS)]) for v in (ids, types, mask)))
    states = _states_above_all(classifier, inputs)
    for pooling in _of_texts(files.family):
        _check_pooling(classifier, inputs, states, pooling)


def _of_texts(family):
    """What can be read of texts; a task's own poolings are held with its rows."""
    assert set(family.poolings) <= BY_HAND.keys() | OF_TASKS
    return [pooling for pooling in family.poolings if pooling in BY_HAND]


def check_cut(cut, whole):
    """Holds a model of the first layers alone against the library and the whole encoder.

    Args:
        cut: Built of the same checkpoint with fewer layers.
        whole: Built of it with all of them.
    """
    layers = cut.num_layers
    assert layers < whole.num_layers
    _check_table(cut, cut.table, cut.files.sizes)
    ids, types, mask = _texts(cut, cut.files.sizes)
    inputs = text_rows(ids, types, mask)
    theirs = library_logits(cut, ids, types, mask)
    np.testing.assert_allclose(cut(inputs, training=False), theirs, atol=1e-6, rtol=0)
    below, above = (_states(model, inputs, layers - 1) for model in (cut, whole))
    np.testing.assert_array_equal(below, above)
    straight = [p for p in _of_texts(cut.files.family) if p != cut.files.family.pooling]
    reads = whole.layer_reads(inputs, straight)
    for place, pooling in enumerate(straight):
        files = replace(cut.files, wanted_pooling=pooling)
        plan = plan_freezing(FreezeConfig(), Full(), files.variables(2))
        vectors = Classifier(cut.wrapped, files, plan).head_vectors(inputs)
        np.testing.assert_allclose(vectors, reads[layers - 1, place], atol=1e-5, err_msg=pooling)


def _states(model, inputs, layers):
    states = model.embed(inputs, training=False)
    for index in range(layers):
        states = model.encode(index, states, inputs.texts, training=False)
    return states


def library_logits(classifier, ids, types, mask, *, training=False):
    """What the wrapped model of the library answers by itself."""
    named = {"input_ids": ids, "attention_mask": mask}
    if classifier.files.sizes.types > 1:
        named["token_type_ids"] = types
    return classifier.wrapped(**named, training=training).logits


def _check_table(classifier, variables, sizes):
    real = {variable_path(v): tuple(v.shape) for v in classifier.wrapped.weights}
    named = {v.path: v.shape for v in variables}
    assert named.items() <= real.items()
    assert real.keys() - named.keys() == classifier.files.family.unread
    assert len({v.tensor for v in variables}) == len(variables)
    assert set().union(*(v.layers for v in variables)) == set(range(sizes.layers))
    assert {v.part for v in variables} >= {"embeddings", "head"}
    head = [v for v in variables if v.part == "head"]
    assert all(v.init != "checkpoint" for v in head)


def _check_products(family, variables, sizes):
    """Each dense kernel of a layer is one of the products that the arithmetic counts."""
    for layer in range(sizes.layers):
        names = [product.name for product in family.products(sizes, layer, 4, 4)]
        assert len(set(names)) == len(names)
        sites = {v.site for v in variables if layer in v.layers and v.kind == "kernel"}
        assert sites <= set(names)


def _texts(classifier, sizes):
    """Three texts, the second text of a pair in each where there are types; int32 [3, t]."""
    longest = min(sizes.positions, LONGEST)
    lengths = np.array([longest, *LENGTHS])
    mask = (np.arange(longest) < lengths[:, None]).astype(np.int32)
    draws = np.random.default_rng(1).integers(5, sizes.vocabulary, mask.shape)
    padding = classifier.wrapped.config.pad_token_id or 0
    types = (np.arange(longest) > 1) * mask if sizes.types > 1 else 0 * mask
    found = np.where(mask, draws, padding), types, mask
    return tuple(tf.constant(value, tf.int32) for value in found)


def _check_dropouts(classifier, inputs):
    """Wherever the library drops units one by position does, at a site of its own, once."""
    ours = classifier.encoder.dropouts
    assert len({dropout.site for dropout in ours}) == len(ours)
    with calls_of(*_kinds_of_dropout(classifier.wrapped)) as theirs:
        library_logits(classifier, *inputs.content, inputs.texts.mask, training=True)
    with calls_of(PositionalDropout) as called, dropout_position(tf.constant([0, 0, 0], tf.int64)):
        classifier(inputs, training=True)
    assert Counter(called) == Counter(ours)
    rates = Counter(vars(d)["rate" if "rate" in vars(d) else "drop_prob"] for d in theirs)
    assert Counter(d.rate for d in called) == rates


def _kinds_of_dropout(wrapped):
    """Classes of the library's that drop units: Keras' own, or one of its own."""
    kinds = {type(layer) for layer in wrapped.submodules}
    return [kind for kind in kinds if kind.__name__.endswith("Dropout")]


@contextmanager
def calls_of(*kinds):
    """Collects the objects of some classes as they are called."""
    called = []

    def noting(call):
        def noted(layer, *arguments, **named):
            called.append(layer)
            return call(layer, *arguments, **named)

        return noted

    with pytest.MonkeyPatch.context() as patch:
        for kind in kinds:
            patch.setattr(kind, "__call__", noting(kind.__call__))
        yield called


def _check_rows(classifier, ids, types, mask, logits):
    """Texts answer the same whatever stands behind and beside them."""
    shorter = (tf.constant(value[1:, : max(LENGTHS)]) for value in (ids, types, mask))
    np.testing.assert_allclose(
        classifier(text_rows(*shorter), training=False), logits, atol=1e-6, rtol=0
    )
    ids, types = (
        np.concatenate([v[i + 1, :n] for i, n in enumerate(LENGTHS)]) for v in (ids, types)
    )
    numbers = np.repeat(np.arange(len(LENGTHS)) + 1, LENGTHS)
    places = np.concatenate([np.arange(n) for n in LENGTHS])
    starts = np.cumsum((0, *LENGTHS[:-1]))
    ids, types, numbers, places = (
        tf.constant(np.pad(v, (0, 2))[None], tf.int32) for v in (ids, types, numbers, places)
    )
    texts = PackedTexts(numbers, places, tf.constant(starts[None], tf.int32))
    packed = classifier(Inputs(Tokens(ids, types), texts), training=False)
    np.testing.assert_allclose(packed, logits, atol=1e-6, rtol=0)


def _states_above_all(model, inputs):
    """Of every position, whatever a head reads."""
    encoder, run = model.encoder, Run()
    states = model.embed(inputs, training=False)
    context = encoder.context(inputs.texts.mask, packed=False, run=run)
    for index in range(model.num_layers):
        states = encoder.layer(index, states, context, None, run)
    return states


def _check_pooling(classifier, inputs, states, pooling):
    """The head reads what NumPy makes of the states, straight unless it is the family's own."""
    files = replace(classifier.files, wanted_pooling=pooling)
    table = files.variables(int(classifier.wrapped.config.num_labels))
    plan = plan_freezing(FreezeConfig(), Full(), table)
    model = Classifier(classifier.wrapped, files, plan)
    texts = [s[:length] for s, length in zip(states.numpy(), LENGTHS, strict=True)]
    read = np.stack([BY_HAND[pooling](text) for text in texts])
    if pooling == files.family.pooling:
        pooled = model.encoder.pool(tf.constant(read[:, None]), Run(), pooler=True)
        read = pooled[:, 0].numpy()
    head = {v.kind: model.by_path[v.path].numpy() for v in table if v.part == "head"}

    logits = model(inputs, training=False)

    expected = read @ head["kernel"] + head.get("bias", 0.0)
    np.testing.assert_allclose(logits, expected, atol=1e-5, rtol=0, err_msg=pooling)
    assert np.ptp(logits, axis=0).max() > 1e-3, "the texts do not differ"
