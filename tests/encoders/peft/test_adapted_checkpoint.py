"""An adapter is a part of the encoder: merged as its weights are read, and of its identity."""

import json
import math

import numpy as np
import pytest
from safetensors.numpy import load_file

from tf_finetune.encoders.locating import resolve_encoder
from tf_finetune.errors import UserError
from tf_finetune.models.head_start import matched_head
from tf_finetune.tasks.classes import Classes

QUERY = "bert.encoder.layer.1.attention.self.query"
DOWN = "bert.encoder.layer.2.output.dense"
HIDDEN, INNER = 32, 64


def drawn(*shape):
    return np.random.default_rng(len(shape)).normal(0, 0.3, shape).astype(np.float32)


def of_lora(module=QUERY, width=HIDDEN, units=HIDDEN, rank=2):
    return {
        f"{module}.lora_A.weight": drawn(rank, width),
        f"{module}.lora_B.weight": drawn(units, rank),
    }


def head_of(labels):
    return {"classifier.weight": drawn(labels, HIDDEN), "classifier.bias": drawn(labels)}


def values_of(files):
    """By PyTorch's names, as PyTorch lays them out."""
    with files.checkpoint.reading() as read:
        found = [v for v in files.variables(2) if files.checkpoint.has(v)]
        return {v.tensor: np.array(v.as_tensor(read(v))) for v in found}


@pytest.fixture
def read(tiny_encoder, make_adapter):
    """Give the values of the tiny encoder with an adapter, and those of the encoder."""

    def of(tensors, said=None, **more):
        folder = make_adapter(tensors, said, **more)
        files = resolve_encoder(str(tiny_encoder), adapter=str(folder))
        return values_of(files), load_file(tiny_encoder / "model.safetensors")

    return of


def check_changed_alone(found, before, *names):
    assert found.keys() == before.keys() | {n for n in names if n.startswith("classifier")}
    for name in found.keys() - set(names):
        np.testing.assert_array_equal(found[name], before[name], err_msg=name)


def test_lora_is_added_to_its_matrix_alone(read):
    tensors = of_lora()
    found, before = read(tensors)

    a, b = tensors[f"{QUERY}.lora_A.weight"], tensors[f"{QUERY}.lora_B.weight"]
    expected = before[f"{QUERY}.weight"] + 6 / 2 * b @ a
    np.testing.assert_allclose(found[f"{QUERY}.weight"], expected, rtol=0, atol=1e-6)
    check_changed_alone(found, before, f"{QUERY}.weight")


def test_scales_go_by_the_rank_and_the_alpha_of_each_module(read):
    tensors = of_lora(rank=4) | of_lora(DOWN, INNER)
    patterns = {"rank_pattern": {"query": 4}, "alpha_pattern": {"1.attention.self.query": 10}}
    found, before = read(tensors, use_rslora=True, **patterns)

    for module, scale in ((QUERY, 10 / 2), (DOWN, 6 / math.sqrt(2))):
        a, b = tensors[f"{module}.lora_A.weight"], tensors[f"{module}.lora_B.weight"]
        expected = before[f"{module}.weight"] + scale * b @ a
        np.testing.assert_allclose(found[f"{module}.weight"], expected, rtol=0, atol=1e-5)


def test_dora_has_lengths_of_its_own(read):
    lengths = np.linspace(1, 2, HIDDEN, dtype=np.float32)
    tensors = of_lora(DOWN, INNER) | {f"{DOWN}.lora_magnitude_vector": lengths}
    found, _ = read(tensors, use_dora=True)

    np.testing.assert_allclose(np.linalg.norm(found[f"{DOWN}.weight"], axis=1), lengths, rtol=1e-5)


def test_ia3_scales_units_with_their_bias_or_inputs(read):
    units, inputs = drawn(HIDDEN, 1), drawn(1, INNER)
    tensors = {f"{QUERY}.ia3_l": units, f"{DOWN}.ia3_l": inputs}
    found, before = read(tensors, {"peft_type": "IA3", "feedforward_modules": ["output.dense"]})

    for name, factors in (
        (f"{QUERY}.weight", units),
        (f"{QUERY}.bias", units[:, 0]),
        (f"{DOWN}.weight", inputs),
    ):
        np.testing.assert_allclose(found[name], before[name] * factors, rtol=1e-6, err_msg=name)
    check_changed_alone(found, before, f"{QUERY}.weight", f"{QUERY}.bias", f"{DOWN}.weight")


def test_an_adapter_of_the_bare_encoder_is_read_too(read):
    tensors = {name.removeprefix("bert."): v for name, v in of_lora().items()}
    found, before = read(tensors)

    assert not np.allclose(found[f"{QUERY}.weight"], before[f"{QUERY}.weight"])
    check_changed_alone(found, before, f"{QUERY}.weight")


