"""Two splits as one hold the same examples, wherever they are asked for."""

import numpy as np
import pytest

from tf_finetune.data.joined_split import join_splits
from tf_finetune.data.loading import load_splits
from tf_finetune.options.data import DataConfig


@pytest.fixture(scope="module")
def splits(tiny_csv, tiny_tokenizer, tmp_path_factory):
    config = DataConfig(
        train=str(tiny_csv),
        validation_fraction=0.2,
        test_fraction=0.2,
        cache_dir=str(tmp_path_factory.mktemp("cache")),
        max_length=32,
    )
    return load_splits(config, tiny_tokenizer)[0]


def test_examples_of_both_are_there_in_their_order(splits):
    parts = (splits.train, splits.validation)
    joined = join_splits(*parts)

    everywhere = [part.texts(np.arange(len(part))) for part in parts]
    assert joined.texts(np.arange(len(joined))) == [*everywhere[0], *everywhere[1]]
    for name in ("labels", "lengths", "source_rows"):
        both = np.concatenate([getattr(part, name) for part in parts])
        np.testing.assert_array_equal(getattr(joined, name), both)


def test_a_batch_may_mix_examples_of_both(splits):
    train, validation = splits.train, splits.validation
    count = len(train)
    joined = join_splits(train, validation)

    batch = joined.gather(np.array([count, 3, count + 2, 0]))

    width = batch.token_ids.shape[1]
    first = train.gather(np.array([3, 0]), pad_to=width)
    second = validation.gather(np.array([0, 2]), pad_to=width)
    for name in ("token_ids", "token_type_ids", "attention_mask"):
        np.testing.assert_array_equal(getattr(batch, name)[[1, 3]], getattr(first, name))
        np.testing.assert_array_equal(getattr(batch, name)[[0, 2]], getattr(second, name))
    texts = joined.texts(np.array([count + 1, 4]))
    assert texts == [*validation.texts(np.array([1])), *train.texts(np.array([4]))]
