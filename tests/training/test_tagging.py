"""Tags of words are trained as labels of texts are: in pieces, from states, packed, exactly."""

from dataclasses import replace

import numpy as np
import pytest

from tf_finetune.data.loading import load_splits
from tf_finetune.data.packing import packed_batches, packed_shape
from tf_finetune.data.read_vectors import ReadVectors, laid_out
from tf_finetune.models.weights import pretrained
from tf_finetune.options.cache import CacheConfig
from tf_finetune.options.data import DataConfig
from tf_finetune.prefix.cache import PrefixCache
from tf_finetune.training.compiling import build_fine_tuner
from tf_finetune.training.packed_batches import packed_batch
from tf_finetune.training.pipeline import BatchShape, global_batch
from tf_finetune.training.split_logits import predict_logits, split_vectors

pytestmark = pytest.mark.numeric

RATE = 5e-4
SHAPE = BatchShape(8, max_length=16)


@pytest.fixture(scope="module")
def tagged(tiny_tokenizer, tmp_path_factory):
    """Short sentences, and one in six too long for a row of 16 tokens; films and years."""
    folder = tmp_path_factory.mktemp("tagged")
    lines = []
    for number in range(48):
        words = [("the", "O"), ("film", "B-film"), ("good", "I-film"), ("was", "O")]
        words += [(str(number % 10), "B-year")] + [("very", "O")] * (number % 3)
        words *= 3 if number % 6 == 5 else 1
        lines += [f"{word}\t{tag}" for word, tag in words] + [""]
    path = folder / "train.conll"
    path.write_text("\n".join(lines), encoding="utf-8")
    config = DataConfig(
        train=str(path),
        validation_fraction=0.25,
        test_fraction=0.0,
        cache_dir=str(folder / "cache"),
        max_length=16,
    )
    return load_splits(config, tiny_tokenizer)[0]


@pytest.fixture(scope="module")
def build_tagger(tiny_encoder_files, tagged, spec_for, training, cpu):
    def make(depth=1, chosen=cpu, layers=None, **options):
        files = tiny_encoder_files.read_by(tagged.labels.pooling)
        sections = {"freeze": {"depth": depth}, "training": training(**options)}
        sections["encoder"] = {"layers": layers}
        spec = spec_for(files, tagged.labels, **sections)
        start = pretrained(files, tagged.labels, tagged.train.labels)
        return build_fine_tuner(spec, start, chosen)

    return make


@pytest.fixture(scope="module")
def tagger(build_tagger):
    return build_tagger()


def test_long_sentences_are_several_rows_of_one_example(tagged):
    assert tagged.train.num_examples < len(tagged.train)
    assert tagged.train.lengths.max() <= 16
    words = tagged.train.is_read.sum()
    assert words == (tagged.train.labels[:, :-1] >= 0).sum()
    assert tagged.labels.counted_names == ("film", "year")


def test_tags_are_learned(build_tagger, run, tagged, training):
    config = training(epochs=6, learning_rate=1e-2)
    history = run(build_tagger(0, layers=1), config, data=tagged).history

    assert history[-1]["val_strict_f1"] > 0.9


@pytest.mark.parametrize("depth", [1, 3])
def test_cached_states_give_the_same_run(
    build_tagger, run, tagged, training, state, rounded, assert_equal, tmp_path, depth
):
    model, config = build_tagger(depth), training(learning_rate=RATE)
    plain = rounded(state(model, run(model, config, data=tagged)))
    cache = PrefixCache(CacheConfig(mode="memory", dtype="float32"), tmp_path)
    splits = {"train": tagged.train, "validation": tagged.validation}
    states = cache.states(model, splits, SHAPE, passes=5)

    cached = rounded(state(model, run(model, config, data=tagged, states=states)))

    assert set(states) == {"train", "validation"}
    assert_equal(cached, plain, atol=1e-5)


