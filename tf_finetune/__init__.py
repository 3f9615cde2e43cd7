"""Decides what of a pretrained encoder to fine-tune, how deep and by which method, and does it.

Example:
    >>> import tf_finetune as tft
    >>> tft.plan(encoder=encoder).table["depth"].tolist()
    [0, 1, 2, 3]
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tf_finetune.machine import environment

if TYPE_CHECKING:
    from tf_finetune.api.answer import Answer
    from tf_finetune.api.calls import fine_tune, load, plan, search
    from tf_finetune.api.estimators.text_classifier import TextClassifier
    from tf_finetune.api.estimators.text_regressor import TextRegressor
    from tf_finetune.api.keras.hyper_model import HyperModel
    from tf_finetune.api.keras.keras_model import keras_model
    from tf_finetune.api.model import Model
    from tf_finetune.api.run import Run
    from tf_finetune.errors import UserError

__all__ = [
    "Answer",
    "HyperModel",
    "Model",
    "Run",
    "TextClassifier",
    "TextRegressor",
    "UserError",
    "fine_tune",
    "keras_model",
    "load",
    "plan",
    "search",
]
# Imported when they are looked up: TensorFlow takes seconds.
_PLACES = {
    "Answer": "tf_finetune.api.answer",
    "HyperModel": "tf_finetune.api.keras.hyper_model",
    "Model": "tf_finetune.api.model",
    "Run": "tf_finetune.api.run",
    "TextClassifier": "tf_finetune.api.estimators.text_classifier",
    "TextRegressor": "tf_finetune.api.estimators.text_regressor",
    "UserError": "tf_finetune.errors",
    "keras_model": "tf_finetune.api.keras.keras_model",
    **dict.fromkeys(("fine_tune", "load", "plan", "search"), "tf_finetune.api.calls"),
}

environment.prepare()

if not TYPE_CHECKING:  # to a type checker a name that is not there would be Any

    def __getattr__(name: str) -> Any:
        if name not in _PLACES:
            raise AttributeError(f"module 'tf_finetune' has no attribute {name!r}")
        return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
