"""What programs that time training steps share: the model, and when each step ended."""

import time

import tf_keras

from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.models.classifier import build_classifier
from tf_finetune.options.freeze import FreezeConfig
from tf_finetune.options.training import TrainingConfig
from tf_finetune.plans.freezing import plan_freezing
from tf_finetune.training.fine_tuner import FineTuner
from tf_finetune.training.fine_tuning import compile_fine_tuner
from tf_finetune.training.strategy import ChosenStrategy

BATCH_SIZE = 32
WARM_UP = 2  # the first steps are traced


class StepTimer(tf_keras.callbacks.Callback):
    """Notes when each step ended."""

    def __init__(self) -> None:
        super().__init__()
        self.ended: list[float] = []

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        """Notes the time."""
        self.ended.append(time.perf_counter())


def full_model(files: EncoderFiles, outputs: int, seed: int, chosen: ChosenStrategy) -> FineTuner:
    """A compiled classifier of which every layer trains."""
    variables = files.family.variables(files.config, outputs)
    plan = plan_freezing(FreezeConfig(depth=0), variables)
    with chosen.strategy.scope():
        classifier, _ = build_classifier(files, plan, outputs, seed=seed)
        return compile_fine_tuner(classifier, "single_label", TrainingConfig(seed=seed))
