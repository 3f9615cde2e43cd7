"""The model card tells what the model is, and its metadata are those of the hub."""

import json
import shlex

import pytest
from huggingface_hub import ModelCard

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.config.loading import load_config
from tf_finetune.errors import UserError
from tf_finetune.export.model_card import (
    RunRecord,
    read_record,
    training_command,
    write_model_card,
)
from tf_finetune.plans.freezing import FreezePlan, PlanRow
from tf_finetune.storage.run_directory import RunDirectory


def estimate(value):
    return {"value": value, "low": value - 0.05, "high": value + 0.05}


def record(**changes):
    config = ExperimentConfig(
        data={"train": "/home/me/secret project/reviews.csv", "task": "single_label"},
        encoder={"name": "google-bert/bert-base-uncased"},
        freeze={"depth": 1},
    )
    rows = (
        PlanRow("bert/embeddings/word", "embeddings", frozenset(), 600, False, "freeze.depth=1"),
        PlanRow(
            "bert/encoder/layer_._0/x", "attention", frozenset({0}), 300, False, "freeze.depth=1"
        ),
        PlanRow("classifier/kernel", "head", frozenset(), 100, True, "trains by default"),
    )
    split = {
        "name": "train",
        "source": "/home/me/secret project/reviews.csv",
        "rows": 1234,
        "class_counts": [1000, 234],
        "length_p50": 20,
        "length_p99": 64,
        "truncated_share": 0.25,
    }
    fields = {
        "config": config,
        "plan": FreezePlan(rows, 1),
        "reports": {
            "test": {
                "split": "test",
                "task": "single_label",
                "n": 456,
                "confidence": 0.9,
                "metrics": {"accuracy": estimate(0.9), "loss": estimate(0.3)},
                "baselines": {"majority_class": {"accuracy": 0.8, "loss": 0.5}},
            }
        },
        "data": {
            "task": "single_label",
            "label_names": ["a|b", "<i>*c*"],
            "splits": [split],
            "warnings": ["train: 25% of the texts were cut"],
        },
        "created": "23 November 2026, 21:12",
        "versions": {"tensorflow": "2.20.0"},
    }
    return RunRecord(**(fields | changes))


def _texts(names):
    return {str(index): name for index, name in names.items()}


@pytest.fixture
def card(tmp_path):
    def write(found, *, is_adapter=False, **model_config):
        names = dict(enumerate(found.data["label_names"]))
        usual = {"architectures": ["BertForSequenceClassification"], "id2label": _texts(names)}
        model_config = usual | model_config
        path = tmp_path / "README.md"
        write_model_card(path, found, model_config, max_length=64, is_adapter=is_adapter)
        return ModelCard.load(tmp_path / "README.md")

    return write


def test_metadata_hold_scores_and_encoder(card):
    data = card(record()).data

    assert data.base_model == "google-bert/bert-base-uncased"
    assert (data.library_name, data.pipeline_tag) == ("transformers", "text-classification")
    (result,) = data.eval_results
    assert (result.metric_type, result.metric_value) == ("accuracy", 0.9)
    assert (result.dataset_name, result.dataset_split) == ("reviews.csv", "test")


def test_text_tells_scores_data_plan_and_command(card):
    text = card(record()).text

    assert "Test accuracy 0.900 (90 % interval 0.850 to 0.950)" in text
    assert "| accuracy | 0.900 | 0.850 to 0.950 | 0.800 |" in text
    assert "| train | reviews.csv | 1,234 | 20 | 64 | 25% |" in text
    assert "* train: 25% of the texts were cut" in text
    assert "100 of 1,000 parameters; frozen depth 1 of 1" in text
    assert "| head | 100 | 100 | trains by default |" in text
    assert "freeze.depth=1" in text and "tensorflow 2.20.0" in text


def test_of_a_shorter_encoder_the_text_tells_how_many_layers_there_are(card):
    def text(layers):
        encoder = ExperimentConfig(encoder={"name": "org/base", "layers": layers})
        return card(record(config=encoder)).text

    assert "fine-tuned with tf-finetune from\nthe first 4 layers of org/base to tell" in text(4)
    assert "from\nthe first layer of org/base" in text(1)
    assert "from\norg/base to tell" in text(None)


def test_a_head_that_the_library_lacks_is_shown_in_code(card):
    text = card(record(), text_pooling="max", model_type="bert").text

    assert "The head reads the largest of all tokens, straight and without the pooler" in text
    assert 'read = states.masked_fill(mask[..., None] == 0, float("-inf")).amax(1)' in text
    assert 'head["classifier.weight"], head.get("classifier.bias")' in text
    compile(text.split("```python\n")[1].split("```")[0], "card", "exec")
    assert "AutoModelForSequenceClassification" not in text
    assert "AutoModelForSequenceClassification" in card(record()).text


@pytest.mark.parametrize("pooled", [{}, {"text_pooling": "mean", "model_type": "bert"}])
def test_an_adapter_is_shown_beside_its_encoder(pooled, card):
    found = card(record(), is_adapter=True, **pooled)

    assert found.data.library_name == "peft"
    code = found.text.split("```python\n")[1].split("```")[0]
    compile(code, "card", "exec")
    assert "from_pretrained(base, config=" in code and "PeftModel.from_pretrained(" in code
    assert ("head.safetensors" in code) == bool(pooled)


