"""A threshold that is wanted needs a task, and examples to choose it on."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.errors import UserError
from tf_finetune.options.evaluation import EvaluationConfig
from tf_finetune.runs.threshold import chosen_threshold, with_threshold
from tf_finetune.tasks.several_classes import SeveralClasses
from tf_finetune.training.option_checks import check_options
from tf_finetune.training.run_result import RunResult

AUTO = ExperimentConfig(evaluation={"threshold": "auto"})


@pytest.fixture(scope="module")
def tagged(splits):
    """The tiny reviews as texts that have both labels, one or none."""
    both = SeveralClasses(("neg", "pos"))

    def several(split):
        targets = np.stack([split.labels == 0, split.labels == 1], axis=1).astype(np.float32)
        return replace(split, labels=targets)

    return replace(
        splits,
        labels=both,
        train=several(splits.train),
        validation=several(splits.validation),
        test=several(splits.test),
    )


def test_auto_needs_a_validation_split(tagged, training):
    without = replace(tagged, validation=None)

    check_options(training(), tagged, AUTO.evaluation)
    with pytest.raises(UserError, match=r"threshold: received auto, and there is no validation"):
        check_options(training(), without, AUTO.evaluation)
    check_options(training(), without, EvaluationConfig(threshold=0.3))


def test_a_threshold_for_one_label_is_refused_with_the_other_mistakes(splits, training):
    config = training(monitor="pearson")

    with pytest.raises(UserError) as caught:
        check_options(config, splits, EvaluationConfig(threshold=0.3))

    assert [p.split(":")[0] for p in caught.value.problems] == [
        "training.monitor",
        "evaluation.threshold",
    ]


def test_auto_chooses_on_the_validation_logits_that_are_there(tagged):
    logits = np.where(tagged.validation.labels > 0, -1.0, -3.0).astype(np.float32)
    result = RunResult(SimpleNamespace(), [], 1, 1, 0.0, 0.0, 1, None, 1, logits)

    kept, decided = chosen_threshold(result, tagged, AUTO, None)

    assert decided.labels == replace(tagged.labels, threshold=0.2)  # between 0.05 and 0.27
    assert kept.validation_logits is logits
    assert chosen_threshold(result, tagged, ExperimentConfig(), None) == (result, tagged)


def test_auto_chooses_on_answers_out_of_fold_where_there_are_folds(tagged):
    train = tagged.train
    folded = replace(tagged, validation=None, folds=np.arange(len(train)) % 2)
    seen, out_of_fold = (
        np.where(train.labels > 0, high, -3.0).astype(np.float32) for high in (3.0, -1.0)
    )
    result = RunResult(SimpleNamespace(), [], 1, 1, 0.0, 0.0, 1, None, 1, seen)

    kept, decided = chosen_threshold(result, folded, AUTO, None, out_of_fold)

    assert decided.labels.threshold == 0.2  # 0.5 would be that of the texts it was trained on
    assert kept is result


def test_a_number_decides_from_the_start_and_auto_as_one_half(tagged):
    assert with_threshold(tagged, 0.3).labels.threshold == 0.3
    assert with_threshold(tagged, "auto").labels == tagged.labels
