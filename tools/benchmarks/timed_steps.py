"""What programs that time training steps share: the model, and when each step ended."""

import time

import tf_keras

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.models.spec import spec_of
from tf_finetune.models.weights import Pretrained
from tf_finetune.options.freeze import FreezeConfig
from tf_finetune.options.training import TrainingConfig
from tf_finetune.tasks.table import unnamed_labels
from tf_finetune.training.compiling import build_fine_tuner
from tf_finetune.training.fine_tuner import FineTuner
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


def timed_model(
    files: EncoderFiles, outputs: int, seed: int, chosen: ChosenStrategy, depth: int = 0
) -> FineTuner:
    """A compiled classifier, frozen to a depth."""
    config = ExperimentConfig(
        freeze=FreezeConfig(depth=depth), training=TrainingConfig(learning_rate=5e-5, seed=seed)
    )
    spec = spec_of(config, files, unnamed_labels("single_label", outputs))
    return build_fine_tuner(spec, Pretrained(), chosen)
