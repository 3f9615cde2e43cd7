"""Puts what a method of fine-tuning adds into the layers of an encoder."""

from collections.abc import Mapping

import tensorflow as tf

from tf_finetune.encoders.dropout import PositionalDropout
from tf_finetune.encoders.encoder import Encoder
from tf_finetune.models.merging import by_matrix
from tf_finetune.plans.freezing import FreezePlan

# Numbers of the places where a method drops units; an encoder's own are smaller.
_FIRST_SITE = 2**15
_SITES_OF_A_LAYER = 2**5


def change_products(encoder: Encoder, plan: FreezePlan, by_path: Mapping[str, tf.Variable]) -> None:
    """Lets every layer compute what the plan's method makes of it.

    Args:
        encoder: Changed in place.
        plan: With what its method adds.
        by_path: The variables.
    """
    numbers: dict[int, int] = {}
    for matrix, values in by_matrix((v, by_path[v.path]) for v in plan.added).items():
        for layer in sorted(matrix.layers):
            number = numbers[layer] = numbers.get(layer, -1) + 1
            site = _FIRST_SITE + layer * _SITES_OF_A_LAYER + number
            dropout = PositionalDropout(plan.method.drop_rate, site)
            plan.method.put_into(encoder, layer, matrix, values, dropout)
