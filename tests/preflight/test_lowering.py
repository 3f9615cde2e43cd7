"""The real training step becomes HLO, and what a TPU cannot run in it is named."""

import importlib
import os
import re

import pytest
import tensorflow as tf

from tf_finetune.encoders.gelu import gelu
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.preflight import compiler_process, stablehlo_process
from tf_finetune.preflight.cells import describe_error
from tf_finetune.preflight.lowering import (
    UnsupportedOperationError,
    build_step_model,
    lower_pass,
    lower_step,
    step_batch,
)
from tf_finetune.preflight.stablehlo_process import digest_of, with_exact_products, without_origin
from tf_finetune.preflight.step_shapes import StepShape
from tf_finetune.tasks.table import unnamed_labels
from tf_finetune.training.pipeline import batch_signature

SHAPE = StepShape(4, 16)
PACKED = StepShape(2, 16, texts_a_row=4)


@pytest.fixture(scope="module")
def spec(tiny_encoder, spec_for):
    return spec_for(tiny_encoder, 3, freeze={"depth": 2})


@pytest.fixture(scope="module")
def model(spec):
    return build_step_model(spec)


@pytest.fixture(scope="module")
def step(model, spec):
    return lower_step(model, spec.labels, SHAPE)


def test_step_has_its_fixed_shape_and_updates_in_place(step):
    assert "s32[4,16]" in step.hlo
    assert "ResourceApplyAdam" in step.hlo
    # Everything trained, and its two moments, takes the place of its old value.
    assert step.hlo.split("\n", 1)[0].count("may-alias") > 3 * 16


def test_frozen_layers_neither_drop_units_nor_pass_gradients_back(step):
    drawn = re.findall(r'op_name="([^"]+dropout_\d+/BitwiseXor)"', step.hlo)
    backward = "\n".join(re.findall(r'op_name="(gradient_tape/[^"]+)"', step.hlo))

    assert drawn and backward
    assert not [name for name in drawn if "layer_._0" in name or "layer_._1" in name]
    assert "layer_._0" not in backward and "layer_._1" not in backward


def test_equal_steps_are_equal_programs_whatever_the_number_of_their_trace(model, spec, step):
    again = lower_step(model, spec.labels, SHAPE).hlo

    assert again != step.hlo
    assert without_origin(again) == without_origin(step.hlo)
    assert "source_file" not in without_origin(step.hlo)
    assert 'op_name="' in without_origin(step.hlo)


def test_a_program_is_known_without_the_names_of_its_operations():
    line = '%add = f32[] add(%a, %b), metadata={{op_type="Add" op_name="{}" source_line=10}}\n'

    assert digest_of(line.format("add")) == digest_of(line.format("renamed"))
    assert digest_of(line.format("add")) != digest_of(line.replace("add(", "sub(").format("add"))


def test_no_product_of_float32_is_rounded_where_that_is_asked_for(step):
    products = [line for line in step.hlo.splitlines() if " dot(" in line]
    exact = [line for line in with_exact_products(step.hlo).splitlines() if " dot(" in line]

    assert products and not any("operand_precision" in line for line in products)
    assert all("}, operand_precision={highest,highest}" in line for line in exact)
    half = "  %dot.1 = bf16[2]{0} dot(bf16[2,3] %a, bf16[3] %b), rhs_contracting_dims={0}"
    assert with_exact_products(half) == half


@pytest.mark.parametrize("process", [stablehlo_process, compiler_process])
def test_what_another_process_runs_leaves_the_devices_of_this_one_alone(process, monkeypatch):
    monkeypatch.delenv("JAX_PLATFORMS", raising=False)

    importlib.reload(process)

    assert "JAX_PLATFORMS" not in os.environ


def test_no_numbers_are_drawn_into_memory(step):
    assert "rng-bit-generator" not in step.hlo


def test_a_pass_that_fills_the_cache_neither_trains_nor_drops_units(model, spec):
    passed = lower_pass(model, spec.labels, SHAPE)

    assert "layer_._1" in passed.hlo and "layer_._2" not in passed.hlo
    assert "gradient_tape" not in passed.hlo and "dropout" not in passed.hlo
    assert (
        f"f32[4,16,{spec.files.sizes.hidden}]" in passed.hlo.split("ENTRY", 1)[1].split("ROOT")[1]
    )


def test_packed_step_has_rows_of_several_texts(model, spec):
    hlo = lower_step(model, spec.labels, PACKED).hlo

    assert "s32[2,4]" in hlo  # where texts begin
    assert "f32[8,3]" in hlo  # logits of two rows of four texts


