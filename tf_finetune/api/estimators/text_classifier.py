"""A classifier of texts by scikit-learn's contract."""

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from typing_extensions import Self  # of typing since Python 3.11

from tf_finetune.api.estimators.text_estimator import TextEstimator
from tf_finetune.api.estimators.text_inputs import (
    InputError,
    given_texts,
    input_errors,
    text_columns,
)
from tf_finetune.sources.fields import name_fault


class TextClassifier(ClassifierMixin, TextEstimator):
    """Fine-tunes an encoder to classes that exclude each other.

    It stands wherever scikit-learn takes a classifier: in `cross_val_score`, in a `Pipeline`, and
    in `GridSearchCV` over `depth`. docs/scikit_learn.md says what processes beside each other
    cost, and which of scikit-learn's checks of estimators suppose numbers.

    The parameters are those of `TextEstimator`.

    Attributes:
        classes_: The classes, sorted, of the type that `y` had, [n_classes].
        model_: The trained `Model`, whose labels are the classes' names, in the same order.

    Example:
        >>> classifier = tft.TextClassifier(encoder, depth=2, epochs=1, learning_rate=1e-3)
        >>> classifier.fit(["a fine film", "a dull film"] * 8, [True, False] * 8).classes_.tolist()
        [False, True]
        >>> classifier.predict_proba(["a fine film"]).shape
        (1, 2)
    """

    classes_: np.ndarray

    def fit(self, X: Any, y: Any) -> Self:
        """Trains on texts.

        Args:
            X: A list, an array or a Series of n texts, or of n pairs; or a table or an array of
                one or two columns.
            y: The class of each, of one type whose values can be sorted, [n].

        Raises:
            ValueError: A text is missing or blank, of all of them at once, or a class is; there
                is one class alone; lengths differ; a parameter is not accepted. Where it is not
                scikit-learn that finds it, it is a `UserError` too.
        """
        texts = text_columns(X)
        class_of_each = self._targets(texts, y)
        check_classification_targets(class_of_each)
        classes, which = np.unique(class_of_each, return_inverse=True)
        if len(classes) == 1:
            raise InputError(
                f"y: received one class, {classes.tolist()[0]!r}; accepted: at least 2 classes"
            )
        names = _names(classes)
        labels = [names[index] for index in which]
        self._fit(texts, labels, task="single_label", label_names=names)
        self.classes_ = classes
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The likeliest class of each text, of the type that `y` had, [n].

        Raises:
            NotFittedError: Nothing was trained yet.
            ValueError: As `fit`.
        """
        likeliest = self.predict_proba(X).argmax(axis=1)
        return self.classes_[likeliest]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of the classes, float64 [n, n_classes], in the order of `classes_`.

        Raises:
            NotFittedError: Nothing was trained yet.
            ValueError: As `fit`.
        """
        model = self._fitted()
        with input_errors():
            return model.predict_proba(given_texts(X))


def _names(classes: np.ndarray) -> list[str]:
    """The classes as the reports call them: by their own words where these can be names."""
    names = [str(value) for value in classes.tolist()]
    usable = all(name == name.strip() and not name_fault(name) for name in names)
    if usable and len(set(names)) == len(names):
        return names
    return [f"class {number}" for number in range(1, len(names) + 1)]
