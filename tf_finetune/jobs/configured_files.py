"""The encoder of a configuration, read as its task reads it."""

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.encoders.locating import EncoderFiles, configured_encoder
from tf_finetune.tasks.table import TASKS


def configured_files(config: ExperimentConfig) -> EncoderFiles:
    """Finds the encoder; where the task is inferred from the data, as texts are read.

    Raises:
        UserError: It cannot be found, or the task reads something else than `encoder.pooling` says.
    """
    files = configured_encoder(config.encoder)
    task = config.data.task
    return files if task == "auto" else files.read_by(TASKS[task].pooling)
