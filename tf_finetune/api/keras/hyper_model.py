"""Frozen depth and learning rate as a space for KerasTuner, for people with a tuner of their own.

KerasTuner 1.4 goes by the installed Keras 3: its tuners refuse a model of `tf_keras`, hand `fit`
callbacks of Keras 3, and expect its history back. `HyperModel.build` widens the one check, in
KerasTuner's own module alone, and `HyperModel.fit` translates the rest, so that tuners as they
come work, in whatever order things were imported.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import keras_tuner
import tf_keras
from keras_tuner.src.engine import tuner as checking_module

from tf_finetune.api.keras.keras_classifier import KerasClassifier
from tf_finetune.api.keras.keras_options import described
from tf_finetune.api.keras.preprocessing import Preprocessing
from tf_finetune.config.mistakes import shown
from tf_finetune.encoders.tokenizers import load_tokenizer
from tf_finetune.errors import UserError
from tf_finetune.methods.method import Method
from tf_finetune.models.spec import Spec
from tf_finetune.plans.rates import two_digits, usual_rate
from tf_finetune.training.optimizers import NOT_DECAYED

# The names of what is tuned.
DEPTH, RATE_FACTOR = "depth", "learning_rate_factor"


class HyperModel(keras_tuner.HyperModel):
    """Which depth to freeze, and at which learning rate to train what is above it.

    A depth is only judged fairly at rates of its own, so what is tuned is `learning_rate_factor`:
    the rate as a multiple, from a third to three times, of the one that is usual for the depth,
    the method and the number of steps.

    Example:
        >>> import keras_tuner
        >>> import tf_finetune as tft
        >>> space = tft.HyperModel(encoder, num_labels=2, depths=[2, 3], metrics=["accuracy"])
        >>> tuner = keras_tuner.RandomSearch(
        ...     space, objective="val_loss", max_trials=1, directory=folder
        ... )
        >>> texts = space.preprocess(["the film was good", "the plot was dull"])
        >>> labels = np.array([1, 0])
        >>> tuner.search(texts, labels, validation_data=(texts, labels), verbose=0)
        >>> tuner.get_best_models()[0].predict(texts, verbose=0).shape
        (2, 2)

    Args:
        encoder: As for `keras_model`.
        depths: Frozen depths to try; None: all that there are.
        steps: Of a training, examples / batch size * epochs; usual rates go by it.
        weight_decay: Of AdamW, never on biases and layer norms.
        metrics: Names of Keras' metrics, or one.
        **keywords: As for `keras_model`, but for the depth.

    Raises:
        UserError: As `keras_model`, of every depth.
    """

    def __init__(
        self,
        encoder: str | Path = "auto",
        *,
        depths: Sequence[int] | None = None,
        steps: int = 650,
        weight_decay: float = 0.01,
        metrics: str | Sequence[str] = (),
        **keywords: Any,
    ):
        super().__init__()
        if "depth" in keywords:
            raise UserError(f"depth: received {shown(keywords['depth'])}; accepted: depths, a list")
        self._keywords = {"encoder": encoder, **keywords}
        self._steps, self._weight_decay = steps, weight_decay
        self._metrics = [metrics] if isinstance(metrics, str) else list(metrics)
        self._spec, self.depths = self._checked(depths)

    @cached_property
    def preprocess(self) -> Preprocessing:
        """Texts, or texts and the second ones of pairs, as every model takes them.

        See `KerasClassifier.preprocess`.
        """
        files = self._spec.files
        return Preprocessing(load_tokenizer(files), files, self._spec.config.data.max_length)

    @property
    def method(self) -> Method:
        """What trains above a depth."""
        return self._spec.config.method

    def learning_rate(self, hp: keras_tuner.HyperParameters) -> float:
        """The rate that a choice of depth and factor stands for."""
        layers, task = self._spec.files.num_layers, self._spec.config.data.task
        usual = usual_rate(task, self.method, hp.get(DEPTH), layers, self._steps)
        return two_digits(usual * hp.get(RATE_FACTOR))

    def build(self, hp: keras_tuner.HyperParameters) -> KerasClassifier:
        """A compiled model of the depth and the rate that a tuner chooses."""
        _accept_models_of_keras_2()
        depth = hp.Choice(DEPTH, list(self.depths), default=self.depths[0])
        hp.Float(RATE_FACTOR, 1 / 3, 3.0, sampling="log", default=1.0)
        keywords = self._at(depth)
        model = KerasClassifier.of(keywords, described(keywords))
        optimizer = tf_keras.optimizers.AdamW(
            self.learning_rate(hp), weight_decay=self._weight_decay, global_clipnorm=1.0
        )
        optimizer.exclude_from_weight_decay(var_list=model.classifier.of_kinds(*NOT_DECAYED))
        model.compile(optimizer, model.task_loss(), metrics=list(self._metrics))
        return model

    def fit(
        self, hp: keras_tuner.HyperParameters, model: KerasClassifier, *args: Any, **kwargs: Any
    ) -> keras.callbacks.History:
        """Keras' own fit, with callbacks and a history as KerasTuner has them."""
        callbacks = [
            one if isinstance(one, tf_keras.callbacks.Callback) else HandedOn(one)
            for one in kwargs.pop("callbacks", None) or ()
        ]
        found = model.fit(*args, callbacks=callbacks, **kwargs)
        history = keras.callbacks.History()
        history.epoch, history.history = found.epoch, found.history
        return history

    def _at(self, depth: int) -> dict[str, Any]:
        return {**self._keywords, "depth": depth}

    def _checked(self, depths: Sequence[int] | None) -> tuple[Spec, tuple[int, ...]]:
        """The space's first model, and its depths, ascending."""
        if depths is None:
            spec = described(self._at(0)).spec
            most = spec.files.num_layers - spec.config.training.reinitialise_top
            return spec, tuple(depth for depth in spec.files.depths if depth <= most)
        if isinstance(depths, str) or not len(depths):
            raise UserError(f"depths: received {shown(depths)}; accepted: a list of frozen depths")
        problems: list[str] = []
        specs = []
        for depth in depths:
            try:
                specs.append(described(self._at(depth)).spec)
            except UserError as error:
                problems += error.problems
        if problems:
            raise UserError(list(dict.fromkeys(problems)))
        return specs[0], tuple(sorted(set(depths)))


class HandedOn(tf_keras.callbacks.Callback):
    """A callback of Keras 3 in a fit of Keras 2.

    Args:
        callback: What it hands everything on to.
    """

    def __init__(self, callback: keras.callbacks.Callback):
        super().__init__()
        self._callback = callback

    def set_params(self, params: dict[str, Any]) -> None:
        """See Keras."""
        super().set_params(params)
        self._callback.set_params(params)

    def set_model(self, model: tf_keras.Model) -> None:
        """See Keras."""
        super().set_model(model)
        self._callback.set_model(model)


def _handing_on(name: str) -> Callable[..., None]:
    def hand_on(self: HandedOn, *args: Any, **kwargs: Any) -> None:
        getattr(self._callback, name)(*args, **kwargs)

    return hand_on


for _name in vars(tf_keras.callbacks.Callback):
    if _name.startswith("on_"):
        setattr(HandedOn, _name, _handing_on(_name))


def _accept_models_of_keras_2() -> None:
    """Lets tuners take models of either Keras."""
    known = checking_module.keras
    if isinstance(known.models.Model, tuple):
        return
    models = {**vars(known.models), "Model": (known.models.Model, tf_keras.Model)}
    checking_module.keras = SimpleNamespace(**{**vars(known), "models": SimpleNamespace(**models)})
