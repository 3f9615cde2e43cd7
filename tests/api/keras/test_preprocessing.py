"""Texts become what a Keras model takes, of whatever holds them and inside `tf.data`."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import tensorflow as tf

from tf_finetune.api.keras.preprocessing import INPUTS, Preprocessing
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.encoders.tokenizers import load_tokenizer
from tf_finetune.errors import UserError

TEXTS = ["the film was good", "bad", "the plot was dull"]


@pytest.fixture(scope="module")
def preprocess(tiny_encoder):
    """Cuts texts after 9 tokens."""
    files = EncoderFiles("tiny", tiny_encoder)
    return Preprocessing(load_tokenizer(files), files, 9)


def arrays(rows):
    return [np.asarray(rows[name]).tolist() for name in INPUTS]


def test_rows_are_filled_up_to_an_even_length(preprocess):
    rows = preprocess(["bad", "the film ."])

    assert arrays(rows) == [
        [[2, 15, 3, 0, 0, 0], [2, 9, 11, 6, 3, 0]],
        [[0] * 6] * 2,
        [[1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 1, 0]],
    ]
    assert {row.dtype for row in rows.values()} == {tf.int32}


def test_pairs_have_two_types_and_are_cut_together(preprocess):
    ids, types, mask = arrays(preprocess(["bad"], ["the film was very very very dull"]))

    assert types == [[0, 0, 0, 1, 1, 1, 1, 1, 1, 0]]
    assert mask == [[1] * 9 + [0]]
    assert ids[0][:4] == [2, 15, 3, 9]


@pytest.mark.parametrize(
    "holding",
    [
        tuple,
        np.array,
        lambda texts: pd.Series(texts, index=[5, 6, 7]),
        lambda texts: pa.chunked_array([texts]),
        tf.constant,
        lambda texts: [text.encode() for text in texts],
    ],
    ids=["tuple", "array", "series", "arrow", "tensor", "bytes"],
)
def test_texts_may_be_held_by_anything(preprocess, holding):
    assert arrays(preprocess(holding(TEXTS))) == arrays(preprocess(TEXTS))


def test_one_text_is_a_batch_of_one(preprocess):
    assert arrays(preprocess("bad")) == arrays(preprocess(["bad"]))


def test_batches_of_a_data_set_are_as_long_as_their_longest_text(preprocess):
    texts = tf.data.Dataset.from_tensor_slices(TEXTS).batch(2)
    rows = texts.map(preprocess, num_parallel_calls=2)

    assert rows.element_spec["input_ids"].shape.as_list() == [None, None]
    assert [arrays(one) for one in rows] == [
        arrays(preprocess(TEXTS[:2])),
        arrays(preprocess(TEXTS[2:])),
    ]


def test_single_texts_of_a_data_set_can_be_batched_afterwards(preprocess):
    pairs = tf.data.Dataset.from_tensor_slices((TEXTS, TEXTS)).map(preprocess)

    assert pairs.element_spec["input_ids"].shape.as_list() == [10]
    (batch,) = pairs.batch(3)
    short = arrays(preprocess(TEXTS, TEXTS))
    assert arrays(batch) == short
    # As a data set that was made eagerly gives it.
    assert arrays(preprocess(tf.constant("bad")))[0] == [2, 15, 3, *[0] * 7]


@pytest.mark.parametrize(
    "given, problem",
    [
        ((["bad", None, 3.5],), "texts: received None at 1, 3.5 at 2; accepted: texts"),
        (
            (pd.DataFrame({"text": TEXTS}),),
            "texts: received DataFrame; accepted: a text, or a list, a column or an array of texts",
        ),
        ((TEXTS, ["bad"]), "pairs: received 1 with 3 texts; accepted: one for each text"),
        ((TEXTS, [1, 2, 3]), "pairs: received 1 at 0, 2 at 1, 3 at 2; accepted: texts"),
    ],
)
def test_what_is_no_text_is_named(preprocess, given, problem):
    with pytest.raises(UserError) as raised:
        preprocess(*given)
    assert raised.value.problems == [problem]
