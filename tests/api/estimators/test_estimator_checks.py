"""scikit-learn's own checks of estimators.

They give rows of numbers, which are written out as texts here. A few dozen of them train, so what
is trained is a quick stand-in: words are counted. All that stands between scikit-learn and the
training is the estimator's own.
"""

import pickle
import tempfile
from pathlib import Path

import numpy as np
import pytest
from sklearn.exceptions import SkipTestWarning
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import Ridge
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks
from sklearn.utils.validation import check_is_fitted, validate_data

from tf_finetune.api.estimators import text_estimator
from tf_finetune.api.estimators.text_classifier import TextClassifier
from tf_finetune.api.estimators.text_regressor import TextRegressor
from tf_finetune.config.saving import write_config
from tf_finetune.sources.reading import read_records
from tf_finetune.storage.run_directory import RunDirectory


def written(rows):
    """Rows of numbers as texts, a few words a number."""
    return [
        " ".join(f"{column}:{round(2 * value)} {column}" for column, value in enumerate(row))
        for row in np.asarray(rows, float).tolist()
    ]


class _OfNumbers:
    """An estimator of texts that takes rows of numbers and says so."""

    def fit(self, X, y):
        """As scikit-learn's estimators take it: a table whose columns are remembered."""
        return super().fit(written(validate_data(self, X)), y)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        tags.input_tags.one_d_array = tags.input_tags.string = False
        return tags

    def _read(self, X):
        check_is_fitted(self)
        return written(validate_data(self, X, reset=False))


class ClassifierOfNumbers(_OfNumbers, TextClassifier):
    """A classifier of numbers written out."""

    def predict_proba(self, X):
        """Of the texts that the numbers make."""
        return super().predict_proba(self._read(X))


class RegressorOfNumbers(_OfNumbers, TextRegressor):
    """A regressor of numbers written out."""

    def predict(self, X):
        """Of the texts that the numbers make."""
        return super().predict(self._read(X))


def counted_words(config, console):
    """A stand-in for `train`: reads the examples as it does, and counts their words."""
    run = RunDirectory(Path(config.run.dir))
    run.path.mkdir(parents=True)
    records = list(read_records(config.data, config.data.train))
    names = config.data.label_names
    targets = [r.label if names is None else names.index(r.label) for r in records]
    learner = Ridge() if names is None else MultinomialNB()
    learnt = make_pipeline(CountVectorizer(token_pattern=r"\S+"), learner)
    (run.path / "learnt").write_bytes(pickle.dumps(learnt.fit([r.text for r in records], targets)))
    write_config(config, run.config)
    return run


class CountedWords:
    """A stand-in for `Model`."""

    def __init__(self, folder, held):
        self._learnt, self._held = pickle.loads((folder / "learnt").read_bytes()), held

    def predict_proba(self, texts):
        """Probabilities of the classes."""
        return self._learnt.predict_proba(texts)

    def predict(self, texts):
        """The column of numbers."""
        return {"value": self._learnt.predict(texts)}


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path):
    """Nothing is trained, and nothing is left behind."""
    monkeypatch.setattr(text_estimator, "train", counted_words)
    monkeypatch.setattr(text_estimator, "Model", CountedWords)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@parametrize_with_checks([ClassifierOfNumbers(), RegressorOfNumbers()])
def test_estimator_passes(estimator, check):
    check(estimator)


@pytest.mark.parametrize("estimator", [TextClassifier(), TextRegressor()])
def test_estimator_of_texts_says_that_it_takes_no_table_of_numbers(estimator):
    with pytest.warns(SkipTestWarning, match="Can't test estimator .*string=True"):
        check_estimator(estimator)
