"""The sentence says which of the two is better, by how much, and what it costs."""

import dataclasses

import pytest

from tf_finetune.evaluation.report import EvaluationReport
from tf_finetune.export.quality_loss import QualityLoss
from tf_finetune.options.evaluation import EvaluationConfig
from tf_finetune.searches.answer.ensemble_result import EnsembleResult
from tf_finetune.tasks.classes import Classes

BETTER = QualityLoss("accuracy", 0.85, 0.875, -0.025, -0.05, 0.01, 0.9, (0.8, 0.95), 1.0)


def result(difference):
    interval = {"value": difference.value, "low": 0.8, "high": 0.9}
    report = EvaluationReport(
        "ensemble-test",
        *("single_label", 40, EvaluationConfig().confidence, {"accuracy": interval}),
        *({}, (), None, ()),
        models=3,
    )
    labels = Classes(("a", "b"))
    return EnsembleResult((0, 1, 2), labels, {"ensemble-test": report}, "test", difference)


@pytest.mark.parametrize(
    ("difference", "said"),
    [
        (BETTER, "0.0250 more (95 % interval -0.0100 to 0.0500)"),
        (
            dataclasses.replace(BETTER, value=0.83, loss=0.02, low=-0.01, high=0.05),
            "0.0200 less (95 % interval -0.0100 to 0.0500)",
        ),
    ],
)
def test_difference_is_said_in_the_direction_in_which_it_is(difference, said):
    sentence = result(difference).sentence()

    assert sentence == (
        f"The ensemble of 3 seeds has accuracy {difference.value:.4f} on the test split (0.8000 to "
        f"0.9000), the single model 0.8500: {said}. An answer takes 3 times as long."
    )
    assert result(difference).to_dict()["threshold"] is None
