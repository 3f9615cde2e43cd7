"""Training: strategy, pipeline, the Keras step, and `fine_tune`, which runs them."""

from tf_finetune.training.fine_tuning import (
    GiveUpRule,
    Outputs,
    RunResult,
    check_options,
    compile_fine_tuner,
    evaluation_shape,
    fine_tune,
    training_shape,
)
from tf_finetune.training.job_description import describe_job, job_digest
from tf_finetune.training.multi_worker import MEETING_SECONDS
from tf_finetune.training.pipeline import BatchShape
from tf_finetune.training.prediction import predict_logits
from tf_finetune.training.rounds import TrainedRounds, train_rounds, without_early_stopping
from tf_finetune.training.strategy import ChosenStrategy, build_strategy

__all__ = [
    "MEETING_SECONDS",
    "BatchShape",
    "ChosenStrategy",
    "GiveUpRule",
    "Outputs",
    "RunResult",
    "TrainedRounds",
    "build_strategy",
    "check_options",
    "compile_fine_tuner",
    "describe_job",
    "evaluation_shape",
    "fine_tune",
    "job_digest",
    "predict_logits",
    "train_rounds",
    "training_shape",
    "without_early_stopping",
]
