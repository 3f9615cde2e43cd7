"""A server of a model that answers questions: its schema, its answers, and what it watches."""

import numpy as np
import pytest

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.runs.outputs import Outputs
from tf_finetune.serving.loading import ServedModel
from tf_finetune.storage.run_directory import RunDirectory
from tf_finetune.tasks.spans.spans import Spans
from tf_finetune.tasks.task_rows import TaskRow

CONTEXT = "Ann lives in Rome now"


class Reader:
    """Takes the capitalised word that is not asked for as the answer, and else finds none."""

    tokenizer = None

    def __init__(self, labels):
        self.labels = labels

    @property
    def members(self):
        return [self]

    def outputs_of(self, records, batch_size, *, traced):
        rows, outputs = [], []
        for number, one in enumerate(records):
            places = [(m, m + len(w)) for w, m in words(one.text_pair)]
            reads = range(len(places) + 1)
            rows.append(
                TaskRow(number, (), reads, (0, len(places)), 0, len(one.text_pair), spans=places)
            )
            by_read = np.full((40, 2), -2.0)
            by_read[0] = 1.0
            by_read[len(reads) :] = 0.0
            for read, (start, end) in enumerate(places, 1):
                word = one.text_pair[start:end]
                by_read[read] = 4.0 if word.istitle() and word not in one.text else -2.0
            outputs.append(by_read)
        return Outputs(records, rows, np.stack(outputs).reshape(len(records), -1))


def words(text):
    at = 0
    for word in text.split():
        at = text.index(word, at)
        yield word, at
        at += len(word)


@pytest.fixture
def reader(tmp_path):
    config = ExperimentConfig.model_validate(
        {"data": {"task": "span", "text_column": "question", "text_pair_column": "context"}}
    )

    def make(**labels):
        return ServedModel(RunDirectory(tmp_path), config, Reader(Spans(**labels)), "first")

    return make


def test_questions_are_answered_with_places_in_their_contexts(make_client, reader):
    client = make_client(reader())
    asked = [
        {"question": "Where does Ann live?", "context": CONTEXT},
        {"question": "Who lives in Rome?", "context": CONTEXT},
    ]

    said = client.post("/predict", json={"texts": asked})

    assert said.status_code == 200
    where, who = said.json()["predictions"]
    assert (where["answer"], where["start"], where["end"]) == ("Rome", 13, 17)
    assert (who["answer"], who["start"], who["end"]) == ("Ann", 0, 3)
    assert where["answers"][0] == {
        "start": 13,
        "end": 17,
        "text": "Rome",
        "probability": where["probability"],
    }
    assert len(where["answers"]) == 3
    # A model whose questions all have an answer says nothing of none, as predict does.
    assert set(where) == {"answer", "start", "end", "probability", "answers"}


def test_one_question_is_asked_by_its_names_alone(make_client, reader):
    client = make_client(reader())
    alone = {"question": "Where does Ann live?", "context": CONTEXT}

    one = client.post("/predict", json={**alone, "top_k": 1}).json()["predictions"]

    assert [len(answer["answers"]) for answer in one] == [1]
    half = client.post("/predict", json={"question": "Where?"})
    assert half.status_code == 422
    assert "accepted: texts (a list), or question and context (one)" in half.text
    assert client.post("/predict", json={"text": "a", "text_pair": "b"}).status_code == 422
    assert client.post("/predict", json={**alone, "top_k": 101}).status_code == 422


def test_a_question_may_have_no_answer(make_client, reader):
    client = make_client(reader(no_answer_threshold=0.5))
    asked = {"question": "Where does Ann live?", "context": "nobody knows"}

    (none,) = client.post("/predict", json=asked).json()["predictions"]

    assert (none["answer"], none["start"], none["end"]) == (None, None, None)
    assert none["probability"] == none["no_answer_probability"] > 0.5
    assert none["answers"][0]["text"] in "nobody knows"
    assert client.get("/health").json()["threshold"] == 0.5


def test_the_description_names_questions_and_contexts(make_client, reader):
    api = make_client(reader()).get("/openapi.json").json()

    schemas = api["components"]["schemas"]
    request = schemas["PredictRequest"]
    assert set(request["properties"]) == {"texts", "question", "context", "top_k"}
    assert request["oneOf"] == [{"required": ["texts"]}, {"required": ["question", "context"]}]
    assert schemas["TextPair"]["required"] == ["question", "context"]
    (sample,) = request["properties"]["texts"]["examples"][0]
    assert sample["context"].startswith("Rome")
    assert schemas["PredictResponse"]["properties"]["predictions"]["items"] == {
        "$ref": "#/components/schemas/FoundAnswer"
    }


def test_a_mark_that_would_move_places_is_refused(make_client, reader):
    asked = {"question": "Where?", "context": "\ufeffAnn lives in Rome"}

    said = make_client(reader()).post("/predict", json=asked)

    assert said.status_code == 422
    (problem,) = said.json()["detail"]
    assert "context begins with a byte order mark" in problem["msg"] and "text 1" in problem["msg"]


def test_sureness_is_watched(make_client, reader):
    client = make_client(reader())
    client.post("/predict", json={"question": "Where does Ann live?", "context": CONTEXT})

    assert "tf_finetune_confidence_count 1.0" in client.get("/metrics").text
