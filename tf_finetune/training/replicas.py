"""Runs a function on each replica's piece of a global batch."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tf_finetune.data.batch import Batch, Scattered
from tf_finetune.training.pipeline import rows_of


def on_replicas(
    strategy: tf.distribute.Strategy,
    function: Callable[..., Any],
    batch: Batch,
    *more: tf.Tensor,
    own: bool = False,
) -> Any:
    """What a function gives on each replica of this process, in order: a tuple.

    Args:
        strategy: Has the replicas.
        function: Runs on a replica; where it gives a dictionary, one of tuples is the result.
        batch: Of several processes all have the same, and each computes pieces of it.
        more: Further arguments, the same on all replicas of this process.
        own: Whether this process has the batch for itself instead.
    """
    count = strategy.num_replicas_in_sync
    if is_one_of_several(strategy) and (own or isinstance(batch.place, Scattered)):
        count = len(strategy.extended.worker_devices)
    rows = tf.shape(batch.weights)[0] // count
    pieces = strategy.experimental_distribute_values_from_function(
        lambda context: rows_of(batch, context.replica_id_in_sync_group % count * rows, rows)
    )
    results = strategy.run(function, args=(pieces, *more))
    if isinstance(results, dict):
        return {k: strategy.experimental_local_results(v) for k, v in results.items()}
    return strategy.experimental_local_results(results)


def is_one_of_several(strategy: tf.distribute.Strategy) -> bool:
    """Whether several processes compute together."""
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
