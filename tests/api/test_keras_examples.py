"""The examples in the docstrings of Keras' contract run."""

import doctest

import numpy as np
import pytest

import tf_finetune as tft


# KerasTuner 1.4.8 names threads in an old way; tf.data says that it is traced all the same.
@pytest.mark.filterwarnings(
    "ignore:currentThread", "ignore:getName", "ignore:Even though the `tf.config"
)
@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("name", ["keras_model", "HyperModel"])
def test_an_example_gives_what_it_says(name, tiny_encoder, tmp_path):
    names = {"encoder": tiny_encoder, "folder": tmp_path, "np": np}
    (example,) = doctest.DocTestFinder(recurse=False).find(getattr(tft, name), name, globs=names)
    runner = doctest.DocTestRunner()

    assert len(example.examples) >= 6
    assert runner.run(example).failed == 0
