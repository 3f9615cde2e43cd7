"""Every public name has an example in its docstring, and the examples run as they stand there."""

import doctest
import io

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

import tf_finetune as tft
from tf_finetune.api import calling

# KerasTuner 1.4.8 names threads in an old way.
pytestmark = [
    pytest.mark.long,
    pytest.mark.eager,
    pytest.mark.filterwarnings("ignore:currentThread", "ignore:getName"),
]

PUBLIC = ("tf_finetune", *tft.__all__)
# Their examples make the `answer` and the `run` that the examples of others use.
MAKERS = ("search", "fine_tune")
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def public(name):
    """What a public name names; of the package itself, the package."""
    return tft if name == tft.__name__ else getattr(tft, name)


def examples_of(name, what):
    """The examples in the docstring of something and of what belongs to it."""
    found = doctest.DocTestFinder().find(what, name, globs={})
    return [test for test in found if test.examples]


def run_examples(tests, names):
    """What examples told that differs from what stands below them; empty if nothing does."""
    runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
    told = io.StringIO()
    for test in tests:
        test.globs = names
        runner.run(test, out=told.write, clear_globs=False)
    return told.getvalue()


@pytest.fixture(scope="module")
def told(tiny_encoder, tmp_path_factory):
    """What was wrong with the examples of each public name, all of them run in one folder."""
    folder = tmp_path_factory.mktemp("examples")
    texts = [f"the {what} {number}" for number in range(30) for what in ("fine film", "dull plot")]
    reviews = pd.DataFrame({"text": texts, "label": ["pos", "neg"] * 30})
    names = {
        "np": np,
        "tft": tft,
        "reviews": reviews,
        "encoder": str(tiny_encoder),
        "folder": str(folder / "tuned"),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(calling, "Console", lambda **_: Console(quiet=True))  # leaves progress out
        made = {name: run_examples(examples_of(name, public(name)), names) for name in MAKERS}
        yield made | {
            name: run_examples(examples_of(name, public(name)), dict(names))
            for name in PUBLIC
            if name not in MAKERS
        }


@pytest.mark.parametrize("name", PUBLIC)
def test_public_name_has_an_example_that_runs(name, told):
    assert examples_of(name, public(name)), f"the docstring of {name} has no example"
    assert not told[name], told[name]


def test_example_that_differs_is_told():
    (test,) = examples_of("wrong", type("Wrong", (), {"__doc__": ">>> 1 + 1\n3\n"}))

    assert "Expected:\n    3\nGot:\n    2" in run_examples([test], {})
