"""An encoder as a Keras model: Keras' own fit trains what the plan says, as a run does."""

import re

import h5py
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from scipy import special

import tf_finetune as tft
from tf_finetune.api.keras.keras_classifier import KerasClassifier
from tf_finetune.api.keras.keras_model import keras_model
from tf_finetune.data.batch import text_rows
from tf_finetune.encoders.dropout import dropout_position
from tf_finetune.errors import UserError
from tf_finetune.training.frozen_check import frozen_digests

TEXTS = ["the film was good", "bad", "the plot was very dull , and the actors never good !"] * 4
LABELS = np.array([1, 0, 0] * 4)
NAMES = ["neg", "pos"]


@pytest.fixture(scope="module")
def trained(tiny_encoder, tmp_path_factory):
    """A model with dropout, trained for two epochs of two steps; what it held before; its files.

    Not traced, which takes longer than these steps.
    """
    folder = tmp_path_factory.mktemp("trained")
    model = keras_model(tiny_encoder, depth=2, label_names=NAMES, seed=3)
    before = {path: value.numpy() for path, value in model.classifier.by_path.items()}
    optimizer = tf_keras.optimizers.AdamW(1e-2, weight_decay=0.1)
    model.compile(optimizer, model.task_loss(), metrics=["accuracy"], run_eagerly=True)
    rows = model.preprocess(TEXTS)
    callbacks = [
        tf_keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True),
        tf_keras.callbacks.ModelCheckpoint(str(folder / "best.keras"), save_best_only=True),
        tf_keras.callbacks.TensorBoard(str(folder / "events"), histogram_freq=1),
    ]
    options = {"validation_data": (rows, LABELS), "callbacks": callbacks, "verbose": 0}
    history = model.fit(rows, LABELS, epochs=2, batch_size=6, **options)
    return model, before, history.history, folder


@pytest.fixture(scope="module")
def lora(tiny_encoder):
    """Makes a model with LoRA of rank 4 above depth 2."""
    method = {"name": "lora", "rank": 4}
    return lambda **options: keras_model(
        tiny_encoder, depth=2, num_labels=2, method=method, **options
    )


def test_fit_changes_all_that_the_plan_trains_and_no_bit_of_the_rest(trained):
    model, before, history, _ = trained
    after = {path: value.numpy() for path, value in model.classifier.by_path.items()}

    changed = {path for path, value in after.items() if value.tobytes() != before[path].tobytes()}
    assert changed == model.spec.plan.trainable_paths
    assert history.keys() == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert history["val_loss"][-1] < history["val_loss"][0]


def test_keras_lists_and_counts_the_variables_of_the_plan(trained):
    model, *_ = trained
    plan = model.spec.plan
    lines = []
    model.summary(print_fn=lines.append)

    counts = [int(number) for number in re.findall(r"params: (\d+)", "\n".join(lines))]
    assert counts == [
        plan.total_count,
        plan.trainable_count,
        plan.total_count - plan.trainable_count,
    ]
    paths = {value.ref(): path for path, value in model.classifier.by_path.items()}
    assert {paths[v.ref()] for v in model.trainable_weights} == plan.trainable_paths
    assert len(model.weights) == len(plan.rows)


def test_callbacks_leave_their_files(trained):
    *_, folder = trained

    assert list((folder / "events").rglob("*validation/events*"))
    assert list((folder / "events").rglob("*train/events*"))
    best = tf_keras.models.load_model(folder / "best.keras")
    assert isinstance(best, KerasClassifier)
    assert best.labels.names == ("neg", "pos")


@pytest.mark.numeric
def test_what_fit_trained_answers_alike_as_a_run(trained, tmp_path):
    model, *_ = trained
    logits = model.predict(model.preprocess(TEXTS[:3]), verbose=0)

    loaded = tft.load(model.save_run(tmp_path / "run"))
    assert loaded.labels == ("neg", "pos")
    expected = special.softmax(logits.astype(np.float64), axis=1)
    np.testing.assert_allclose(loaded.predict_proba(TEXTS[:3]), expected, rtol=0, atol=1e-6)
    with pytest.raises(UserError, match="holds files; accepted: a new folder"):
        model.save_run(tmp_path / "run")