def test_the_largest_of_packed_texts_and_prefixes_before_each_are_lowered(tiny_encoder, spec_for):
    options = {"encoder": {"pooling": "max"}, "method": {"name": "prefix_tuning"}}
    spec = spec_for(tiny_encoder, 3, freeze={"depth": 2}, **options)

    hlo = lower_step(build_step_model(spec), spec.labels, PACKED).hlo

    assert "f32[8,3]" in hlo


@pytest.mark.parametrize("shape", [SHAPE, PACKED])
def test_batch_is_what_the_pipeline_makes(spec, tiny_tokenizer, tiny_csv, tmp_path, shape):
    from tf_finetune.data.loading import load_splits
    from tf_finetune.options.data import DataConfig

    config = DataConfig(train=str(tiny_csv), cache_dir=str(tmp_path))
    train = load_splits(config, tiny_tokenizer)[0].train
    signature = batch_signature(train, packed=shape.texts_a_row is not None)

    batch = step_batch(spec.labels, shape)

    tf.nest.assert_same_structure(batch, signature)
    for value, spec in zip(tf.nest.flatten(batch), tf.nest.flatten(signature), strict=True):
        assert spec.is_compatible_with(tf.TensorSpec.from_tensor(value)), spec


@pytest.mark.parametrize(
    ("kind", "planted"),
    [
        ("EagerPyFunc", lambda x: tf.ensure_shape(tf.py_function(abs, [x], x.dtype), x.shape)),
        ("AsString", lambda x: tf.strings.to_number(tf.strings.as_string(x), x.dtype)),
    ],
)
def test_operation_that_no_tpu_runs_is_named_with_layer_and_line(model, spec, kind, planted):
    model.classifier.encoder.layers[1].activation = planted
    try:
        with pytest.raises(
            UnsupportedOperationError,
            match=rf"operation {kind} cannot run on a TPU: .*layer_\._1/feed_forward/{kind}.*"
            r"made in \S*test_lowering\.py:\d+ \(<lambda>\)",
        ):
            lower_step(model, spec.labels, SHAPE)
    finally:
        model.classifier.encoder.layers[1].activation = gelu


def test_message_of_the_tpu_compiler_gets_layer_and_line(model, step):
    line = next(text for text in step.hlo.splitlines() if "layer_._1" in text and "dot(" in text)
    instruction = re.search(r"%([\w.-]+)", line)[1]

    text = describe_error(f"INTERNAL: no emitter for %{instruction}", step)

    assert re.match(r"classifier/layer_\._1/\S+, made in \S*affine\.py:\d+ \(\w+\): ", text)
    assert text.endswith(f"no emitter for %{instruction}")
    assert describe_error("INTERNAL: no reason", step) == "INTERNAL: no reason"


@pytest.mark.parametrize("shape", [SHAPE, PACKED], ids=["alone", "packed"])
def test_a_step_that_answers_each_word_lowers_too(tiny_encoder, spec_for, shape):
    labels = unnamed_labels("token_classification", 5)
    files = EncoderFiles("tiny", tiny_encoder).read_by(labels.pooling)
    spec = spec_for(files, labels, freeze={"depth": 2})

    hlo = lower_step(build_step_model(spec), labels, shape).hlo

    assert f"s32[{shape.rows},16]" in hlo
    assert f"f32[{shape.rows * 16},5]" in hlo  # logits of a word a token


def test_a_step_that_answers_questions_lowers_too(tiny_encoder, spec_for):
    labels = unnamed_labels("span", 2)
    files = EncoderFiles("tiny", tiny_encoder).read_by(labels.pooling)
    spec = spec_for(files, labels, freeze={"depth": 2})

    hlo = lower_step(build_step_model(spec), labels, SHAPE).hlo

    assert "s32[4,1,3]" in hlo or "s32[4,3]" in hlo  # start, end and reads of a row
    assert "f32[64,2]" in hlo  # starts and ends of all tokens


@pytest.mark.parametrize("shape", [SHAPE, PACKED], ids=["alone", "packed"])
def test_a_step_that_chooses_lowers_too(tiny_encoder, spec_for, shape):
    labels = unnamed_labels("multiple_choice", 3)
    files = EncoderFiles("tiny", tiny_encoder).read_by(labels.pooling)
    spec = spec_for(files, labels, freeze={"depth": 2})

    hlo = lower_step(build_step_model(spec), labels, shape).hlo

    examples = shape.texts_a_row or 1
    assert f"s32[{shape.rows},{3 * examples}]" in hlo  # where choices begin
    assert f"f32[{shape.rows * examples},3]" in hlo  # logits of an example's choices