def test_what_it_holds_whole_takes_the_place_of_the_checkpoints(read):
    pooler = {"bert.pooler.dense.weight": drawn(HIDDEN, HIDDEN)}
    biases = {f"{QUERY}.base_layer.bias": drawn(HIDDEN)}  # as with bias="lora_only"
    whole = head_of(2) | pooler
    found, before = read(of_lora() | whole | biases)

    for name, value in whole.items():
        np.testing.assert_array_equal(found[name], value)
    np.testing.assert_array_equal(found[f"{QUERY}.bias"], biases[f"{QUERY}.base_layer.bias"])
    check_changed_alone(found, before, *whole, f"{QUERY}.weight", f"{QUERY}.bias")


@pytest.fixture
def with_head(tiny_encoder, make_adapter):
    folder = make_adapter(of_lora() | head_of(3))
    return folder, lambda: resolve_encoder(str(tiny_encoder), "first", adapter=str(folder))


def test_its_head_is_kept_where_labels_match(with_head):
    folder, files = with_head
    labels = Classes(("pos", "neg", "odd"))
    # PEFT tells no names.
    assert matched_head(files(), labels).rows == (None, None, None)
    assert matched_head(files(), Classes(("0", "1", "2"))).rows == (0, 1, 2)

    told = {"id2label": {"0": "neg", "1": "pos", "2": "so-so"}}
    (folder / "config.json").write_text(json.dumps(told))

    assert matched_head(files(), labels).rows == (1, 0, None)


def test_what_its_head_reads_is_what_auto_reads(tiny_encoder, with_head):
    folder, _ = with_head

    def pooling():
        return resolve_encoder(str(tiny_encoder), adapter=str(folder)).pooling_choice

    assert pooling() == ("first", "as the adapter's head does")
    (folder / "config.json").write_text(json.dumps({"text_pooling": "mean"}))
    assert pooling().pooling == "mean"


def test_it_is_a_part_of_the_encoders_identity(tiny_encoder, make_adapter):
    def sha256(adapter=None):
        return resolve_encoder(str(tiny_encoder), adapter=adapter).checkpoint.sha256

    adapter = make_adapter(of_lora())
    one = sha256(str(adapter))
    make_adapter(of_lora(), lora_alpha=7)
    other = sha256(str(adapter))

    assert len({one, other, sha256()}) == 3


def test_it_is_found_again_and_told(tiny_encoder, make_adapter):
    folder = str(make_adapter(of_lora()))
    files = resolve_encoder(str(tiny_encoder), adapter=folder)

    assert files.options()["adapter"] == folder
    assert f"adapter: LoRA on 1 product, from {folder}" in files.lines()


def test_layers_that_are_not_used_need_none_of_it(tiny_encoder, make_adapter):
    folder = make_adapter(of_lora() | of_lora(DOWN, INNER))
    files = resolve_encoder(str(tiny_encoder), layers=2, adapter=str(folder))

    assert f"{DOWN}.weight" not in values_of(files)


OF_IA3 = {"peft_type": "IA3", "r": None, "lora_alpha": None}
REFUSED = [
    ({"x.lora_A.weight": drawn(2, 4)}, {}, r"module 'x' has lora_A.weight; expected, of LoRA"),
    (of_lora("bert.encoder.layer.7.down"), {}, r"is for 'bert\S+down', which this bert does not"),
    (of_lora(DOWN), {}, r"lora_A.weight' is \[2, 32\]; expected, of this bert: \[any, 64\]"),
    (of_lora() | {"norm.weight": drawn(3)}, {}, r"is for 'norm.weight', which this bert does not"),
    (
        of_lora() | {"classifier.weight": drawn(2, 9)},
        {},
        r"'classifier.weight' is \[2, 9\]; expected, of this bert: \[any, 32\]",
    ),
    (of_lora(rank=3), {}, r"expected a first axis of 2, the rank in adapter_config.json"),
    (of_lora(), {"use_dora": True}, "expected, of DoRA: lora_A.weight, lora_B.weight, lora_magn"),
    ({}, {}, "adds nothing to any module"),
    ({f"{QUERY}.ia3_l": drawn(4, 4)}, OF_IA3, r"of this bert: \[32, 1\] or \[1, 32\]"),
]


@pytest.mark.parametrize(("tensors", "more", "message"), REFUSED)
def test_adapters_of_other_encoders_are_refused(tensors, more, message, read):
    with pytest.raises(UserError, match=rf"encoder.adapter: \S+safetensors: .*{message}"):
        read(tensors, **more)


def test_values_that_are_no_numbers_are_refused(read):
    bad = of_lora()
    bad[f"{QUERY}.lora_B.weight"][0, 0] = np.nan

    with pytest.raises(UserError, match=r"lora_B.weight holds values that are no finite numbers"):
        read(bad)


def test_a_wrong_adapter_is_told_in_one_sentence_with_its_base(read):
    tensors = {
        name: value
        for layer in range(5, 10)
        for name, value in of_lora(f"bert.encoder.layer.{layer}.output.dense").items()
    }
    with pytest.raises(UserError, match="layer.5.output.dense' and 4 more, which this") as caught:
        read(tensors, base_model_name_or_path="org/large")
    assert caught.value.hint == "It belongs to another encoder: it was made for 'org/large'."
