"""The cut model computes what `transformers` computes, and freezes what the plan says."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tf_finetune.data.batch import text_rows
from tf_finetune.encoders.dropout import dropout_position
from tf_finetune.encoders.encoder import Run
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.encoders.sublayers import variable_path
from tf_finetune.models.building import build
from tf_finetune.models.classifier import Classifier
from tf_finetune.models.head_start import matched_head
from tf_finetune.models.initial_values import initial_values
from tf_finetune.models.weights import OfRun, Pretrained, new_variables
from tf_finetune.tasks.output_scale import OutputScale
from tf_finetune.tasks.values import Values

pytestmark = pytest.mark.numeric

POSITION = [0, 0, 0]


@pytest.fixture(scope="module")
def files(tiny_encoder):
    return EncoderFiles("tiny", tiny_encoder)


@pytest.fixture(scope="module")
def variables(files):
    return files.family.variables(files.config, 2)


@pytest.fixture(scope="module")
def spec(files, spec_for):
    """Depth 2 with dropout 0.5."""
    return spec_for(files, freeze={"depth": 2}, encoder={"dropout": 0.5}, training={"seed": 7})


@pytest.fixture(scope="module")
def classifier(spec):
    return build(spec, Pretrained())


@pytest.fixture(scope="module")
def plan_of(files, spec_for):
    """Plan a section `freeze`."""
    return lambda freeze: spec_for(files, freeze=freeze).plan


@pytest.fixture(scope="module")
def batch():
    """Three texts of 8, 5 and 1 tokens, padded to 8, the first a pair."""
    lengths = np.array([8, 5, 1])
    generator = np.random.default_rng(1)
    mask = (np.arange(8) < lengths[:, None]).astype(np.int32)
    types = np.zeros((3, 8), np.int32)
    types[0, 4:] = 1
    ids = tf.constant(generator.integers(5, 90, (3, 8)) * mask, tf.int32)
    return text_rows(ids, tf.constant(types), tf.constant(mask))


def by_transformers(model, inputs):
    """What the wrapped model computes by itself, of every token."""
    ids, types = inputs.content
    mask = inputs.texts.mask
    return model.wrapped(
        input_ids=ids, token_type_ids=types, attention_mask=mask, training=False
    ).logits


def in_training(function, position=POSITION):
    with dropout_position(tf.constant(position, tf.int64)):
        return function().numpy()


def test_variable_table_is_that_of_the_real_model(classifier, files, variables, plan_of):
    # Keras lists what trains first: only when all does, the order is that of the layers.
    Classifier(classifier.wrapped, files, plan_of({}))
    real = [(variable_path(v), tuple(v.shape)) for v in classifier.wrapped.weights]

    assert real == [(v.path, v.shape) for v in variables]
    assert list(classifier.by_path) == [v.path for v in variables]


def test_logits_are_those_of_transformers_with_padding(classifier, batch):
    expected = by_transformers(classifier, batch)

    np.testing.assert_allclose(classifier(batch, training=False), expected, atol=1e-6, rtol=0)
    assert np.ptp(expected) > 1e-3  # the texts differ


def test_gradients_are_those_of_transformers_which_computes_every_token(files, spec_for, batch):
    spec = spec_for(files, encoder={"dropout": 0.0}, training={"seed": 7})
    model = build(spec, Pretrained())

    def gradients(logits_of):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(logits_of() * tf.constant([1.0, -2.0]))
        found = tape.gradient(loss, list(model.by_path.values()))
        return [tf.convert_to_tensor(g).numpy() for g in found]

    expected = gradients(lambda: by_transformers(model, batch))
    for path, got, want in zip(
        model.by_path, gradients(lambda: model(batch, training=False)), expected, strict=True
    ):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-6, err_msg=path)


def test_last_layer_computes_the_reads_alone(classifier, batch):
    reads = [[2, 0], [4, 4], [0, 7]]
    every, some = (
        batch.texts._replace(reads=tf.constant(where)) for where in ([list(range(8))] * 3, reads)
    )
    states = classifier.embed(batch, training=False)
    for index in range(2):
        states = classifier.encode(index, states, some, training=False)
        assert states.shape == (3, 8, 32)

    found = classifier.encode(2, states, some, training=False)

    expected = tf.gather(classifier.encode(2, states, every, training=False), reads, batch_dims=1)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_padding_does_not_change_logits(classifier, batch):
    ids, types, mask = (tf.pad(v, [[0, 0], [0, 6]]) for v in (*batch.content, batch.texts.mask))
    longer = text_rows(ids, types, mask)

    np.testing.assert_allclose(
        classifier(longer, training=False), classifier(batch, training=False), atol=1e-6
    )


def test_every_weight_is_the_checkpoints_and_the_head_is_new(classifier, spec, files, variables):
    assert new_variables(spec, Pretrained()) == ["classifier/kernel", "classifier/bias"]
    for path, value in initial_values(files, variables, seed=7):
        np.testing.assert_array_equal(classifier.by_path[path], value)


@pytest.mark.parametrize(
    "freeze",
    [
        {"depth": 0},
        {"depth": 0, "embeddings": True},
        {"depth": 2},
        {"depth": 3},
        {"rules": [{"train": False, "layers": "1"}, {"train": False, "parts": ["pooler"]}]},
    ],
)
def test_keras_flags_and_weights_agree_with_the_plan(classifier, files, variables, plan_of, freeze):
    plan = plan_of(freeze)
    model = Classifier(classifier.wrapped, files, plan)

    by_keras = {variable_path(v) for v in model.wrapped.trainable_weights}
    assert by_keras == set(plan.trainable_paths)
    assert {variable_path(v) for v in model.trainable_variables} == by_keras
    assert len(model.trainable_weights) + len(model.non_trainable_weights) == len(variables)


def test_rules_inside_a_layer_are_finer_than_keras_flags(classifier, files, variables, plan_of):
    rules = [{"train": True, "parts": ["bias"]}, {"train": False}]
    model = Classifier(classifier.wrapped, files, plan_of({"rules": rules}))

    paths = [variable_path(v) for v in model.trainable_variables]
    assert paths == [v.path for v in variables if v.kind == "bias"]


def test_plan_of_another_model_is_refused(classifier, files, spec_for):
    other = spec_for(files, 3).plan

    with pytest.raises(ValueError, match="plan and model differ in their variables: .*classifier"):
        Classifier(classifier.wrapped, files, other)


def test_every_dropout_of_the_library_has_one_by_position_in_its_place(classifier):
    theirs = [
        layer
        for layer in classifier.wrapped._flatten_layers()
        if isinstance(layer, tf_keras.layers.Dropout)
    ]

    ours = classifier.encoder.dropouts
    # Head, embeddings, three a layer.
    assert [dropout.site for dropout in ours] == list(range(1 + 1 + 3 * 3))
    assert len(ours) == len(theirs)
    assert {dropout.rate for dropout in (*ours, *theirs)} == {0.5}


def test_training_draws_once_for_each_dropout_and_nothing_else(classifier, files, plan_of, batch):
    model = Classifier(classifier.wrapped, files, plan_of({}))

    @tf.function
    def step():
        with dropout_position(tf.constant(POSITION, tf.int64)):
            return model(batch, training=True)

    types = [o.type for o in step.get_concrete_function().graph.get_operations()]
    assert types.count("StatelessRandomUniformV2") == len(model.encoder.dropouts)
    assert {kind for kind in types if "Random" in kind} == {"StatelessRandomUniformV2"}


def test_reads_are_what_they_are_among_all(classifier, batch):
    states = classifier.embed(batch, training=False)
    run, reads = Run(), tf.constant([[2, 0], [4, 4], [0, 7]])
    for packed in (False, True):
        context = classifier.encoder.context(batch.texts.mask, packed=packed, run=run)
        every = classifier.encoder.layer(1, states, context, None, run)

        found = classifier.encoder.layer(1, states, context, reads, run)

        np.testing.assert_allclose(found, tf.gather(every, reads, batch_dims=1), atol=1e-6)


@pytest.fixture
def at_depth_two(classifier, files, plan_of):
    return Classifier(classifier.wrapped, files, plan_of({"depth": 2}))


def test_frozen_prefix_runs_without_dropout_in_training(at_depth_two, batch, monkeypatch):
    boundary = []
    monkeypatch.setattr(at_depth_two, "classify", lambda states, *_: boundary.append(states))

    at_depth_two.call(batch, training=False)
    with dropout_position(tf.constant(POSITION, tf.int64)):
        at_depth_two.call(batch, training=True)

    np.testing.assert_array_equal(*boundary)


def test_suffix_drops_in_training_and_by_step(at_depth_two, batch):
    inference = at_depth_two(batch, training=False).numpy()
    first = in_training(lambda: at_depth_two(batch, training=True))
    again = in_training(lambda: at_depth_two(batch, training=True))
    next_step = in_training(lambda: at_depth_two(batch, training=True), [0, 1, 0])

    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, inference)
    assert not np.allclose(first, next_step)


def test_no_gradient_reaches_the_prefix(at_depth_two, batch):
    with tf.GradientTape() as tape:
        tape.watch(list(at_depth_two.by_path.values()))
        logits = at_depth_two(batch, training=False)
    gradients = tape.gradient(logits, dict(at_depth_two.by_path))

    reached = {path for path, gradient in gradients.items() if gradient is not None}
    assert reached == set(at_depth_two.plan.trainable_paths)


def test_reset_puts_back_what_was_before_fine_tuning(at_depth_two):
    before = {path: v.numpy() for path, v in at_depth_two.by_path.items()}
    for variable in at_depth_two.trainable_weights:
        variable.assign_add(tf.ones_like(variable))

    at_depth_two.reset(seed=7)

    for path, value in before.items():
        np.testing.assert_array_equal(at_depth_two.by_path[path], value)


@pytest.mark.parametrize("half", [tf.bfloat16, tf.float16])
def test_mixed_precision_keeps_float32_where_sums_are_long(files, spec_for, batch, half):
    training = {"precision": f"mixed_{half.name}"}
    model = build(spec_for(files, freeze={"depth": 3}, training=training), Pretrained())
    call = tf.function(lambda: model(batch, training=False)).get_concrete_function()
    types: dict[str, set] = {}
    for operation in call.graph.get_operations():
        if operation.inputs:
            types.setdefault(operation.type, set()).add(operation.inputs[0].dtype)

    assert {v.dtype for v in model.by_path.values()} == {tf.float32}
    assert types["BatchMatMulV2"] == {half}
    assert types["BiasAdd"] == {half, tf.float32}  # the head's: answers keep all their digits
    assert types["Softmax"] == {tf.float32}
    # Of layer norms: variance and its root.
    assert types["SquaredDifference"] == types["Rsqrt"] == {tf.float32}
    assert call.structured_outputs.dtype == tf.float32  # logits, and so the loss
    assert tf_keras.mixed_precision.global_policy().name == "float32"


def test_a_scale_moves_the_answers_and_not_what_the_head_computes(files, spec_for, batch):
    spec = spec_for(files, freeze={"depth": 3})
    head = frozenset(["classifier/kernel", "classifier/bias"])
    model = build(spec, Pretrained(scale=OutputScale(50.0, 25.0)))
    plain = build(spec, Pretrained())
    standardised = plain(batch, training=False)

    np.testing.assert_allclose(model(batch, training=False), 50 + 25 * standardised, rtol=1e-6)
    model.rescale(OutputScale(0.5, 2.0))
    np.testing.assert_allclose(model(batch, training=False), 0.5 + 2 * standardised, rtol=1e-6)
    assert head == model.head_paths < model.by_path.keys() == plain.by_path.keys()
    listed = [*model.trainable_weights, *model.non_trainable_weights]
    assert len(listed) == len(model.by_path)
    with pytest.raises(ValueError, match="neither comes nor goes"):
        plain.rescale(OutputScale(0.0, 1.0))


def test_a_kept_number_answers_the_same_in_every_scale_even_where_the_head_is_frozen(
    make_encoder, spec_for, tmp_path, batch
):
    def add_head(tensors):
        return tensors | {
            "classifier.weight": np.full((1, 32), 0.25, np.float32),
            "classifier.bias": np.array([40.0], np.float32),
        }

    folder = make_encoder(tmp_path, add_head, architectures=["BertForSequenceClassification"])
    freeze = {"depth": 3, "rules": [{"parts": ["head"], "train": False}]}
    spec = spec_for(folder, Values(), freeze=freeze)
    start = Pretrained(matched_head(spec.files, spec.labels), OutputScale(50, 25))
    model = build(spec, start)

    expected = build(spec, OfRun())(batch, training=False)
    assert new_variables(spec, start) == []
    np.testing.assert_allclose(model(batch, training=False), expected, rtol=1e-6)
    model.rescale(OutputScale(30.0, 5.0))
    model.reset(seed=0)
    np.testing.assert_allclose(model(batch, training=False), expected, rtol=1e-6)
