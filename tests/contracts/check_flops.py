"""The price list's matrix products against those that are computed."""

import math

import tensorflow as tf

from tf_finetune.data.batch import text_rows
from tf_finetune.plans.arithmetic import plan_cost

BATCH, LENGTH = 3, 6


def check_flops(classifier):
    """Holds the FLOPs of a step, dropout off, against what its graph multiplies."""
    files, plan = classifier.files, classifier.plan
    weights = classifier.trainable_weights

    @tf.function(autograph=False)
    def step(ids):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            total = tf.reduce_sum(classifier(text_rows(ids, 0 * ids, ids), training=False))
        return total, [tf.convert_to_tensor(g) for g in tape.gradient(total, weights)]

    graph = step.get_concrete_function(tf.TensorSpec([BATCH, LENGTH], tf.int32))
    cost = plan_cost(
        plan,
        classifier.table,
        files.family,
        files.sizes,
        batch_size=BATCH,
        length=LENGTH,
        pooling=files.pooling,
    )
    total, *gradients = graph.outputs
    assert flops_of([total]) == cost.forward_flops
    assert flops_of([total, *gradients]) == cost.step_flops


def flops_of(outputs):
    """Of all matrix products that tensors of a graph depend on."""
    waiting, seen = [tensor.op for tensor in outputs], set()
    while waiting:
        operation = waiting.pop()
        if operation not in seen:
            seen.add(operation)
            waiting += [tensor.op for tensor in operation.inputs] + operation.control_inputs
    return sum(_flops(operation) for operation in seen)


def _flops(operation):
    if operation.type not in ("MatMul", "BatchMatMulV2"):
        return 0
    is_left_turned = operation.get_attr("transpose_a" if operation.type == "MatMul" else "adj_x")
    inner = operation.inputs[0].shape[-2 if is_left_turned else -1]
    return 2 * inner * math.prod(operation.outputs[0].shape)
