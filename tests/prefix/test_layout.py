"""Where states stand, and what their key depends on."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from tf_finetune.data.joined_split import join_splits
from tf_finetune.data.splits import Split
from tf_finetune.encoders.families.table import FAMILIES
from tf_finetune.models.building import build as built
from tf_finetune.models.weights import Pretrained
from tf_finetune.prefix import layout as layouts
from tf_finetune.prefix.layout import prefix_digests

LENGTHS = [3, 5, 2, 5]


def test_longest_texts_come_first(layout_of):
    layout = layout_of(LENGTHS)

    assert layout.order.tolist() == [1, 3, 0, 2]
    assert layout.starts.tolist() == [10, 0, 13, 5]
    assert layout.lengths.tolist() == LENGTHS
    assert (layout.tokens, layout.bytes) == (15, 15 * 2 * 4)


def test_blocks_follow_each_other(layout_of, monkeypatch):
    monkeypatch.setattr(layouts, "BLOCK_ROWS", 3)
    layout = layout_of(LENGTHS)

    assert layout.blocks == 2
    assert [layout.block(i).tolist() for i in range(2)] == [[1, 3, 0], [2]]
    assert [layout.block_tokens(i) for i in range(2)] == [slice(0, 13), slice(13, 15)]


def test_of_the_whole_encoder_only_reads_are_kept(layout_of):
    layout = layout_of(LENGTHS, reads_only=True, dtype=np.dtype("float16"))

    assert layout.lengths.tolist() == [1, 1, 1, 1]
    assert layout.starts.tolist() == [2, 0, 3, 1]
    assert layout.bytes == 4 * 2 * 2


@pytest.mark.parametrize(
    "change",
    [
        {"split": {"key": "other"}},
        {"split": {"texts": [0, 1, 3, 2]}},
        {"split": {"rows": [0, 1, 3]}},
        {"split": {"rows": [1, 0, 2, 3]}},
        {"depth": 2},
        {"hidden": 4},
        {"dtype": np.dtype("float16")},
        {"reads_only": True},
    ],
    ids=str,
)
def test_key_changes_with_all_that_decides_the_states(layout_of, split_of, change):
    layout = layout_of(LENGTHS)
    if "split" in change:
        change = {"split": split_of(LENGTHS, **change["split"])}

    assert replace(layout, **change).key("prefix") != layout.key("prefix")


def test_key_changes_with_the_prefix_and_the_size_of_blocks(layout_of, monkeypatch):
    layout = layout_of(LENGTHS)
    key = layout.key("prefix")

    assert layout.key("other prefix") != key
    monkeypatch.setattr(layouts, "BLOCK_ROWS", 3)
    assert layout.key("prefix") != key


def test_key_does_not_change_with_labels_and_the_name_of_the_split(layout_of):
    layout = layout_of(LENGTHS)
    split = layout.split
    other = Split("validation", split.store, split.rows, split.labels + 1)

    assert replace(layout, split=other).key("prefix") == layout.key("prefix")


def test_joined_splits_in_another_order_have_another_key(layout_of, splits):
    """They count their rows anew, and have as many tokens."""
    layout = layout_of([1])
    one, other = (
        replace(layout, split=join_splits(*pair))
        for pair in (
            (splits.train, splits.validation),
            (splits.train.select(slice(None, None, -1)), splits.validation),
        )
    )

    assert one.tokens == other.tokens
    assert one.key("prefix") != other.key("prefix")


def test_digest_of_a_prefix_changes_with_its_layers_alone(build, splits, training):
    classifier = build(splits, training(), depth=2).classifier
    before = prefix_digests(classifier)

    def changed_by(path):
        value = classifier.by_path[path].numpy()
        classifier.set_values({path: value + 1e-3})
        digests = prefix_digests(classifier)
        classifier.set_values({path: value})
        return [a != b for a, b in zip(before, digests, strict=True)]

    layer = "bert/encoder/layer_._{}/attention/output/dense/bias"
    assert changed_by("bert/embeddings/position_embeddings/embeddings") == [True, True]
    assert changed_by(layer.format(0)) == [True, True]
    assert changed_by(layer.format(1)) == [False, True]
    assert changed_by(layer.format(2)) == [False, False]
    assert changed_by("classifier/kernel") == [False, False]


def test_digests_of_equal_prefixes_are_equal_whatever_the_frozen_depth(build, splits, training):
    shallow = build(splits, training(), depth=1).classifier
    deep = build(splits, training(), depth=3).classifier

    assert prefix_digests(deep)[:1] == prefix_digests(shallow)


def test_digests_are_the_same_however_many_layers_are_used_above(tiny_encoder, spec_for):
    def digests(depth, **encoder):
        spec = spec_for(tiny_encoder, encoder=encoder, freeze={"depth": depth})
        return prefix_digests(built(spec, Pretrained()))

    whole = digests(2)

    assert digests(1, layers=1) == digests(1, layers=2) == whole[:1]
    assert digests(2, layers=2) == whole  # the reads in a key tell the whole of two layers apart
    below, pooled = digests(2, layers=2, pooling="mean")
    assert below == whole[0]
    assert pooled != whole[1]


def test_pooling_changes_the_digest_of_the_whole_encoder_alone(build, splits, training):
    first, mean, largest = (
        prefix_digests(build(splits, training(), depth=3, pooling=pooling).classifier)
        for pooling in ("first", "mean", "max")
    )

    assert first[:2] == mean[:2] == largest[:2]
    assert len({first[2], mean[2], largest[2]}) == 3


def test_digest_changes_with_the_precision(build, splits, training):
    half = build(splits, training(precision="mixed_bfloat16"), depth=1).classifier
    full = build(splits, training(), depth=1).classifier

    assert prefix_digests(half) != prefix_digests(full)


@pytest.fixture
def digests():
    """Digests of a prefix without variables whose config.json says something."""

    def of(config):
        plan = SimpleNamespace(frozen_depth=1, num_layers=2, rows=())
        files = SimpleNamespace(whole_config=config, family=FAMILIES["bert"], pooling="first")
        return prefix_digests(
            SimpleNamespace(files=files, states_dtype=tf.float32, plan=plan, by_path={})
        )

    return of


@pytest.mark.parametrize(
    "changed", [{"layer_norm_eps": 1e-5}, {"num_attention_heads": 2}, {"of_a_family_to_come": True}]
)
def test_digest_changes_with_what_the_layers_compute_beside_their_weights(digests, changed):
    """Two encoders may hold the same weights and differ in epsilon or in their heads."""
    config = {"hidden_act": "gelu", "layer_norm_eps": 1e-12, "num_attention_heads": 4}

    assert digests(config) == digests(dict(reversed(config.items())))
    assert digests(config | changed) != digests(config)


@pytest.mark.parametrize(
    "changed",
    [
        {"id2label": {"0": "x"}},
        {"classifier_dropout": 0.3},
        {"architectures": ["BertModel"]},
        {"text_pooling": "mean"},
    ],
)
def test_digest_stays_with_what_a_prefix_does_not_compute_with(digests, changed):
    config = {"hidden_act": "gelu", "classifier_dropout": None}

    assert digests(config | changed) == digests(config)
