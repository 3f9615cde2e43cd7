"""Trains a model that was cut from another, or is taught by it, for a few epochs."""

from dataclasses import replace
from functools import partial

from rich.console import Console

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.loading import Splits
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.export.smaller.distillation import DistillationLoss
from tf_finetune.export.smaller.request import SmallerRequest
from tf_finetune.methods.full import Full
from tf_finetune.models.classifier import Classifier
from tf_finetune.models.spec import spec_of
from tf_finetune.models.weights import OfRun
from tf_finetune.options.freeze import FreezeConfig
from tf_finetune.prefix.of_a_run import cached_states
from tf_finetune.training.compiling import build_fine_tuner
from tf_finetune.training.fine_tuning import fine_tune
from tf_finetune.training.strategy import without_strategy

# What stands above the layers alone wants a far higher rate than layers do.
HEAD_RATE, LAYERS_RATE = 1e-3, 1e-4
_TEMPERATURE = 2.0


def student_config(request: SmallerRequest, config: ExperimentConfig) -> ExperimentConfig:
    """The configuration of the student's training: the run's, but for method, rate and epochs."""
    usual = LAYERS_RATE if request.distil else HEAD_RATE
    training = config.training.model_copy(
        update={
            "learning_rate": request.learning_rate or usual,
            "epochs": request.epochs,
            "solver": "steps",
            "early_stopping_patience": None,
        }
    )
    cache = config.cache
    if cache.mode in ("auto", "disk"):  # a model that nobody trains again leaves no states
        cache = cache.model_copy(update={"mode": "memory"})
    return config.model_copy(update={"method": Full(), "training": training, "cache": cache})


def train_student(
    files: EncoderFiles,
    request: SmallerRequest,
    config: ExperimentConfig,
    splits: Splits,
    teacher: Classifier,
    console: Console,
) -> Classifier:
    """Trains what is above a cut model's layers, or, taught by a teacher, all but the embeddings.

    What is not trained keeps its values, so that silenced heads stay silent.

    Args:
        files: The cut model's folder.
        request: What is wanted; its epochs are at least 1.
        config: From `student_config`.
        splits: The run's data; only the training split is used.
        teacher: The original.
        console: Where progress is shown.
    """
    labels = splits.labels
    chosen = without_strategy()
    loss_from = None
    if request.distil:
        loss_from = partial(
            DistillationLoss,
            teacher=teacher,
            teacher_weight=request.teacher_weight,
            temperature=request.temperature or _TEMPERATURE,
        )
    freeze = (
        FreezeConfig(embeddings=True) if request.distil else FreezeConfig(depth=files.num_layers)
    )
    spec = spec_of(config, files, labels, freeze=freeze)
    start = OfRun(labels.scale(splits.train.labels, centred=files.family.head_has_bias))
    model = build_fine_tuner(spec, start, chosen, loss_from)
    only_training = replace(splits, validation=None, test=None)
    states = {} if request.distil else cached_states(model, only_training, config, chosen, console)
    fine_tune(
        model,
        only_training,
        config.training,
        config.evaluation,
        max_length=config.data.max_length,
        chosen=chosen,
        states=states,
        console=console,
    )
    return model.classifier
