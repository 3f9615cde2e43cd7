import pytest
from tiny_variables import tiny_bert

from tf_finetune.methods.table import METHODS

VARIABLES = tiny_bert(layers=2)


def trained(name):
    return [variable for variable in VARIABLES if METHODS[name]().trains(variable)]


def test_full_trains_every_variable():
    assert trained("full") == list(VARIABLES)


def test_biases_are_those_of_dense_layers_and_no_norms():
    paths = [variable.path for variable in trained("biases")]
    # Query, key, value, output, and both parts of the feed-forward layer; pooler and head.
    assert len(paths) == 2 * 6 + 2
    assert all(path.endswith("/bias") and "LayerNorm" not in path for path in paths)


def test_norms_are_those_of_the_layers_and_the_embeddings():
    assert len(trained("norms")) == 2 * 2 * 2 + 2
    assert all("LayerNorm" in variable.path for variable in trained("norms"))


@pytest.mark.parametrize("name", METHODS)
def test_a_method_says_in_words_what_it_trains(name):
    assert METHODS[name]().words
    assert METHODS[name].rate_factor > 0


def test_a_setting_names_what_is_not_as_usual():
    assert METHODS["full"]().setting == "full"