def test_a_run_holds_what_plain_weights_cannot(tiny_encoder, tmp_path):
    model = keras_model(tiny_encoder, depth=2, num_labels=2, method="adapters")
    for variable in model.trainable_weights:
        variable.assign_add(tf.random.stateless_normal(variable.shape, [0, 1]) / 10)

    loaded = tft.load(model.save_run(tmp_path / "run", text_pair_column="second"))
    pairs = [(text, "bad") for text in TEXTS[:3]]
    logits = model(model.preprocess(TEXTS[:3], ["bad"] * 3)).numpy()
    expected = special.softmax(logits.astype(np.float64), axis=1)
    np.testing.assert_allclose(loaded.predict_proba(pairs), expected, rtol=0, atol=1e-6)


def test_a_model_folder_is_an_encoder_whose_head_is_kept(trained, tmp_path):
    model, *_ = trained
    folder = model.save_pretrained(tmp_path / "model")

    again = keras_model(folder, depth=3, label_names=NAMES)
    rows = model.preprocess(TEXTS[:3])
    np.testing.assert_allclose(again(rows), model(rows), rtol=0, atol=1e-6)


@pytest.mark.numeric
def test_dropout_goes_by_seed_step_and_row_as_in_a_run(trained):
    model, *_ = trained
    rows = model.preprocess(TEXTS[:3])
    step = model.steps_trained.numpy()

    found = [model(rows, training=True).numpy() for _ in range(2)]
    inputs = text_rows(rows["input_ids"], rows["token_type_ids"], rows["attention_mask"])
    for number, logits in enumerate(found):
        with dropout_position(tf.constant([3, step + number, 0], tf.int64)):
            same = model.classifier(inputs, training=True)
        np.testing.assert_array_equal(logits, same)
    assert step >= 4
    assert model.steps_trained.numpy() == step + 2
    assert np.abs(found[0] - found[1]).max() > 1e-3


@pytest.mark.numeric
def test_two_replicas_train_as_one_device(flat_encoder):
    """With dropout above the pooler; weight decay leaves what is frozen as it was."""

    def weights_after(strategy, eagerly):
        with strategy.scope():
            model = keras_model(flat_encoder, depth=1, num_labels=2, dropout=0.4)
            optimizer = tf_keras.optimizers.SGD(0.1, weight_decay=0.1)
            model.compile(optimizer, model.task_loss(), run_eagerly=eagerly)
        frozen = frozen_digests(model.classifier)
        model.fit(model.preprocess(TEXTS), LABELS, batch_size=6, shuffle=False, verbose=0)
        assert frozen_digests(model.classifier) == frozen
        assert model.steps_trained.numpy() == 2
        return model.classifier.trainable_values()

    one = weights_after(tf.distribute.get_strategy(), eagerly=True)
    two = weights_after(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]), eagerly=False)
    for path, value in one.items():
        np.testing.assert_allclose(two[path], value, rtol=0, atol=1e-6)


def test_weights_that_keras_gets_and_sets_hold_what_a_method_added(lora):
    model, other = lora(seed=1), lora(seed=2)
    other.set_weights(model.get_weights())

    for path, value in model.classifier.by_path.items():
        np.testing.assert_array_equal(other.classifier.by_path[path], value, path)


@pytest.mark.parametrize("name", ["of.weights.h5", "of.h5", "checkpoint"])
def test_weights_come_back_with_what_a_method_added(lora, tmp_path, name):
    model, other = lora(seed=1), lora(seed=2)
    for variable in model.trainable_weights:
        variable.assign_add(tf.random.stateless_normal(variable.shape, [0, 1]))
    model.steps_trained.assign(7)

    model.save_weights(tmp_path / name)
    other.load_weights(tmp_path / name)
    for path, value in model.classifier.by_path.items():
        np.testing.assert_array_equal(other.classifier.by_path[path], value, path)
    assert other.steps_trained.numpy() == 7


