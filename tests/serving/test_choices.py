"""A server of a model that chooses: its schema, its answers, and what it refuses."""

import numpy as np
import pytest

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.runs.outputs import Outputs
from tf_finetune.serving.loading import ServedModel
from tf_finetune.serving.reference import text_length
from tf_finetune.sources.records import Record
from tf_finetune.storage.run_directory import RunDirectory
from tf_finetune.tasks.choices import Choices

EXAMPLE = {"text": "Why?", "choices": ["no", "because", "so"]}


class Chooser:
    """Takes the longest choice."""

    labels = Choices(("0", "1", "2"))
    tokenizer = None

    @property
    def members(self):
        return [self]

    def outputs_of(self, records, batch_size, *, traced):
        logits = [[len(text) for text in one.choices] for one in records]
        return Outputs(records, (), np.array(logits, np.float32))


@pytest.fixture
def make_chooser(make_client, tmp_path):
    def make(pairs=False):
        data = {"task": "multiple_choice", "text_pair_column": "q" if pairs else None}
        config = ExperimentConfig.model_validate({"data": data})
        return make_client(ServedModel(RunDirectory(tmp_path), config, Chooser(), "first"))

    return make


def test_the_likeliest_choice_is_answered_with_its_text_and_all_probabilities(make_chooser):
    client = make_chooser()

    several = client.post("/predict", json={"texts": [EXAMPLE, {**EXAMPLE, "text": "Who?"}]})
    one = client.post("/predict", json={**EXAMPLE, "top_k": 2})

    assert several.status_code == one.status_code == 200
    first, second = several.json()["predictions"]
    assert first == second
    assert (first["choice"], first["choice_text"]) == (1, "because")
    assert sum(first["probabilities"].values()) == pytest.approx(1.0, abs=1e-5)
    assert list(one.json()["predictions"][0]["probabilities"]) == ["1", "0"]


def test_a_second_text_stands_beside_the_choices(make_chooser):
    client = make_chooser(pairs=True)

    whole = client.post("/predict", json={**EXAMPLE, "text_pair": "what for"})
    half = client.post("/predict", json=EXAMPLE)

    assert whole.json()["predictions"][0]["choice"] == 1
    assert half.status_code == 422
    assert "accepted: texts (a list), or text and text_pair and choices (one)" in half.text


def test_the_description_has_an_example_that_is_answered(make_chooser):
    client = make_chooser()
    schemas = client.get("/openapi.json").json()["components"]["schemas"]

    texts = schemas["PredictRequest"]["properties"]["texts"]
    assert texts["items"] == {"$ref": "#/components/schemas/TextWithChoices"}
    choices = schemas["TextWithChoices"]["properties"]["choices"]
    assert (choices["minItems"], choices["maxItems"]) == (3, 3)
    assert client.post("/predict", json={"texts": texts["examples"][0]}).status_code == 200
    assert set(schemas["Choice"]["properties"]) == {"choice", "choice_text", "probabilities"}
    assert client.get("/health").json()["labels"] == ["0", "1", "2"]


@pytest.mark.parametrize(
    "body",
    [
        {"texts": ["Why?"]},
        {"text": "Why?"},
        {**EXAMPLE, "choices": ["no", "because"]},
        {**EXAMPLE, "choices": ["no", "because", " "]},
        {**EXAMPLE, "choices": "because"},
        {**EXAMPLE, "top_k": 4},
        {**EXAMPLE, "texts": [EXAMPLE]},
        {**EXAMPLE, "choices": ["no", "because", "\ufeffso"]},
    ],
)
def test_what_is_no_question_with_its_choices_is_refused(make_chooser, body):
    assert make_chooser().post("/predict", json=body).status_code == 422


def test_choices_count_in_the_length_of_an_example():
    assert text_length(Record(1, "why", "so", None, choices=("a", "bc"))) == 8
