"""The variables of a model: by path, trained or frozen as the plan says, and put back."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.encoders.sublayers import variable_path
from tf_finetune.encoders.variables import Kind, Variable
from tf_finetune.models.head_start import HeadStart, new_head
from tf_finetune.models.initial_values import initial_values
from tf_finetune.plans.freezing import FreezePlan
from tf_finetune.tasks.output_scale import OutputScale


class PlannedModel(tf_keras.Model):
    """A model of `transformers` whose variables a freeze plan covers.

    Args:
        wrapped: The `transformers` model, built and filled; it owns all variables.
        files: The encoder it came from, and what the head reads of it.
        plan: The freeze plan, applied here through `trainable` flags.
        head: Which rows of the encoder's own head the head begins with; None: none.
        scale: Of a regression's targets: what the head computes is standardised, and answered
            is that times the deviation plus the mean. None: what the head computes is answered.
        anew: Paths of what begins with new values though the encoder has some.
    """

    def __init__(
        self,
        wrapped: tf_keras.Model,
        files: EncoderFiles,
        plan: FreezePlan,
        head: HeadStart | None = None,
        scale: OutputScale | None = None,
        anew: frozenset[str] = frozenset(),
    ):
        super().__init__(name="classifier")
        self.wrapped = wrapped
        self.files = files
        self.plan = plan
        self.head = head or new_head(int(wrapped.config.num_labels))
        self.anew = anew
        self._scale = scale
        if scale is not None:  # not among the model's variables: the plan knows nothing of them
            options = {"trainable": False, "dtype": tf.float32}
            self._mean = tf.Variable(scale.mean, name="target_mean", **options)
            self._deviation = tf.Variable(scale.deviation, name="target_deviation", **options)
        real = {variable_path(v): v for v in wrapped.weights}
        for variable in plan.added:
            name = variable.path.replace("/", "_")
            real[variable.path] = tf.Variable(tf.zeros(variable.shape), name=name)
        self._check_plan_covers_variables(real)
        # Keras lists trainable weights first, so its order depends on earlier flags.
        self._by_path = {row.path: real[row.path] for row in plan.rows}
        self._apply_trainable_flags()

    def get_config(self) -> dict[str, Any]:
        """There is none: a model is made of its spec, see `building.build`."""
        raise NotImplementedError("a model is made of its spec")

    @property
    def by_path(self) -> Mapping[str, tf.Variable]:
        """Every variable by its path, in forward order."""
        return self._by_path

    @property
    def trainable_weights(self) -> list[tf.Variable]:
        """What the plan trains; finer than Keras' flags, which know layers only."""
        return [v for path, v in self._by_path.items() if path in self.plan.trainable_paths]

    @property
    def non_trainable_weights(self) -> list[tf.Variable]:
        """What the plan freezes."""
        return [v for path, v in self._by_path.items() if path not in self.plan.trainable_paths]

    @property
    def weights(self) -> list[tf.Variable]:
        """Both, in forward order; also what a method added, which Keras would not find."""
        return [*self._by_path.values()]

    def save_own_variables(self, store: Any) -> None:
        """Every variable by its path, for Keras' format of weights."""
        for name, variable in self._stored().items():
            store[name] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """The other way of `save_own_variables`.

        Raises:
            ValueError: The variables are others.
        """
        stored = self._stored()
        if set(store.keys()) != set(stored):
            raise ValueError("these are weights of a model with another method or another encoder")
        for name, variable in stored.items():
            variable.assign(np.asarray(store[name]))

    def _stored(self) -> dict[str, tf.Variable]:
        scale = {} if self._scale is None else {"mean": self._mean, "deviation": self._deviation}
        return {path.replace("/", "."): v for path, v in {**self._by_path, **scale}.items()}

    @property
    def table(self) -> tuple[Variable, ...]:
        """The expected variables of this model, in forward order."""
        num_labels = int(self.wrapped.config.num_labels)
        return self.plan.with_added(self.files.variables(num_labels))

    def of_kinds(self, *kinds: Kind) -> list[tf.Variable]:
        """Variables of some kinds, in forward order."""
        return [self._by_path[v.path] for v in self.table if v.kind in kinds]

    @property
    def rate_factors(self) -> list[tuple[tf.Variable, float]]:
        """What trains, and at which multiple of the run's learning rate."""
        return [(self._by_path[path], f) for path, f in self.plan.rate_factors.items()]

    @property
    def scale(self) -> OutputScale | None:
        """The scale of the targets that the head is trained for, if it is."""
        return self._scale

    def rescale(self, scale: OutputScale | None) -> None:
        """Takes the scale of other training targets; nothing is traced again. `reset` it then.

        Raises:
            ValueError: A model that was built without a scale gets one, or the other way round.
        """
        if (scale is None) != (self._scale is None):
            raise ValueError("the scale of a model's outputs changes, it neither comes nor goes")
        self._scale = scale
        if scale is not None:
            self._mean.assign(scale.mean)
            self._deviation.assign(scale.deviation)

    @property
    def head_paths(self) -> frozenset[str]:
        """Paths of the head's variables."""
        return frozenset(row.path for row in self.plan.rows if row.part == "head")

    def in_units(self, outputs: tf.Tensor) -> tf.Tensor:
        """What the head computes, in units of the targets."""
        return outputs if self._scale is None else outputs * self._deviation + self._mean

    @property
    def deviation(self) -> tf.Tensor:
        """What errors of a regression are divided by in its loss, [] float32; 1 without a scale."""
        return tf.constant(1.0) if self._scale is None else tf.identity(self._deviation)

    def initial_values(
        self, seed: int, only: frozenset[str] | None = None
    ) -> Iterator[tuple[str, np.ndarray]]:
        """Values before fine-tuning by path; see `initial_values.initial_values`."""
        return initial_values(
            self.files,
            self.table,
            seed,
            head=self.head,
            scale=self._scale,
            anew=self.anew,
            only=only,
        )

    def reset(self, seed: int) -> None:
        """Puts the trainable variables back to their values before fine-tuning.

        The head too where it is frozen: what it holds depends on the scale.
        """
        self.set_values(self.initial_values(seed, self.plan.trainable_paths | self.head_paths))

    def trainable_values(self) -> dict[str, np.ndarray]:
        """Copies of the trainable variables by path, float32."""
        return {
            path: v.numpy()
            for path, v in self._by_path.items()
            if path in self.plan.trainable_paths
        }

    def set_values(
        self, values: Mapping[str, np.ndarray] | Iterable[tuple[str, np.ndarray]]
    ) -> None:
        """Assigns variables by path."""
        for path, value in values.items() if isinstance(values, Mapping) else values:
            self._by_path[path].assign(value)

    def divide_logits(self, temperature: float) -> None:
        """Divides all further logits by a number: the head's kernel and bias are.

        Args:
            temperature: Over 0.
        """
        head = self.files.family.places(self.wrapped).head
        for variable in (head.kernel, head.bias):
            if variable is not None and temperature != 1:
                variable.assign(variable.numpy() / np.float32(temperature))

    def replace_variable(self, path: str, variable: tf.Variable) -> None:
        """Puts another variable, of a layer that was replaced, in the place of one."""
        if path not in self._by_path:
            raise KeyError(path)
        self._by_path[path] = variable

    def _check_plan_covers_variables(self, real: Mapping[str, tf.Variable]) -> None:
        planned = {row.path: row.count for row in self.plan.rows}
        # The library's model holds its pooler also where the head reads something else.
        every = self.files.family.encoder_variables(self.files.config)
        unread = {v.path for v in every if v.part == "pooler"} - planned.keys()
        unread |= self.files.family.unread
        counts = {p: int(np.prod(v.shape)) for p, v in real.items() if p not in unread}
        if planned != counts:
            different = sorted(set(planned.items()) ^ set(counts.items()))
            raise ValueError(f"plan and model differ in their variables: {different[:6]}")

    def _apply_trainable_flags(self) -> None:
        self.wrapped.trainable = True
        places = self.files.family.places(self.wrapped)
        for layer in places.embeddings:
            layer.trainable = not self.plan.embeddings_frozen
        for index, layer in enumerate(places.layers):
            layer.trainable = not self.plan.layer_is_frozen(index)
        for layer in places.with_last:
            layer.trainable = not self.plan.layer_is_frozen(self.plan.num_layers - 1)
        for part, layers in (("pooler", places.pooler), ("head", [places.head])):
            for layer in layers:
                layer.trainable = any(r.trainable for r in self.plan.rows if r.part == part)