def test_the_threshold_is_that_of_the_model(card):
    several = record(data=record().data | {"task": "multi_label"})

    assert "applies where its probability is above 0.37" in card(several, label_threshold=0.37).text
    assert "applies where its probability is above 0.5" in card(several).text


def test_names_of_classes_cannot_break_the_page(card):
    text = card(record()).text

    assert r"| a\|b | 1,000 |" in text
    assert r"\<i\>\*c\*" in text and "<i>" not in text


def test_folders_of_the_user_are_left_out(card):
    content = str(card(record()))

    assert "secret" not in content and "/home" not in content


def test_model_without_scores_says_so(card):
    found = card(record(reports={}))

    assert "There were no examples to score the model on" in found.text
    assert found.data.eval_results is None


def test_regression_has_no_classes(card):
    data = {"task": "regression", "label_names": [], "splits": [], "warnings": []}

    text = card(record(reports={}, data=data)).text

    assert "The one output is the predicted number." in text and "softmax" not in text


def test_command_tells_of_a_method_what_is_not_as_usual_for_it():
    command = training_command(ExperimentConfig(method={"name": "lora", "rank": 4}))

    assert command.split(" \\\n    ")[1:] == ["method.name=lora", "method.rank=4"]


def test_command_gives_the_same_configuration_again():
    config = load_config(
        None,
        [
            "data.train=reviews.csv",
            "data.label_names=[yes, 'no, maybe', 'null']",
            "data.text_column=null-ish 'quoted'",
            "data.label_separator=;",
            "freeze.rules=[{train: false, layers: 0-1}]",
            "training.class_weights={yes: 2.0}",
            "training.early_stopping_patience=3",
        ],
    )

    words = shlex.split(training_command(config).replace("\\\n", " "))

    assert words[:2] == ["tf-finetune", "train"]
    assert load_config(None, words[2:]) == config


@pytest.mark.parametrize("name", ["plan.json", "report.json", "evaluation.json"])
def test_missing_file_of_the_run_is_named(tmp_path, name):
    contents = {
        "plan.json": {"rows": [], "num_layers": 1},
        "report.json": {"data": {}, "created": "", "versions": {}},
        "evaluation.json": {},
    }
    for other, content in contents.items():
        (tmp_path / other).write_text(json.dumps(content))
    assert read_record(RunDirectory(tmp_path), ExperimentConfig()).plan.rows == ()

    (tmp_path / name).write_text("{")
    with pytest.raises(UserError, match=rf"{name}: damaged"):
        read_record(RunDirectory(tmp_path), ExperimentConfig())
    (tmp_path / name).unlink()
    with pytest.raises(UserError, match=rf"{name}: missing"):
        read_record(RunDirectory(tmp_path), ExperimentConfig())


def test_card_of_a_search_tells_of_the_chosen_cell_and_the_single_model(tmp_path):
    (tmp_path / "plan.json").write_text('{"rows": [], "num_layers": 1}')
    (tmp_path / "report.json").write_text('{"data": {}, "created": "", "versions": {}}')
    reports = {"test": {"n": 1}, "validation": {"models": 1}, "ensemble-test": {"models": 3}}
    (tmp_path / "evaluation.json").write_text(json.dumps(reports))
    (tmp_path / "chosen.yaml").write_text("freeze:\n  depth: 3\n")

    found = read_record(RunDirectory(tmp_path), ExperimentConfig())

    assert found.config.freeze.depth == 3
    assert list(found.reports) == ["test", "validation"]


def test_tags_are_asked_for_with_the_library_s_pipeline(card):
    data = {"task": "token_classification", "label_names": ["film"]}
    found = record(reports={}, data=record().data | data)
    names = _texts({0: "O", 1: "B-film", 2: "I-film"})
    said = {"text_pooling": "words", "model_type": "bert", "id2label": names}
    said |= {"architectures": ["BertForTokenClassification"]}

    for is_adapter in (False, True):
        written = card(found, is_adapter=is_adapter, **said)
        code = written.text.split("```python\n")[1].split("```")[0]
        compile(code, "card", "exec")

        assert written.data.pipeline_tag == "token-classification"
        assert "AutoModelForTokenClassification.from_pretrained(" in code
        assert ("PeftModel" in code) == is_adapter
        assert 'pipeline("token-classification"' in code
        assert "each word's logits; output i is tag i of\nO, B-film, I-film." in written.text
        assert "Entities of each kind:\n\n| kind |" in written.text
        assert "read in overlapping windows" in written.text


def test_markers_of_relations_are_told(card):
    data = {"task": "relation", "label_names": ["Cause-Effect(e1,e2)", "Other"]}

    text = card(record(reports={}, data=record().data | data)).text

    assert "`The $ singer $ caused a # commotion # .`" in text
    assert "AutoModelForSequenceClassification" in text


def test_choices_are_shown_side_by_side(card):
    data = {"task": "multiple_choice", "label_names": ["0", "1"]}
    said = {"text_pooling": "choice", "model_type": "bert"}
    said |= {"architectures": ["BertForMultipleChoice"]}

    written = card(record(reports={}, data=record().data | data), **said)

    code = written.text.split("```python\n")[1].split("```")[0]
    compile(code, "card", "exec")
    assert "AutoModelForMultipleChoice.from_pretrained(" in code
    assert '["choice 0", "choice 1"]' in code and "value[None]" in code
    assert written.data.pipeline_tag == "multiple-choice"
    assert "softmax of the logits of an example's choices, choice 0 first." in written.text
