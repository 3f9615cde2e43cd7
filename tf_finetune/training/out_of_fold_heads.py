"""Answers to each example by an exact head that was solved without its fold.

The encoder is computed once; only heads are trained, one a fold.
"""

from dataclasses import replace

import numpy as np

from tf_finetune.data.read_vectors import ReadVectors
from tf_finetune.data.splits import Split
from tf_finetune.machine import interruption
from tf_finetune.options.training import TrainingConfig
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.training.fine_tuner import FineTuner
from tf_finetune.training.head_choice import choose_penalty, inner_folds
from tf_finetune.training.head_path import HeadProblem, solve_path
from tf_finetune.training.pipeline import BatchShape
from tf_finetune.training.split_logits import split_vectors


def out_of_fold_logits(
    model: FineTuner, split: Split, labels: LabelSpace, config: TrainingConfig, shape: BatchShape
) -> np.ndarray:
    """Logits of every example, each by a head that has not seen it, float32 [n, r * labels].

    Equal texts are in one fold, so none is answered by a head that knows it from elsewhere.

    Args:
        model: Its encoder gives the states; its head is of no matter.
        split: The examples.
        labels: What their labels mean; the task has an exact head.
        config: Class weights, smoothing and the middle of the penalties are taken from it.
        shape: How batches are cut.

    Raises:
        Interrupted: A signal came in a region of `interruption.deferred`.
    """
    vectors = ReadVectors(split_vectors(model, split, shape), split.is_read)
    has_bias = model.classifier.files.family.head_has_bias
    problem = HeadProblem.of(vectors, split.labels, labels, config, has_bias=has_bias)
    folds = inner_folds(split, labels)
    choice = choose_penalty(problem, folds, config.weight_decay)
    if len(choice.asked) == len(split):
        return choice.answers
    answers = np.empty((len(split), choice.answers.shape[1]), np.float32)
    for fold in range(int(folds.max()) + 1):
        interruption.check()
        held = folds == fold
        weights = problem.weights * problem.by_vector(~held)
        (head,) = solve_path(replace(problem, weights=weights), (choice.penalty,))
        answers[held] = problem.answers(head, held)
    return answers
