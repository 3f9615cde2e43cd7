"""A program as its user writes it, for the type checker alone: every name has its type.

mypy reads it as strictly as it can (setup.cfg); it is not run.
"""

from pathlib import Path
from typing import assert_type

import numpy as np
import pandas as pd

import tf_finetune as tft


def ask(reviews: pd.DataFrame) -> tft.Model:
    """Searches, and looks at what was found."""
    answer = tft.search(reviews, text="review", label="stars", time_budget="20m")
    print(answer, answer.table.head(), answer.trials, answer.plot())
    assert_type(answer, tft.Answer)
    assert_type(answer.sentence, str)
    assert_type(answer.notes, tuple[str, ...])
    assert_type(answer.interrupted, bool)
    assert_type(answer.report.path, Path)
    return answer.model


def train(reviews: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Trains at a depth."""
    run = tft.fine_tune(reviews, depth=4, learning_rate=3e-4, training={"epochs": 2})
    assert_type(run, tft.Run)
    assert_type(run.model, tft.Model)
    assert_type(run.path, Path)
    return run.evaluations


def use(folder: Path) -> np.ndarray:
    """Asks a model for everything that it gives."""
    with tft.load(folder) as model:
        print(model.predict(["a text"], top_k=2))
        scores = model.evaluate(folder / "test.csv")
        assert_type(scores["accuracy"], float)
        why = model.explain("a text")
        print(why.words, [one.words for one in model.explain(["a text", "another"])])
        assert_type(model.export("out"), Path)
        assert_type(model.export("out", form=["huggingface", "litert"]), dict[str, Path])
        assert_type(model.labels, tuple[str, ...])
        assert_type(model.serve(port=0, block=False).url, str)
        return model.predict_proba("a text")


def price() -> str:
    """Prices every depth, and shows what is wrong."""
    try:
        return str(tft.plan(encoder="google-bert/bert-base-uncased"))
    except tft.UserError as error:
        assert_type(error.problems, list[str])
        return "; ".join(error.problems)


def by_other_contracts(texts: list[str], labels: list[str]) -> tft.Model:
    """As scikit-learn's and Keras' callers use it."""
    model = tft.keras_model("auto", depth=4, label_names=["bad", "good"])
    model.compile("adam", model.task_loss())
    print(model.preprocess(texts))
    classifier = tft.TextClassifier(depth=4).fit(texts, labels)
    assert_type(classifier, tft.TextClassifier)
    return classifier.model_


def mistaken() -> None:
    """What a type checker has to tell."""
    tft.serach("reviews.csv")  # type: ignore[attr-defined]
    tft.load(3)  # type: ignore[arg-type]
