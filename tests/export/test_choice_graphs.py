"""Graphs of choices take the text of each by itself and answer which is the likeliest."""

import numpy as np
import pytest
import tensorflow as tf

from tf_finetune.data.batch import text_rows
from tf_finetune.data.texts_of_rows import texts_of_rows
from tf_finetune.errors import UserError
from tf_finetune.export.formats import check_task, read_request
from tf_finetune.export.litert import LiteRtModel, convert
from tf_finetune.export.litert_inputs import split_tokens
from tf_finetune.export.saved_model import ServableModel, write_saved_model
from tf_finetune.tasks.choices import Choices
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.tags.tags import Tags

pytestmark = pytest.mark.numeric

LABELS = Choices(("0", "1", "2"))


@pytest.fixture(scope="module")
def classifier(build_trained):
    return build_trained(LABELS, encoder={"pooling": "choice"})


@pytest.fixture(scope="module")
def tokens():
    """Two examples of three texts, one of which is shorter."""
    ids = np.random.default_rng(0).integers(5, 60, (2, 3, 7), np.int32)
    mask = np.ones_like(ids)
    mask[0, 1, 4:] = 0
    return {"token_ids": ids, "token_type_ids": 0 * ids, "attention_mask": mask}


@pytest.fixture(scope="module")
def expected(classifier, tokens):
    rows = text_rows(*(tf.constant(value.reshape(6, 7)) for value in tokens.values()))
    return classifier(rows, training=False).numpy().reshape(2, 3)


def test_a_saved_model_names_the_likeliest_choice(
    classifier, tokens, expected, tiny_tokenizer, tmp_path
):
    model = ServableModel(classifier, None, LABELS, pairs=False)
    write_saved_model(tmp_path, model, tiny_tokenizer, 32)

    found = tf.saved_model.load(str(tmp_path)).signatures["serving_default"](**tokens)

    assert found.keys() == {"logits", "probabilities", "choice"}
    np.testing.assert_allclose(found["logits"], expected, atol=1e-5)
    np.testing.assert_array_equal(found["choice"], expected.argmax(axis=1))


def test_a_litert_file_takes_examples_of_any_length(classifier, tokens, expected):
    answer = LiteRtModel(*convert(classifier, LABELS, ["float32"]).values())

    np.testing.assert_allclose(answer(tokens), expected, atol=1e-5)
    first = {name: value[:1] for name, value in tokens.items()}
    np.testing.assert_allclose(answer(first), expected[:1], atol=1e-5)


class Rows:
    """A split of one row: texts of three and of two tokens."""

    task = Choices

    def gather(self, rows, pad_to):
        class Batch:
            token_ids = np.array([[7, 8, 9, 5, 6, 0]])
            token_type_ids = np.array([[0, 1, 1, 0, 1, 0]])
            attention_mask = np.array([[1, 1, 1, 1, 1, 0]])

        return Batch

    def texts_of_rows(self, rows, width):
        return texts_of_rows(np.array([[0, 3]]), np.array([5]), width)


def test_the_texts_of_a_row_are_parted():
    found = split_tokens(Rows(), np.array([0]))

    assert found["token_ids"].tolist() == [[[7, 8, 9], [5, 6, 0]]]
    assert found["token_type_ids"].tolist() == [[[0, 1, 1], [0, 1, 0]]]
    assert found["attention_mask"].tolist() == [[[1, 1, 1], [1, 1, 0]]]


def test_what_is_measured_on_single_texts_is_refused():
    request = read_request("litert", "int8,static-int8", None, {"--distil": "2"})

    with pytest.raises(UserError, match="multiple_choice model") as caught:
        check_task(request, LABELS)

    assert [p.split(":")[0].split(",")[0] for p in caught.value.problems] == [
        "--drop-layers",
        "--precisions",
    ]
    check_task(request, Classes(("a", "b")))
    check_task(request, Tags(("O", "B-a", "I-a")))
