"""The real training step as HLO, the input language of the XLA compilers."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import tensorflow as tf

from tf_finetune.data.batch import (
    Batch,
    Consecutive,
    Inputs,
    PackedTexts,
    Texts,
    Tokens,
    WholeBatch,
)
from tf_finetune.errors import UserError
from tf_finetune.models.spec import Spec
from tf_finetune.models.weights import Untrained
from tf_finetune.preflight.program import NoAnswerError
from tf_finetune.preflight.step_shapes import StepShape
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.training.compiling import build_fine_tuner
from tf_finetune.training.fine_tuner import FineTuner
from tf_finetune.training.strategy import without_strategy

# "AsString (No registered 'AsString' OpKernel ...){{node layer_1/AsString}}"
_UNSUPPORTED = re.compile(r"(\w+) \(No registered '\1' OpKernel.*?\)\{\{node ([^}]+)\}\}")
_FRAME = re.compile(r'File "([^"]+)", line (\d+), in (\S+)')
_LIBRARIES = ("site-packages", "dist-packages")


class UnsupportedOperationError(NoAnswerError):
    """The step holds an operation that XLA, and so a TPU, cannot run."""


@dataclass(frozen=True)
class LoweredStep:
    """A training step of fixed shape.

    Attributes:
        module: The program, a serialised HLO module.
        text: Gives it as HLO text, without the values of large constants.
        source_of: Gives file, line and function of the operation with a name, as far as known.
    """

    module: bytes
    text: Callable[[], str]
    source_of: Callable[[str], str | None]

    @cached_property
    def hlo(self) -> str:
        """The text, to look operations up in."""
        return self.text()


class Lowered(NamedTuple):
    """A traced function and its HLO, whose parameters are its inputs in their order.

    Attributes:
        text: Gives it as text, without the values of large constants.
        module: It whole, serialised.
        concrete: What was traced.
    """

    text: Callable[[], str]
    module: bytes
    concrete: Any


def build_step_model(spec: Spec) -> FineTuner:
    """The model of a run, ready to train but for its weights, which do not matter here.

    No checkpoint is read: config.json decides what is computed.
    """
    return build_fine_tuner(spec, Untrained(), without_strategy(compiles=True))


def lower_step(model: FineTuner, labels: LabelSpace, shape: StepShape) -> LoweredStep:
    """Traces one training step and lowers it.

    Args:
        model: From `build_step_model`, or any that is compiled.
        labels: What the model answers.
        shape: Of the batch on the device.

    Raises:
        UnsupportedOperationError: With the operation, its layer and the line that made it.
    """
    return _described(lowered_step(model, step_batch(labels, shape)))


def lower_pass(model: FineTuner, labels: LabelSpace, shape: StepShape) -> LoweredStep:
    """Lowers the pass in which frozen layers fill the cache with a batch's states; as `lower_step`.

    Where nothing but the head trains and is solved exactly, no other work is the device's.
    """

    @tf.function(autograph=False, jit_compile=True)
    def fill_cache(inputs: Inputs) -> tf.Tensor:
        return model.classifier.boundary_states(inputs)

    return _described(_lowered(fill_cache, step_batch(labels, shape).inputs))


def _described(lowered: Lowered) -> LoweredStep:
    graph = lowered.concrete.graph
    return LoweredStep(lowered.module, lowered.text, lambda name: _source_in_graph(graph, name))


def lowered_step(model: FineTuner, batch: Batch) -> Lowered:
    """Traces a model's step for a batch and lowers it.

    Raises:
        UnsupportedOperationError: With the operation, its layer and the line that made it.
    """

    @tf.function(autograph=False, jit_compile=True)
    def train_step(batch: Batch) -> dict[str, tf.Tensor]:
        # The lowering binds no default: the step's other argument is only for several processes.
        return model.step(batch)

    return _lowered(train_step, batch)


def _lowered(function: Any, argument: Any) -> Lowered:
    concrete = function.get_concrete_function(argument)
    try:
        # Without platform_name: variables need a device to be on.
        lower = function.experimental_get_compiler_ir(argument)
        return Lowered(lambda: lower(stage="hlo"), lower(stage="hlo_serialized"), concrete)
    except (ValueError, tf.errors.OpError) as error:
        raise _named(str(error)) from None


def step_batch(labels: LabelSpace, shape: StepShape) -> Batch:
    """A batch of `training_dataset` with nothing in it."""
    packed = shape.texts_a_row is not None
    answers = reads_of_row = labels.most_reads(shape.length)
    if labels.several_texts:
        answers, reads_of_row = shape.texts_a_row or 1, (shape.texts_a_row or 1) * labels.num_logits
    elif packed and reads_of_row == 1:
        answers = reads_of_row = shape.texts_a_row or 1
    elif not (packed or labels.answers_each_read):
        answers = 1
    places = [shape.rows, answers]
    target_shape, dtype = labels.target_shape(labels.num_outputs)
    tokens = tf.zeros([shape.rows, shape.length], tf.int32)
    reads = tf.zeros([shape.rows, reads_of_row], tf.int32)
    several = packed or labels.several_texts
    texts = PackedTexts(tokens, tokens, reads) if several else Texts(tokens, reads)
    number = tf.constant(0, tf.int64)
    return Batch(
        inputs=Inputs(Tokens(tokens, tokens), texts),
        targets=tf.zeros([*places, *target_shape], dtype),
        weights=tf.zeros(places),
        place=Consecutive(number),
        whole=WholeBatch(number, number, tf.constant(1.0)),
    )


def _named(message: str) -> UserError:
    """Says in a line which operations stopped the lowering, and where they come from."""
    # The frames of the last operation follow the list; XLA describes no other.
    where = _innermost(_FRAME.findall(message))
    found = dict.fromkeys(_UNSUPPORTED.findall(message))
    if not found:
        first = message.strip().splitlines()[0]
        return UnsupportedOperationError(f"the training step cannot be lowered for XLA: {first}")
    return UnsupportedOperationError(
        [
            f"the operation {kind} cannot run on a TPU: {name}"
            + (f", made in {where}" if where and len(found) == 1 else "")
            for kind, name in found
        ],
        hint=None if len(found) == 1 or not where else f"The first is made in {where}",
    )


def _innermost(frames: list[tuple[str, str, str]]) -> str | None:
    """The last call that is not inside an installed library, or else the last."""
    own = [frame for frame in frames if not any(name in frame[0] for name in _LIBRARIES)]
    for file, line, function in (own or frames)[-1:]:
        return f"{'/'.join(Path(file).parts[-2:])}:{line} ({function})"
    return None


def _source_in_graph(graph: tf.Graph, name: str) -> str | None:
    try:
        operation = graph.get_operation_by_name(name)
    except (KeyError, ValueError):
        return None  # made by the compiler, or inside a loop
    frames = [(f.filename, str(f.lineno), f.name) for f in operation.traceback]
    return _innermost(frames)
