"""BERT's table of variables has the sizes that it is known for."""

import pytest

from tf_finetune.encoders.families.table import FAMILIES


@pytest.fixture(scope="module")
def variables(bert_base):
    return FAMILIES["bert"].variables(bert_base, num_labels=2)


def count(variables, **where):
    return sum(v.count for v in variables if all(getattr(v, k) == x for k, x in where.items()))


def test_bert_base_has_109_million_parameters(variables):
    assert count(variables) == 109_483_778


def test_parts_of_bert_base(variables):
    assert count(variables, part="embeddings") == 23_837_184
    layers = [frozenset({layer}) for layer in range(12)]
    assert [count(variables, layers=layer) for layer in layers] == [7_087_872] * 12
    assert count(variables, part="pooler") == 590_592
    assert count(variables, part="head") == 1_538


def test_paths_and_tensors_are_unique(variables):
    assert len(variables) == 5 + 12 * 16 + 2 + 2
    assert len({v.path for v in variables}) == len({v.tensor for v in variables}) == len(variables)


def test_only_kernels_are_transposed_in_a_checkpoint(variables):
    by_path = {v.path: v for v in variables}
    up = by_path["bert/encoder/layer_._11/intermediate/dense/kernel"]
    words = by_path["bert/embeddings/word_embeddings/weight"]

    assert (up.shape, up.tensor_shape) == ((768, 3072), (3072, 768))
    assert up.tensor == "bert.encoder.layer.11.intermediate.dense.weight"
    assert (words.shape, words.tensor_shape) == ((30522, 768), (30522, 768))


def test_kinds_of_a_variable(variables):
    kinds = {v.path: (v.kind, v.part, v.site, v.init) for v in variables}
    layer = "bert/encoder/layer_._0"

    assert kinds[f"{layer}/attention/self/query/bias"] == (
        *("bias", "attention", "query"),
        "checkpoint",
    )
    assert kinds[f"{layer}/output/dense/kernel"] == (
        *("kernel", "feed_forward", "down"),
        "checkpoint",
    )
    assert kinds[f"{layer}/output/LayerNorm/beta"][:3] == ("norm", "layer_norm", "output_norm")
    assert kinds["bert/embeddings/LayerNorm/gamma"][:2] == ("norm", "embeddings")
    assert kinds["bert/embeddings/word_embeddings/weight"][0] == "embedding"
    assert kinds["bert/pooler/dense/kernel"] == ("kernel", "pooler", "pooler", "normal")
    assert kinds["classifier/bias"] == ("bias", "head", "head", "zeros")


def test_a_layer_has_the_same_sites_as_every_other(variables):
    sites = [
        [(v.site, v.kind, v.part) for v in variables if v.layers == {layer}] for layer in range(12)
    ]

    assert sites == [sites[0]] * 12
    kernels = [site for site, kind, _ in sites[0] if kind == "kernel"]
    assert kernels == ["query", "key", "value", "attention_output", "up", "down"]
