"""The estimators of texts, as scikit-learn and its callers use them."""

import gc
import pickle
import tempfile

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import tf_finetune as tft

pytestmark = pytest.mark.eager

TEXTS = [f"the {what} {number}" for number in range(12) for what in ("film was great", "plot dull")]
LIKED = np.array([True, False] * 12)
# The head alone is solved, which takes no steps.
SOLVED = {"encoder": {"pooling": "mean"}}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Where temporary folders are made."""
    folder = tmp_path_factory.mktemp("temporary")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(folder))
        yield folder


@pytest.fixture(scope="module")
def unfitted(flat_encoder):
    """A classifier that trains quickly."""
    return tft.TextClassifier(flat_encoder, depth=1, config=SOLVED)


@pytest.fixture(scope="module")
def fitted(unfitted, folders):
    """The same, fitted to a Series of texts and labels that are true or false."""
    return clone(unfitted).fit(pd.Series(TEXTS, index=range(100, 124)), LIKED)


def test_predicts_classes_of_the_type_that_was_given(fitted):
    assert fitted.classes_.tolist() == [False, True]
    assert fitted.predict(np.array(TEXTS)).tolist() == LIKED.tolist()
    assert fitted.score(TEXTS, LIKED) == 1.0
    assert fitted.model_.labels == ("False", "True")


def test_probabilities_are_in_the_order_of_the_classes(fitted):
    found = fitted.predict_proba(TEXTS[:3])

    assert found.shape == (3, 2)
    assert found.argmax(axis=1).tolist() == [1, 0, 1]
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-12)


def test_nothing_is_held_out_or_left_beside_the_run(fitted):
    run = fitted.model_.path

    assert [path.name for path in run.parent.iterdir()] == ["run"]
    assert (run / "metrics.json").read_text().strip() == "{}"
    assert "no examples to score it on" in fitted.model_.report.path.read_text()


def test_pickled_it_answers_the_same_without_the_first_folder(unfitted, fitted, folders):
    copy = pickle.loads(pickle.dumps(fitted))

    assert copy.model_.path != fitted.model_.path
    np.testing.assert_array_equal(copy.predict_proba(TEXTS), fitted.predict_proba(TEXTS))
    assert not hasattr(pickle.loads(pickle.dumps(unfitted)), "model_")


def test_model_outlives_the_estimator_and_its_folder_goes_with_it(fitted, folders):
    copy = pickle.loads(pickle.dumps(fitted))
    model = copy.model_
    folder = model.path.parent
    del copy
    gc.collect()
    assert model.predict(TEXTS[0])["label"].tolist() == ["True"]

    del model
    gc.collect()
    assert not folder.exists()


def test_cross_validation_of_a_pipeline_leaves_nothing_behind(unfitted, folders):
    gc.collect()
    before = set(folders.iterdir())
    pipeline = make_pipeline(FunctionTransformer(lambda X: X[["text"]]), unfitted)
    frame = pd.DataFrame({"number": range(24), "text": TEXTS})

    scores = cross_val_score(pipeline, frame, np.where(LIKED, "good", "bad"), cv=2)

    gc.collect()
    assert scores.min() >= 0.9
    assert set(folders.iterdir()) == before


def test_grid_search_tries_depths_and_numbers_as_classes(unfitted, folders):
    halves = [(np.arange(12), np.arange(12, 24))]
    once = clone(unfitted).set_params(epochs=1)
    search = GridSearchCV(once, {"depth": [0, 1]}, cv=halves, refit=False, error_score="raise")

    search.fit(TEXTS, np.where(LIKED, 7, 3))

    assert search.cv_results_["mean_test_score"][1] >= 0.9
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_regressor_learns_numbers_of_pairs_into_a_given_folder(flat_encoder, tmp_path):
    pairs, numbers = [(text, "a film") for text in TEXTS], LIKED * 4.0
    regressor = tft.TextRegressor(flat_encoder, depth=1, config=SOLVED, folder=tmp_path / "run")

    assert regressor.fit(pairs, numbers).score(pairs, numbers) > 0.9
    assert regressor.model_.path == tmp_path / "run"
    with pytest.raises(tft.UserError, match="holds a finished run"):
        regressor.fit(pairs, numbers)
    assert regressor.predict(pairs[:1]).shape == (1,)


def test_every_parameter_is_had_and_set(unfitted):
    assert clone(unfitted).set_params(depth=0, seed=3).get_params() == {
        **unfitted.get_params(),
        "depth": 0,
        "seed": 3,
    }


def test_unfitted_it_has_no_model(unfitted):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        clone(unfitted).predict(TEXTS)
    assert not hasattr(unfitted, "model_")


@pytest.mark.parametrize(
    ("X", "y", "said"),
    [
        ([], [], "X: received no texts; accepted: at least one"),
        ("a film", [1], "X: received str; accepted: a list, an array or a Series of texts"),
        ([["a", "b", "c"]] * 2, [0, 1], r"X: received list of shape \[2, 3\]; accepted"),
        (5, [0], "X: received int; accepted"),
        (["a", None, 5], [0, 1, 0], r"(?s)X, row 2: received None; .*X, row 3: received 5; acc"),
        (["a", " "], [0, 1], "row 2, column 'text': received ' '; accepted: a text that is not"),
        (["a", "b"], [1, 1], "y: received one class, 1; accepted: at least 2 classes"),
        (["a", "b"], None, "requires y to be passed, but the target y is None"),
        (["a", "b"], ["x", None], "y, row 2: received None; accepted: a target that is not None"),
        (["a", "b"], [0.5, 0.7], "Unknown label type: continuous"),
        (["a", "b"], [0], r"inconsistent numbers of samples: \[2, 1\]"),
    ],
)
def test_wrong_input_is_a_value_error(unfitted, X, y, said):
    with pytest.raises(ValueError, match=said):
        clone(unfitted).fit(X, y)


def test_numbers_that_are_all_the_same_are_nothing_to_learn(flat_encoder):
    with pytest.raises(ValueError, match=r"y: received 3 in all rows .*accepted: numbers that di"):
        tft.TextRegressor(flat_encoder).fit(["a", "b"], [3, 3])


def test_wrong_parameter_is_told_in_the_words_of_the_options(unfitted):
    wrong = clone(unfitted).set_params(depth=9)

    with pytest.raises(tft.UserError, match=r"freeze\.depth: received 9; accepted: 0 to 1"):
        wrong.fit(TEXTS, LIKED)


def test_text_that_is_missing_is_not_answered(fitted):
    with pytest.raises(ValueError, match="X, row 2: received None; accepted: a text"):
        fitted.predict(["a film", None])
