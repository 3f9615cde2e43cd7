"""The training step on a real batch: its program, what goes in, and what TensorFlow makes of it."""

import re
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.batch import Batch
from tf_finetune.data.loading import Splits
from tf_finetune.data.states import PrefixStates
from tf_finetune.preflight.device.comparison import WEIGHTS
from tf_finetune.preflight.lowering import lowered_step
from tf_finetune.training.batch_shapes import training_shape
from tf_finetune.training.fine_tuner import FineTuner
from tf_finetune.training.objectives import OBJECTIVES
from tf_finetune.training.strategy import without_strategy

# "input_output_alias={ {5}: (46, {}, may-alias), {6}: (47, {}, may-alias) }"
_ALIAS = re.compile(r"\{(\d+)\}: \((\d+), \{\}, m\w+-alias\)")


@dataclass(frozen=True)
class RealStep:
    """A training step with all that it takes to execute it elsewhere.

    Attributes:
        module: The program, a serialised HLO module.
        inputs: Its arguments in order: the batch, the model's variables, the optimiser's.
        results: Names of its first outputs, which are scalars.
        result_dtypes: Theirs.
        replaced: Of each further output the argument that it takes the place of.
        expected: The first outputs, by name, as TensorFlow computes them on this machine.
        updated: The further ones.
        groups: What each of these is of: the weights, one kind of the optimiser's slots, or
            counters such as running means.
        of_batch: How many of the inputs are the batch.
    """

    module: bytes
    inputs: tuple[np.ndarray, ...]
    results: tuple[str, ...]
    result_dtypes: tuple[str, ...]
    replaced: tuple[int, ...]
    expected: dict[str, float]
    updated: tuple[np.ndarray, ...]
    groups: tuple[str, ...]
    of_batch: int


def first_batch(
    splits: Splits, config: ExperimentConfig, states: PrefixStates | None = None
) -> Batch:
    """The first batch of a training for a device that compiles.

    Args:
        splits: The data.
        config: Sections `data` and `training` are used.
        states: What the batch holds in place of tokens.
    """
    training = config.training
    packs = not splits.labels.joins_reads
    strategy = without_strategy(compiles=True)
    shape = training_shape(training, config.data.max_length, strategy, config.method, packs=packs)
    train, labels = splits.train, splits.labels
    weights = labels.example_weights(training.class_weights, train.labels)
    objective = OBJECTIVES[config.method.learns_from]
    steps = objective.steps(train, labels, weights, shape, training.seed)
    return next(iter(steps.dataset(0, 1, states)))


def real_step(model: FineTuner, batch: Batch) -> RealStep:
    """Lowers a step, and executes it once here to know what should come out.

    Args:
        model: Where a run begins, see `FineTuner.start_run`; it takes the step.
        batch: What it learns from.

    Raises:
        UnsupportedOperationError: The step cannot be lowered.
    """
    lowered = lowered_step(model, batch)
    handles = lowered.concrete.captured_inputs
    tensors = tf.nest.flatten(batch)
    inputs = (*(np.asarray(t) for t in tensors), *map(_value, handles))
    aliases = {int(output): int(place) for output, place in _ALIAS.findall(lowered.text())}
    outputs = lowered.concrete.structured_outputs
    names = tuple(sorted(outputs))
    replaced = tuple(aliases[output] for output in sorted(aliases))
    groups = _groups(model)
    found = tf.function(model.step, autograph=False)(batch)
    return RealStep(
        module=lowered.module,
        inputs=inputs,
        results=names,
        result_dtypes=tuple(outputs[name].dtype.name for name in names),
        replaced=replaced,
        expected={name: float(found[name]) for name in names},
        updated=tuple(_value(handles[place - len(tensors)]) for place in replaced),
        groups=tuple(
            groups.get(id(handles[place - len(tensors)]), "counters") for place in replaced
        ),
        of_batch=len(tensors),
    )


def _groups(model: FineTuner) -> dict[int, str]:
    """Of each variable, by the identity of its handle; a slot's name is "m/classifier/kernel"."""
    found = {id(weight.handle): WEIGHTS for weight in model.classifier.by_path.values()}
    for slot in model.optimizer_state.variables:
        found[id(slot.handle)] = slot.name.partition("/")[0].partition(":")[0]
    return found


def _value(captured: tf.Tensor) -> np.ndarray:
    """A constant, or what stands in a variable."""
    if captured.dtype != tf.resource:
        return np.asarray(captured)
    data = captured._handle_data.shape_and_type[0]  # the dtype is known to the handle alone
    read = tf.raw_ops.ReadVariableOp(resource=captured, dtype=tf.dtypes.as_dtype(data.dtype))
    return np.array(read)
