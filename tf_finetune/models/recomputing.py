"""Layers whose activations are computed again in the backward pass, and not kept for it.

Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost". `tf.recompute_grad` computes the
gradients of frozen variables too: what it gives hangs together, so that nothing of it is pruned.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import tensorflow as tf

from tf_finetune.encoders.dropout import at_this_place

States = Callable[[tf.Tensor], tf.Tensor]


def recomputed(function: States, trained: Sequence[tf.Variable], *, below: bool) -> States:
    """The same function, of which the backward pass keeps what it reads and gives alone.

    Args:
        function: From states to states.
        trained: Variables whose gradients are wanted; others that it reads have none.
        below: Whether the gradient of what it reads is wanted.
    """
    placed = at_this_place(function)
    known = {part.ref() for variable in trained for part in _parts(variable)}

    @tf.custom_gradient
    def computed(states: tf.Tensor) -> Any:
        def gradients(of_result: tf.Tensor, variables: Sequence[tf.Variable] = ()) -> Any:
            with tf.control_dependencies([of_result]):  # not at once with the forward pass
                again = tf.identity(states)
            wanted = [variable for variable in variables if variable.ref() in known]
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(wanted)
                if below:
                    tape.watch(again)
                with tf.control_dependencies([of_result]):
                    result = placed(again)
            sources = [again] if below else []
            found = tape.gradient(result, [*sources, *wanted], output_gradients=of_result)
            of_states = found[0] if below else tf.zeros_like(states)
            by_variable = dict(zip((v.ref() for v in wanted), found[len(sources) :], strict=True))
            of_variables = [by_variable.get(variable.ref()) for variable in variables]
            return (of_states, of_variables) if variables else of_states

        return placed(states), gradients

    return computed


def _parts(variable: tf.Variable) -> Iterable[tf.Variable]:
    """A variable, and its copies where each replica has one."""
    return (variable, *getattr(variable, "values", ()))
