"""What decides the answers of a prediction is told, so that no other one is gone on with."""

import pytest

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.prediction.job import describe_prediction


@pytest.fixture
def job(tmp_path):
    """What is told of a prediction with a model, some options and --top-k."""

    def describe(options=None, top_k=None, model="model"):
        manifest = tmp_path / "manifest.json"
        manifest.write_text(model)
        config = ExperimentConfig.model_validate(options or {})
        return describe_prediction(manifest, config, top_k)

    return describe


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("model", {"model": "another"}),
        ("--top-k", {"top_k": 2}),
        ("data.max_length", {"options": {"data": {"max_length": 64}}}),
        ("evaluation.batch_size", {"options": {"evaluation": {"batch_size": 7}}}),
        ("evaluation.threshold", {"options": {"evaluation": {"threshold": 0.3}}}),
        ("training.precision", {"options": {"training": {"precision": "mixed_bfloat16"}}}),
        ("training.strategy", {"options": {"training": {"strategy": "cpu"}}}),
    ],
)
def test_what_decides_the_answers_is_told(job, name, change):
    before, after = job(), job(**change)

    assert [n for n in after if before.get(n) != after[n]] == [name]


def test_options_of_the_training_alone_change_nothing(job):
    assert job({"training": {"learning_rate": 1e-4, "seed": 7}}) == job()
