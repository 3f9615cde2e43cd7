"""What a trained model is compared with, and what it is afterwards."""

import numpy as np
import pytest

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.evaluation.report import BEFORE
from tf_finetune.runs.scoring import score_splits, split_logits


def test_the_score_before_fine_tuning_is_that_of_the_untrained_weights(
    model, run, splits, training, cpu, weights
):
    options = training(epochs=2)
    config = ExperimentConfig(
        data={"max_length": 32},
        training=options.model_dump(),
        evaluation={"batch_size": 8, "explained_mistakes": 0},
    )
    model.classifier.reset(options.seed)
    untrained = split_logits(model, splits.test, config, cpu)
    result = run(model, options)
    trained = weights(model)

    report = score_splits(result, splits, config, cpu)["test"]

    before = splits.labels.score(splits.test.labels, untrained)
    assert report.baselines[BEFORE] == pytest.approx(before, rel=1e-6)
    assert report.metrics["loss"]["value"] < 0.99 * before["loss"]
    for path, value in weights(model).items():
        np.testing.assert_array_equal(value, trained[path], err_msg=path)
