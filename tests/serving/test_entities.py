"""A server of a model that finds entities: its schema, its answers, and what it watches."""

import numpy as np
import pytest

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.runs.outputs import Outputs
from tf_finetune.serving import reference
from tf_finetune.serving.loading import ServedModel
from tf_finetune.serving.reference import reference_of
from tf_finetune.sources.records import Record
from tf_finetune.storage.run_directory import RunDirectory
from tf_finetune.tasks.tags.tags import Tags
from tf_finetune.tasks.task_rows import TaskRow

NAMES = ("O", "B-city", "I-city", "B-name", "I-name")


class Finder:
    """Takes Rome for a city and Ann for a name."""

    labels = Tags(NAMES)
    tokenizer = None

    @property
    def members(self):
        return [self]

    def outputs_of(self, records, batch_size, *, traced):
        rows = [
            TaskRow(number, (), (), (0, len(one.spans)), 0, len(one.text))
            for number, one in enumerate(records)
        ]
        width = max(len(one.spans) for one in records)
        logits = np.zeros((len(records), width, len(NAMES)), np.float32)
        for of_row, one in zip(logits, records, strict=True):
            for word, (start, end) in enumerate(one.spans):
                tag = {"Rome": 1, "Ann": 3}.get(one.text[start:end], 0)
                of_row[word, tag] = 4.0
        return Outputs(records, rows, logits.reshape(len(records), -1))


@pytest.fixture
def tagger(tmp_path):
    config = ExperimentConfig.model_validate({"data": {"task": "token_classification"}})
    return ServedModel(RunDirectory(tmp_path), config, Finder(), "first")


def test_entities_are_answered_with_their_places(make_client, tagger):
    client = make_client(tagger)

    said = client.post("/predict", json={"texts": ["Ann, in Rome!", "nobody here at all"]})

    assert said.status_code == 200
    found, none = said.json()["predictions"]
    assert none == {"entities": []}
    name, city = found["entities"]
    assert (name["start"], name["end"], name["text"], name["label"]) == (0, 3, "Ann", "name")
    assert (city["start"], city["end"], city["text"], city["label"]) == (8, 12, "Rome", "city")
    assert 0.9 < city["probability"] < 1.0


def test_the_description_has_entities_and_no_likeliest_labels(make_client, tagger):
    client = make_client(tagger)
    api = client.get("/openapi.json").json()
    schemas = api["components"]["schemas"]

    request, answer = schemas["PredictRequest"]["properties"], schemas["FoundEntities"]
    assert "top_k" not in request
    assert request["texts"]["examples"] == [[Tags.sample]]
    assert answer["properties"]["entities"]["items"] == {"$ref": "#/components/schemas/FoundEntity"}
    assert set(schemas["FoundEntity"]["required"]) == {
        *("start", "end", "text", "label", "probability")
    }
    assert client.get("/health").json()["labels"] == ["city", "name"]
    assert client.post("/predict", json={"texts": ["a"], "top_k": 1}).status_code == 422


def test_a_text_that_the_task_cannot_read_is_refused(make_client, tagger):
    said = make_client(tagger).post("/predict", json={"texts": ["fine", "\ufeffRome"]})

    assert said.status_code == 422
    (problem,) = said.json()["detail"]
    assert "byte order mark" in problem["msg"] and "text 2" in problem["msg"]


def test_kinds_of_entities_are_watched(make_client, tagger):
    client = make_client(tagger)

    client.post("/predict", json={"texts": ["Ann, in Rome!", "Rome"]})

    told = client.get("/metrics").text
    assert 'label="city"} 2.0' in told and 'label="name"} 1.0' in told


class Held:
    """A split of texts of one word each."""

    def __init__(self, *words):
        self._words = words

    def __len__(self):
        return len(self._words)

    def records(self, chosen):
        return [Record(1, self._words[i], None, None, ((0, len(self._words[i])),)) for i in chosen]


def test_kinds_are_expected_as_held_out_texts_have_them(tagger, monkeypatch):
    splits = type("Splits", (), {"train": Held("a"), "test": Held(*"ab", "Rome", "Rome", "Ann")})
    monkeypatch.setattr(reference, "load_splits", lambda *arguments: (splits, None))

    found, unwatched = reference_of(tagger)

    assert found["label"].names == ("city", "name")
    assert found["label"].shares == pytest.approx((2 / 3, 1 / 3))
    assert set(found) == {"label", "confidence", "characters"} and unwatched == ""