def test_a_file_of_weights_holds_each_once_and_serves_other_depths(lora, tiny_encoder, tmp_path):
    model = keras_model(tiny_encoder, depth=2, num_labels=2, seed=1)
    model.save_weights(tmp_path / "of.weights.h5")
    other = keras_model(tiny_encoder, depth=0, num_labels=2, seed=2)
    other.load_weights(tmp_path / "of.weights.h5")

    written = []
    with h5py.File(tmp_path / "of.weights.h5") as file:
        file.visititems(
            lambda _, item: written.append(item.size) if hasattr(item, "size") else None
        )
    assert sum(written) == model.spec.plan.total_count + 1  # the steps
    for path, value in model.classifier.by_path.items():
        np.testing.assert_array_equal(other.classifier.by_path[path], value, path)


def test_weights_of_another_method_are_refused(lora, tiny_encoder, tmp_path):
    lora().save_weights(tmp_path / "lora.weights.h5")

    with pytest.raises(ValueError, match="another method or another encoder"):
        keras_model(tiny_encoder, depth=2, num_labels=2).load_weights(tmp_path / "lora.weights.h5")


def test_a_saved_regression_answers_in_its_units(flat_encoder, tmp_path):
    model = keras_model(flat_encoder, depth=1, task="regression", targets=[10, 30.0])
    rows = model.preprocess(TEXTS[:2])

    answers = model(rows)
    model.save(tmp_path / "model.keras")
    same = tf_keras.models.load_model(tmp_path / "model.keras")
    assert answers.shape == (2, 1)
    assert np.abs(answers - 20.0).max() < 15.0
    np.testing.assert_allclose(same(rows), answers, rtol=1e-6)
    # One deviation away from the answer.
    assert model.task_loss()(answers[:, 0] + 10.0, answers).numpy() == pytest.approx(1.0)


def test_an_exported_graph_answers_texts_of_any_length(flat_encoder, tmp_path):
    model = keras_model(flat_encoder, depth=1, num_labels=2)
    model.export(tmp_path / "exported")

    loaded = tf.saved_model.load(tmp_path / "exported")
    for texts in (TEXTS[:1], TEXTS[:3]):
        rows = model.preprocess(texts)
        np.testing.assert_allclose(loaded.serve(rows), model(rows), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "inputs, received",
    [
        (lambda: tf.constant(TEXTS[:1]), "EagerTensor"),
        (lambda: {"input_ids": tf.zeros([1, 2])}, "a dictionary of input_ids"),
    ],
    ids=["texts", "no_mask"],
)
def test_other_inputs_are_refused(lora, inputs, received):
    with pytest.raises(UserError, match=f"received {received}; accepted: what model.preprocess"):
        lora()(inputs())


def test_only_its_own_format_saves_the_model(lora, tmp_path):
    with pytest.raises(UserError, match="accepted: a name that ends in .keras, or save_weights"):
        lora().save(tmp_path / "saved_model")


def test_labels_over_the_number_of_outputs_have_no_loss(lora):
    with pytest.raises(tf.errors.InvalidArgumentError, match="not under num_labels"):
        lora().task_loss()(tf.constant([0, 2]), tf.zeros([2, 2]))


def test_names_of_a_saved_model_are_as_many_as_its_outputs(lora, tmp_path):
    with pytest.raises(UserError, match="label_names: received .*; accepted: 2 different names"):
        lora().save_pretrained(tmp_path, label_names=["neg", "neg"])


def test_a_folder_of_other_files_is_not_replaced(lora, tmp_path):
    (tmp_path / "mine.txt").write_text("kept")

    with pytest.raises(UserError, match="holds other files; accepted: a new folder"):
        lora().save_pretrained(tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "kept"
