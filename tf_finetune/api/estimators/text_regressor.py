"""A regressor of texts by scikit-learn's contract."""

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from typing_extensions import Self  # of typing since Python 3.11

from tf_finetune.api.estimators.text_estimator import TextEstimator
from tf_finetune.api.estimators.text_inputs import (
    InputError,
    given_texts,
    input_errors,
    text_columns,
)


class TextRegressor(RegressorMixin, TextEstimator):
    """Fine-tunes an encoder to a number a text; all else as `TextClassifier`.

    Attributes:
        model_: The trained `Model`.

    Example:
        >>> regressor = tft.TextRegressor(encoder, depth=2, epochs=1, learning_rate=1e-3)
        >>> regressor.fit(["a fine film", "a dull film"] * 8, [4.5, 1.0] * 8)
        TextRegressor(...)
        >>> regressor.predict(["a film"]).shape
        (1,)
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Trains on texts.

        Args:
            X: As for `TextClassifier`.
            y: The number of each, [n], not all the same.

        Raises:
            ValueError: As for `TextClassifier`, or a number is not finite.
        """
        texts = text_columns(X)
        targets = self._targets(texts, y)
        try:
            numbers = np.asarray(targets, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(f"y: {error}; accepted: numbers") from None
        if (numbers == numbers[0]).all():
            raise InputError(
                f"y: received {numbers[0]:g} in all rows (n_samples = {len(numbers)}); accepted: "
                "numbers that differ"
            )
        self._fit(texts, numbers, task="regression")
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The number of each text, float64 [n].

        Raises:
            NotFittedError: Nothing was trained yet.
            ValueError: As `fit`.
        """
        model = self._fitted()
        with input_errors():
            values = model.predict(given_texts(X))["value"]
        return np.asarray(values, np.float64)
