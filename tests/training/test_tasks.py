"""Every task, optimiser and precision trains end to end and learns something."""

from dataclasses import replace

import numpy as np
import pytest

from tf_finetune.errors import UserError
from tf_finetune.training.option_checks import check_options
from tf_finetune.training.pipeline import BatchShape
from tf_finetune.training.split_logits import predict_logits


@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "sgd", "precision": "mixed_bfloat16", "learning_rate": 0.05},
        {"optimizer": "adafactor", "precision": "mixed_float16", "learning_rate": 0.05},
        {
            "learning_rate": 1e-2,
            "schedule": "cosine",
            "label_smoothing": 0.1,
            "clip_norm": None,
            "weight_decay": 0.0,
        },
    ],
    ids=["sgd bfloat16", "adafactor float16", "smoothing without clipping"],
)
def test_optimisers_and_precisions_learn(build, run, splits, training, options):
    config = training(epochs=6, **options)
    model = build(splits, config, depth=2)

    history = run(model, config).history

    assert history[-1]["val_loss"] < 0.9 * history[0]["val_loss"]
    assert history[-1]["val_accuracy"] >= 0.75


def test_loss_scale_is_saved_and_starts_anew(build, splits, training):
    config = training(precision="mixed_float16")
    model = build(splits, config, depth=3)
    scale, good_steps = model.optimizer_state.variables[-2:]
    first = float(scale)
    scale.assign(2.0)
    good_steps.assign(17)

    model.start_run(config, total_steps=10)

    assert (float(scale), int(good_steps)) == (first, 0)


def test_class_weights_move_the_decision(model, run, splits, training, cpu):
    def preference_for_pos(class_weights):
        run(model, training(class_weights=class_weights))
        logits = predict_logits(model, splits.test, BatchShape(8))
        return float(np.mean(logits[:, 1] - logits[:, 0]))

    assert splits.labels.names == ("neg", "pos")
    preferences = [preference_for_pos(w) for w in ({"neg": 20.0}, "balanced", {"pos": 20.0})]
    assert preferences == sorted(preferences)
    assert preferences[0] < 0 < preferences[2]


@pytest.fixture
def write(tmp_path):
    def write(rows):
        path = tmp_path / "examples.csv"
        path.write_text("\n".join(rows) + "\n", encoding="utf-8")
        return path

    return write


def test_several_labels(build, run, load_tiny, training, write):
    rows = ["text,label"]
    for number in range(80):
        labels = [name for name, bit in (("good", 1), ("dull", 2)) if number & bit]
        rows.append(f"{number} {' '.join(labels)},{'|'.join(labels)}")
    data = load_tiny(write(rows), label_separator="|", task="multi_label")
    config = training(epochs=10, learning_rate=1e-2)
    model = build(data, config, depth=2)

    history = run(model, config, data).history

    assert data.train.labels.shape == (len(data.train), 2)
    assert history[-1]["loss"] < 0.8 * history[0]["loss"]
    assert max(entry["val_micro_f1"] for entry in history) > 0.6


def test_numbers_of_pairs(build, run, load_tiny, training, write):
    words = {"good": 1.5, "bad": -0.5, "great": 2.0, "poor": -1.0}
    rows = ["first,second,label"]
    for number in range(48):
        word = list(words)[number % 4]
        rows.append(f"the film {number},was {word},{words[word]}")
    data = load_tiny(write(rows), text_column="first", text_pair_column="second", task="regression")
    config = training(epochs=12, learning_rate=1e-2)
    model = build(data, config, depth=2)

    history = run(model, config, data).history

    assert data.train.gather(np.arange(4)).token_type_ids.sum() > 0
    assert data.train.labels.dtype == np.float32
    assert history[-1]["loss"] < 0.9 * history[0]["loss"]
    assert set(history[0]) >= {"val_pearson", "val_spearman", "val_mse", "val_mae"}
    with pytest.raises(UserError, match=r"label_smoothing: received 0\.1 for a regression task"):
        check_options(training(label_smoothing=0.1), data)


def test_run_without_validation_has_no_scores(model, run, splits, training):
    result = run(model, training(epochs=1), replace(splits, validation=None))

    assert set(result.history[0]) == {"loss", "seconds", "examples_per_second"}
    assert result.best_epoch == 1
