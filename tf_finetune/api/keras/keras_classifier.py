"""A `tf_keras.Model` around what this package computes, for Keras' own `compile` and `fit`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from tf_finetune.api.keras.keras_options import Described, described
from tf_finetune.api.keras.preprocessing import INPUTS, Preprocessing
from tf_finetune.api.keras.task_loss import TaskLoss
from tf_finetune.api.keras_run import write_run
from tf_finetune.api.options import as_written
from tf_finetune.data.batch import text_rows
from tf_finetune.encoders.dropout import dropout_position
from tf_finetune.encoders.tokenizers import load_tokenizer
from tf_finetune.errors import UserError
from tf_finetune.models.building import build
from tf_finetune.models.classifier import Classifier
from tf_finetune.models.spec import Spec
from tf_finetune.runs.model_folder import write_model_folder
from tf_finetune.tasks.labels import LabelSpace


@tf_keras.saving.register_keras_serializable("tf_finetune")
class KerasClassifier(tf_keras.Model):
    """An encoder with a frozen prefix and a head, which Keras itself trains.

    It takes what `preprocess` gives, a dictionary of `input_ids`, `attention_mask` and, where
    there are pairs, `token_type_ids`, all int32 [b, t], and answers with logits, float32
    [b, labels]; of a regression with numbers, [b, 1].

    What the plan freezes runs in inference mode and is not among `trainable_weights`. Dropout
    above it is a function of the seed, of how often the model was called in training, and of the
    place of a text in its batch, as in a run of this package; so replicas that share a batch
    evenly drop together what one device drops.

    Args:
        classifier: The model, built and filled in the current strategy's scope.
        spec: What it is.
        tokenizer: The encoder's.
        keywords: By which `keras_model` makes the same model again.

    Attributes:
        classifier: What computes.
        steps_trained: How often the model was called in training, [] int64; saved with the
            weights and not among them.
    """

    def __init__(
        self,
        classifier: Classifier,
        spec: Spec,
        tokenizer: Any,
        keywords: Mapping[str, Any],
    ):
        # The dtype lets compile scale the loss under mixed_float16.
        super().__init__(name="keras_classifier", dtype=spec.config.training.precision)
        self.classifier = classifier
        self.spec = spec
        self.tokenizer = tokenizer
        self._keywords = MappingProxyType(dict(keywords))  # Keras would track a dictionary
        self.steps_trained = tf.Variable(
            0,
            trainable=False,
            dtype=tf.int64,
            name="steps_trained",
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )
        self._preprocessing = Preprocessing(tokenizer, spec.files, spec.config.data.max_length)
        _leave_saving_to(classifier)
        # Every variable is there; Keras would count none before the first call.
        self.built = classifier.built = True

    @classmethod
    def of(cls, keywords: Mapping[str, Any], found: Described) -> "KerasClassifier":
        """Makes the model in the current strategy's scope.

        Args:
            keywords: Those of `keras_model`.
            found: What they describe.
        """
        tokenizer = load_tokenizer(found.spec.files)
        return cls(build(found.spec, found.weights), found.spec, tokenizer, keywords)

    @property
    def labels(self) -> LabelSpace:
        """What the outputs mean; names are numbers where none were given."""
        return self.spec.labels

    @tf.autograph.experimental.do_not_convert
    def call(self, inputs: Mapping[str, tf.Tensor], training: bool | None = None) -> tf.Tensor:
        """Logits, float32 [b, labels].

        Args:
            inputs: As `preprocess` gives them.
            training: Whether dropout is on above the frozen depth; that call counts as a step.

        Raises:
            UserError: They are something else, such as the texts themselves.
        """
        if not isinstance(inputs, Mapping) or not {"input_ids", "attention_mask"} <= inputs.keys():
            received = type(inputs).__name__
            if isinstance(inputs, Mapping):
                received = f"a dictionary of {', '.join(map(str, inputs))}"
            raise UserError(f"inputs: received {received}; accepted: what model.preprocess gives")
        ids = tf.cast(inputs["input_ids"], tf.int32)
        mask = tf.cast(inputs["attention_mask"], tf.int32)
        types = tf.cast(inputs.get("token_type_ids", tf.zeros_like(ids)), tf.int32)
        rows = text_rows(ids, types, mask)
        if not training:
            return self.classifier(rows, training=False)
        with dropout_position(self._next_position(tf.shape(ids, out_type=tf.int64)[0])):
            return self.classifier(rows, training=True)

    def _next_position(self, rows: tf.Tensor) -> tf.Tensor:
        """Where a forward pass over so many rows of a replica stands; see `dropout_position`."""
        replicas = tf.distribute.get_replica_context()
        replica = 0 if replicas is None else replicas.replica_id_in_sync_group
        step = tf.identity(self.steps_trained)
        self.steps_trained.assign_add(1)
        seed = tf.constant(self.spec.config.training.seed, tf.int64)
        return tf.stack([seed, step, tf.cast(replica, tf.int64) * rows])

    @property
    def trainable_weights(self) -> list[tf.Variable]:
        """What the plan trains, in forward order."""
        return self.classifier.trainable_weights if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[tf.Variable]:
        """What the plan freezes, in forward order."""
        trained = {variable.ref() for variable in self.trainable_weights}
        return [v for v in self.classifier.by_path.values() if v.ref() not in trained]

    @property
    def weights(self) -> list[tf.Variable]:
        """Both."""
        return self.classifier.weights

    @tf.autograph.experimental.do_not_convert
    def preprocess(self, texts: Any, pairs: Any = None) -> dict[str, Any]:
        """Texts as the model takes them; also inside `tf.data.Dataset.map`.

        Args:
            texts: A text; a list, a column or an array of texts; or a string tensor.
            pairs: The second text of each, where the model judges pairs.

        Returns:
            `input_ids`, `attention_mask` and `token_type_ids`, int32 [n, t], padded to the longest
            text. Of a scalar string tensor, as a data set that is not batched yet gives it,
            int32 [t], padded to `max_length`, so that they can be batched afterwards.

        Raises:
            UserError: Something is no text, there are not as many pairs as texts, or the encoder
                takes no pairs.
        """
        return self._preprocessing(texts, pairs)

    def task_loss(self, label_smoothing: float = 0.0) -> TaskLoss:
        """The loss that a run of this package has for the task; losses of Keras work too.

        Args:
            label_smoothing: Share of the target spread evenly over all classes.
        """
        deviation = float(self.classifier.deviation)
        return TaskLoss(self.labels.task, label_smoothing, deviation)

    def save(self, filepath: str | Path, *args: Any, **kwargs: Any) -> None:
        """Keras' own, to a file that `tf_keras.models.load_model` reads.

        The file holds the weights and by which name the encoder is found again.

        Raises:
            UserError: The name does not end in `.keras`.
        """
        if not str(filepath).endswith(".keras"):
            raise UserError(
                f"{filepath}: accepted: a name that ends in .keras, or save_weights",
                hint="export writes a SavedModel that answers, save_pretrained what PyTorch reads, "
                "and save_run what load and the commands open.",
            )
        super().save(filepath, *args, **kwargs)

    def export(self, filepath: str | Path) -> None:
        """Writes a SavedModel whose endpoint `serve` takes what `preprocess` gives, of any length.

        Args:
            filepath: The folder.
        """
        archive = tf_keras.export.ExportArchive()
        archive.track(self)
        rows = {name: tf.TensorSpec([None, None], tf.int32, name) for name in INPUTS}
        archive.add_endpoint("serve", self.__call__, [rows])
        archive.write_out(str(filepath))

    def save_pretrained(self, folder: str | Path, label_names: Sequence[str] | None = None) -> Path:
        """Writes the model as a Hugging Face folder, which `encoder="FOLDER"` and PyTorch read.

        What a method such as LoRA added is merged into the weights.

        Args:
            folder: Where to; a folder of a model there is replaced.
            label_names: What the outputs are called; None: as `keras_model` was told.

        Returns:
            The folder.

        Raises:
            UserError: There are not as many names as outputs, or other files are in the folder.
            DiskFullError: There is no room for it.
        """
        labels = self.labels
        if label_names is not None:
            labels = type(labels)(tuple(map(str, label_names)))
            if len(set(labels.names)) != self.labels.num_outputs or not self.labels.names:
                raise UserError(
                    f"label_names: received {list(label_names)}; accepted: "
                    f"{len(self.labels.names)} different names"
                )
        path = Path(folder).expanduser()
        if path.exists() and not (path / "config.json").is_file() and any(path.iterdir()):
            raise UserError(f"{path}: holds other files; accepted: a new folder, or a model's")
        write_model_folder(
            path,
            self.classifier,
            self.tokenizer,
            labels,
            max_length=self.spec.config.data.max_length,
        )
        return path

    def save_run(self, folder: str | Path, *, text_pair_column: str | None = None) -> Path:
        """Writes the model as a run, which `load` and the commands open; it has no scores.

        Args:
            folder: A new one.
            text_pair_column: `data.text_pair_column` of a model that judges pairs.

        Returns:
            The folder.

        Raises:
            UserError: The folder holds something.
            DiskFullError: There is no room for it.
        """
        path = Path(folder).expanduser()
        write_run(path, self.spec, self.save_pretrained, text_pair_column)
        return path

    def save_own_variables(self, store: Any) -> None:
        """The number of steps; what computes has the weights."""
        store["steps_trained"] = self.steps_trained.numpy()

    def load_own_variables(self, store: Any) -> None:
        """The other way of `save_own_variables`."""
        self.steps_trained.assign(np.asarray(store["steps_trained"]))

    def get_config(self) -> dict[str, Any]:
        """The keywords of `keras_model`."""
        scale = self.classifier.scale
        targets = None  # or two numbers of the same mean and deviation
        if scale is not None:
            targets = [scale.mean - scale.deviation, scale.mean + scale.deviation]
        config: dict[str, Any] = as_written({**self._keywords, "targets": targets})
        return config

    def build_from_config(self, config: Any) -> None:
        """Nothing is left to build: KerasTuner's Hyperband asks for it before it goes on."""

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "KerasClassifier":
        """The model that `keras_model` makes of these keywords."""
        return cls.of(config, described(config))


def _leave_saving_to(classifier: Classifier) -> None:
    """Lets Keras' format of weights hold them once: the classifier writes all, by their paths."""
    for layer in classifier.wrapped.submodules:
        if isinstance(layer, tf_keras.layers.Layer):
            layer.save_own_variables = layer.load_own_variables = _nothing
    classifier.wrapped.save_own_variables = classifier.wrapped.load_own_variables = _nothing


def _nothing(store: Any) -> None:
    pass