def test_a_packed_batch_has_the_loss_of_its_rows(tagger, tagged):
    train = tagged.train.select(np.arange(8))
    weights = np.linspace(0.5, 2, 8).astype(np.float32)
    (placed,) = packed_batches(train.lengths, 8, 16, seed=0, epoch=0)
    shape = packed_shape(train.lengths, 8, 16, seed=0)
    packed = packed_batch(train, placed, shape, weights, step=0)
    alone = global_batch(train, np.arange(8), weights, SHAPE, step=0)

    losses = [_loss(tagger, batch) for batch in (packed, alone)]

    assert packed.whole.weight_sum == pytest.approx(float(alone.whole.weight_sum))
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def _loss(model, batch):
    logits = model.classifier(batch.inputs, training=False)
    targets = batch.targets.reshape(-1)
    losses = model.step.loss(batch.inputs, targets, logits).numpy()
    return float((losses * batch.weights.reshape(-1)).sum() / batch.whole.weight_sum)


def test_padding_of_reads_changes_no_logits(tagger, tagged):
    together = predict_logits(tagger, tagged.validation, SHAPE)
    one_by_one = predict_logits(tagger, tagged.validation, replace(SHAPE, batch_size=1))
    fixed = predict_logits(tagger, tagged.validation, replace(SHAPE, fixed_rows=True))

    np.testing.assert_allclose(together, one_by_one, atol=1e-5)
    np.testing.assert_allclose(together, fixed, atol=1e-5)
    by_word = together.reshape(len(together), -1, tagged.labels.num_outputs)
    assert (by_word.any(axis=-1) == tagged.validation.is_read).all()


def test_head_on_the_vectors_of_words_gives_the_logits(tagger, tagged):
    vectors = split_vectors(tagger, tagged.validation, SHAPE)
    logits = tagger.classifier.head_logits(vectors).numpy()

    expected = predict_logits(tagger, tagged.validation, SHAPE)
    np.testing.assert_allclose(laid_out(logits, tagged.validation.is_read), expected, atol=1e-5)


def test_vectors_of_some_rows_are_theirs(tagger, tagged):
    whole = ReadVectors(split_vectors(tagger, tagged.train, SHAPE), tagged.train.is_read)
    rows = np.array([5, 2, 7])
    part = tagged.train.select(rows)

    found = whole.select(rows)

    np.testing.assert_allclose(found.values, split_vectors(tagger, part, SHAPE), atol=1e-5)
    assert (found.is_read == whole.is_read[rows]).all()


def test_a_head_is_solved_on_words(build_tagger, run, tagged, training):
    model = build_tagger(1, layers=1, solver="exact")
    result = run(model, training(solver="exact"), data=tagged)

    assert result.history[-1]["val_strict_f1"] > 0.8
    expected = predict_logits(model, tagged.validation, SHAPE)
    np.testing.assert_allclose(result.validation_logits, expected, atol=1e-4)


def test_importance_of_heads_is_that_of_all_words_of_a_row(build_tagger, tagged):
    """Held against differences, one row at a time; rows have several words, and not as many."""
    import tensorflow as tf

    from tf_finetune.export.smaller.head_importance import head_importance
    from tf_finetune.training.loss import LabelLoss
    from tf_finetune.training.pipeline import evaluation_dataset

    model = build_tagger().classifier
    few = tagged.train.select(np.arange(6, 10))
    assert len(set(few.read_counts)) > 1
    found = head_importance(model, few, "token_classification", SHAPE)

    def loss(batch, factor):
        masks = [tf.ones([1, 4, 1, 1]) for _ in range(3)]
        masks[1] = masks[1] * tf.reshape(tf.constant(factor, tf.float32), [1, 4, 1, 1])
        logits = model.masked_logits(batch.inputs, masks)
        losses = LabelLoss(model, type(tagged.labels))(batch.inputs, batch.targets[0], logits)
        return float(tf.reduce_sum(losses * batch.weights[0]))

    sizes = np.zeros(4)
    for batch in evaluation_dataset(few, replace(SHAPE, batch_size=1)):
        for head in range(4):
            step = 0.01 * np.eye(4)[head]
            sizes[head] += abs(loss(batch, 1 + step) - loss(batch, 1 - step)) / 0.02
    np.testing.assert_allclose(found[1], sizes / np.linalg.norm(sizes), atol=0.01)
