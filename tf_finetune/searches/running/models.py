"""Compiled models that serve trial after trial, so that a depth is traced only once."""

import gc
import json
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.machine.memory import host_bytes
from tf_finetune.models.spec import Spec, spec_of
from tf_finetune.models.weights import pretrained
from tf_finetune.options.marks import Mark
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.training.compiling import build_fine_tuner
from tf_finetune.training.fine_tuner import FineTuner
from tf_finetune.training.strategy import ChosenStrategy

_ACCELERATOR_BYTES = 2 << 30


@dataclass(frozen=True)
class CompiledModel:
    """A model for one freeze plan.

    Attributes:
        model: Compiled; its weights are those of its last run.
        spec: What it is.
        bytes: Of its variables and its optimiser's.
    """

    model: FineTuner
    spec: Spec
    bytes: int


class ModelCache:
    """Builds models and keeps those that were used last.

    Args:
        files: The encoder.
        labels: What the outputs are.
        chosen: The devices.
        max_bytes: How much the variables of all kept models may take; None: a quarter of the
            machine's memory, or 2 GiB on a GPU or TPU. One model is always kept.
    """

    def __init__(
        self,
        files: EncoderFiles,
        labels: LabelSpace,
        chosen: ChosenStrategy,
        max_bytes: int | None = None,
    ):
        self._files = files
        self._labels = labels
        self._chosen = chosen
        self._max_bytes = _default_bytes() if max_bytes is None else max_bytes
        self._models: OrderedDict[str, CompiledModel] = OrderedDict()

    def get(self, config: ExperimentConfig, train_targets: np.ndarray) -> CompiledModel:
        """The model of a trial's configuration; its weights are not reset.

        Args:
            config: The configuration.
            train_targets: Encoded labels of what it will be trained on, whose scale it takes.
        """
        key = _key(config)
        if key not in self._models:
            # Room is made before, so that the limit holds while it is built: as much as the
            # largest one takes.
            self._drop_oldest(needed=max((m.bytes for m in self._models.values()), default=0))
            self._models[key] = self._build(config, train_targets)
            self._drop_oldest(needed=0)
        self._models.move_to_end(key)
        classifier = self._models[key].model.classifier
        centred = classifier.files.family.head_has_bias
        classifier.rescale(self._labels.scale(train_targets, centred=centred))
        return self._models[key]

    @property
    def bytes(self) -> int:
        """Of all models that are kept."""
        return sum(model.bytes for model in self._models.values())

    def keep_only(self, config: ExperimentConfig) -> None:
        """Drops every model but that of a configuration, if it is kept.

        Args:
            config: The configuration.
        """
        for key in [key for key in self._models if key != _key(config)]:
            del self._models[key]
        gc.collect()

    def clear(self) -> None:
        """Drops every model, such as after memory ran out."""
        self._models.clear()
        gc.collect()

    def _drop_oldest(self, needed: int) -> None:
        dropped = False
        keep = 0 if needed else 1
        while len(self._models) > keep and self.bytes + needed > self._max_bytes:
            self._models.popitem(last=False)
            dropped = True
        if dropped:
            gc.collect()  # a Keras model is a web of cycles

    def _build(self, config: ExperimentConfig, train_targets: np.ndarray) -> CompiledModel:
        files = self._files.configured(config.encoder)
        spec = spec_of(config, files, self._labels)
        start = pretrained(files, self._labels, train_targets)
        model = build_fine_tuner(spec, start, self._chosen)
        held = [*model.classifier.by_path.values(), *model.optimizer_state.optimizer.variables]
        return CompiledModel(model, spec, sum(_bytes(variable) for variable in held))


def _key(config: ExperimentConfig) -> str:
    """Equal for configurations that one model serves."""
    return json.dumps(config.marked(Mark.STEP), sort_keys=True)


def _bytes(variable: tf.Variable) -> int:
    return int(variable.shape.num_elements() * variable.dtype.size)


def _default_bytes() -> int:
    on_accelerator = any(tf.config.list_logical_devices(kind) for kind in ("GPU", "TPU"))
    return _ACCELERATOR_BYTES if on_accelerator else host_bytes() // 4
