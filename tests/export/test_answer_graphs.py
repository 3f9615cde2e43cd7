"""Graphs of a model that answers questions take token ids and say where answers begin and end."""

import numpy as np
import pytest
import tensorflow as tf

from tf_finetune.data.batch import text_rows
from tf_finetune.encoders.tokenizers import whole_texts
from tf_finetune.errors import UserError
from tf_finetune.export.formats import check_task, read_request
from tf_finetune.export.litert import LiteRtModel, convert
from tf_finetune.export.saved_model import ServableModel, write_saved_model
from tf_finetune.sources.records import Record
from tf_finetune.tasks.spans.spans import Spans

pytestmark = pytest.mark.numeric

LABELS = Spans()
CONTEXTS = ("the film was good, and the plot was dull", "the actors, bad and poor, or not")


@pytest.fixture(scope="module")
def classifier(build_trained):
    return build_trained(LABELS, encoder={"pooling": "second_text"})


@pytest.fixture(scope="module")
def rows(tiny_tokenizer):
    """Windows of two contexts, of several lengths."""
    records = [Record(1, "what was good?", context, None) for context in CONTEXTS]
    return list(Spans.rows(records, whole_texts(tiny_tokenizer.backend_tokenizer), 16))


@pytest.fixture(scope="module")
def inputs(rows, tiny_tokenizer):
    """The rows as one batch: -1 stands where a row has no more reads."""
    length, width = (max(len(getattr(row, name)) for row in rows) for name in ("ids", "reads"))
    found = {
        "token_ids": np.full((len(rows), length), tiny_tokenizer.pad_token_id, np.int32),
        "token_type_ids": np.zeros((len(rows), length), np.int32),
        "attention_mask": np.zeros((len(rows), length), np.int32),
        "reads": np.full((len(rows), width), -1, np.int32),
    }
    for place, row in enumerate(rows):
        found["token_ids"][place, : len(row.ids)] = row.ids
        found["token_type_ids"][place, : len(row.ids)] = row.types
        found["attention_mask"][place, : len(row.ids)] = 1
        found["reads"][place, : len(row.reads)] = row.reads
    assert (found["reads"] < 0).any() and len(rows) > 2
    return found


@pytest.fixture(scope="module")
def expected(classifier, rows, inputs):
    """Starts and ends by the model itself, each row alone."""
    found = np.zeros((*inputs["reads"].shape, 2), np.float32)
    for to, row in zip(found, rows, strict=True):
        ids, types, reads = (np.array([one], np.int32) for one in (row.ids, row.types, row.reads))
        alone = text_rows(ids, types, np.ones_like(ids), reads)
        to[: len(row.reads)] = classifier(alone, training=False)
    return found


def test_a_saved_model_gives_starts_and_ends(
    classifier, inputs, expected, tiny_tokenizer, tmp_path
):
    model = ServableModel(classifier, None, LABELS, pairs=True)
    write_saved_model(tmp_path, model, tiny_tokenizer, 32)

    signatures = tf.saved_model.load(str(tmp_path)).signatures
    found = signatures["serving_default"](**inputs)

    assert signatures.keys() == {"serving_default", "token_ids"}
    assert found.keys() == {"logits", "start_logits", "end_logits"}
    np.testing.assert_allclose(found["logits"], expected, atol=1e-5)
    np.testing.assert_allclose(found["start_logits"], expected[..., 0], atol=1e-5)
    np.testing.assert_allclose(found["end_logits"], expected[..., 1], atol=1e-5)
    requests = tmp_path / "assets.extra" / "tf_serving_warmup_requests"
    for record in tf.data.TFRecordDataset(str(requests)).as_numpy_iterator():
        assert b"reads" in record


def test_a_litert_file_takes_rows_of_any_length(classifier, inputs, expected):
    answer = LiteRtModel(*convert(classifier, LABELS, ["float32"]).values())

    np.testing.assert_allclose(answer(inputs), expected, atol=1e-5)
    last = int((inputs["reads"][-1] >= 0).sum())
    length = int(inputs["attention_mask"][-1].sum())
    alone = {name: value[-1:, :length] for name, value in inputs.items()}
    alone["reads"] = inputs["reads"][-1:, :last]
    np.testing.assert_allclose(answer(alone), expected[-1:, :last], atol=1e-5)


def test_smaller_models_are_refused():
    request = read_request("litert", "int8,static-int8", None, {"--distil": "2"})

    with pytest.raises(UserError, match="span model, whose answers are compared over a") as caught:
        check_task(request, LABELS)
    assert len(caught.value.problems) == 1
    check_task(read_request("litert", "int8,static-int8", None), LABELS)
