"""Holds the price of a training step against the matrix products of its traced graph."""

import math

import tensorflow as tf

from tf_finetune.data.batch import text_rows
from tf_finetune.encoders.dropout import dropout_position
from tf_finetune.training.method_upkeep import upkeep_of

BATCH, LENGTH = 2, 8


def check_flops(classifier, spec):
    """FLOPs of `plan` are those of the graph's products, forward and backward."""
    cost = spec.cost(BATCH, LENGTH)
    upkeep = upkeep_of(classifier)

    def step(ids):
        with tf.GradientTape() as tape:
            with dropout_position(tf.constant([0, 0, 0], tf.int64)):
                logits = classifier(text_rows(ids, 0 * ids, 0 * ids + 1), training=True)
            results = [logits] if upkeep is None else [logits, upkeep.penalty()]
            loss = tf.add_n([tf.reduce_sum(result**2) for result in results])
        return results, tape.gradient(loss, classifier.trainable_weights)

    forward, gradients = traced(step)
    assert counted(forward) == cost.forward_flops
    assert counted(gradients) == cost.step_flops


def traced(function):
    """Tensors that a function of token ids [BATCH, LENGTH] gives, by result, of its graph."""
    ids = tf.TensorSpec([BATCH, LENGTH], tf.int32)
    graph = tf.function(function, autograph=False).get_concrete_function(ids)
    outputs = iter(graph.outputs)
    return [
        [next(outputs) for _ in tf.nest.flatten(result, expand_composites=True)]
        for result in graph.structured_outputs
    ]


def counted(outputs):
    """FLOPs of the matrix products that tensors of a graph depend on."""
    return sum(map(_flops, _products(outputs)))


def _products(outputs):
    """The matrix products that outputs depend on; TensorFlow prunes all others."""
    waiting, seen = [tensor.op for tensor in outputs], {}
    while waiting:
        op = waiting.pop()
        if op.name not in seen:
            seen[op.name] = op
            waiting += [*(tensor.op for tensor in op.inputs), *op.control_inputs]
    return [op for op in seen.values() if op.type in ("MatMul", "BatchMatMulV2")]


def _flops(op):
    x, y = (tensor.shape.as_list() for tensor in op.inputs)
    result = op.outputs[0].shape.as_list()
    assert None not in (*x, *result), f"{op.name}: {x} {y} {result}"
    transposed = op.get_attr("transpose_a" if op.type == "MatMul" else "adj_x")
    inner = x[-2] if transposed else x[-1]
    return 2 * math.prod(result) * inner
