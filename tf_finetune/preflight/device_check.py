"""Packs the steps of whole encoders for a machine that has jax and nothing of this project.

The package is small, so weights are told from what they are: real ones are rounded to bfloat16 and
leave out the vectors of tokens that the batch does not have, those of an encoder without weights
come from a seed, as do cached states. TensorFlow computes from the very same numbers here.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.batch import Batch, States
from tf_finetune.data.loading import Splits
from tf_finetune.data.states import PrefixStates
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.models.spec import Spec, spec_of
from tf_finetune.models.weights import Untrained, Weights, pretrained
from tf_finetune.options.freeze import FreezeConfig
from tf_finetune.plans.rates import number_of_steps
from tf_finetune.prefix.layout import Layout
from tf_finetune.preflight.device.arrays import ArrayStore, as_bfloat16
from tf_finetune.preflight.environment import Compiler
from tf_finetune.preflight.real_step import RealStep, first_batch, real_step
from tf_finetune.preflight.running import (
    at_one_batch,
    by_steps,
    label_of,
    rows_and_length,
    step_of,
)
from tf_finetune.preflight.step_package import StepOf, StepPackage
from tf_finetune.training.compiling import build_fine_tuner
from tf_finetune.training.fine_tuner import FineTuner
from tf_finetune.training.strategy import without_strategy

# Values of every updated array that are compared, besides the mean square of all.
_COMPARED = 64
# Spread evenly so, weights deviate by 0.02, as BERT's new ones do.
_WEIGHT_SPREAD = 0.02 * 3**0.5
_SEED_OF_STATES = 10_000  # and up, above those of the weights


@dataclass(frozen=True)
class Checked:
    """An encoder whose steps are packed.

    Attributes:
        files: The encoder.
        config: Sections `data` and `training` are used.
        splits: The data; all training examples are one batch.
        depths: Frozen depths.
        made: Whether weights are made from a seed, as the encoder has none.
    """

    files: EncoderFiles
    config: ExperimentConfig
    splits: Splits
    depths: Sequence[int]
    made: bool

    @property
    def weights(self) -> str:
        """What its values are, for the table."""
        if self.made:
            return "made-up weights and states, from a seed"
        return (
            "its own weights, rounded to bfloat16; tokens that the batch does not have are zero; "
            "made-up states"
        )


def pack_check(
    folder: Path,
    encoders: Sequence[Checked],
    precisions: Sequence[str],
    minutes: float,
    compiler: Compiler,
    tell: Callable[[str], None],
) -> StepPackage:
    """Writes a package of all depths of some encoders; what tells most is executed first.

    Args:
        folder: Where; replaced.
        encoders: What is packed.
        precisions: `training.precision`, each.
        minutes: What executing it may take.
        compiler: Whose environment turns HLO into StableHLO.
        tell: Is given the name of each step that is packed.

    Raises:
        NoAnswerError: A step cannot be lowered or converted.
    """
    package = StepPackage(folder, compiler, _COMPARED)
    ranked = []
    for encoder in encoders:
        depths = spread_out(encoder.depths)
        for precision in precisions:
            for rank, depth in enumerate(depths):
                for what, step in steps_at_depth(encoder, precision, depth, package.arrays):
                    package.add(what, step)
                    ranked.append((rank / len(depths), what))
                    tell(what.name)
    ranked.sort(key=lambda pair: pair[0])
    weights = {label_of(encoder.files): encoder.weights for encoder in encoders}
    package.finish([what.name for _, what in ranked], weights, minutes)
    return package


def spread_out(depths: Sequence[int]) -> list[int]:
    """Depths so that any first few of them are far apart: the ends, the middle, the quarters."""
    left = sorted(set(depths))
    found = [left.pop(0)] if left else []
    while left:
        # Of those that are equally far from all before, the deepest.
        farthest = max(left, key=lambda depth: (min(abs(depth - f) for f in found), depth))
        left.remove(farthest)
        found.append(farthest)
    return found


def steps_at_depth(
    encoder: Checked, precision: str, depth: int, store: ArrayStore
) -> Iterator[tuple[StepOf, RealStep]]:
    """The first step of a training with tokens and, where layers are frozen, with states."""
    config = encoder.config.model_copy(update={"training": by_steps(encoder.config)})
    labels, examples = encoder.splits.labels, len(encoder.splits.train)
    freeze = FreezeConfig(depth=depth)
    spec = spec_of(config, encoder.files, labels, freeze=freeze, precision=precision)
    start: Weights = Untrained()
    if not encoder.made:
        start = pretrained(encoder.files, labels, encoder.splits.train.labels)
    model = build_fine_tuner(spec, start, without_strategy(compiles=True))
    config = at_one_batch(spec, examples)
    batch = first_batch(encoder.splits, config)
    tokens: Any = batch.inputs.content
    rows = np.unique(tokens.ids)
    shape = rows_and_length(batch)
    values = _values(model, spec, rows, store, made=encoder.made)
    for cached in (False, True) if depth else (False,):
        model.start_run(config.training, number_of_steps(config, examples))
        for path, value in values.items():
            model.classifier.by_path[path].assign(value)
        if cached:
            states = empty_states(model, encoder.splits)
            batch = _with_seeded_states(first_batch(encoder.splits, config, states), depth, store)
        yield step_of(spec, examples, shape, cached), real_step(model, batch)


def _values(
    model: FineTuner, spec: Spec, rows: np.ndarray, store: ArrayStore, *, made: bool
) -> dict[str, np.ndarray]:
    """Values that take little room, by path."""
    found = {}
    for number, variable in enumerate(spec.variables):
        value = model.classifier.by_path[variable.path].numpy()
        if made:
            if np.ptp(value) > 0:  # else a bias or the scale of a norm, which stays
                value = store.seeded(value.shape, number, _WEIGHT_SPREAD)
        else:
            value = as_bfloat16(value)
            if variable.kind == "embedding" and len(value) == spec.files.sizes.vocabulary:
                value[np.setdiff1d(np.arange(len(value)), rows)] = 0.0
        found[variable.path] = value
    return found


def empty_states(model: FineTuner, splits: Splits) -> PrefixStates:
    """States of the training examples, all zero, as the cache would lay them out."""
    classifier = model.classifier
    layout = Layout(
        split=splits.train,
        depth=classifier.plan.frozen_depth,
        hidden=classifier.files.sizes.hidden,
        dtype=np.dtype(classifier.states_dtype.as_numpy_dtype),
        reads_only=classifier.plan.frozen_depth == classifier.plan.num_layers,
    )
    values = np.zeros((layout.tokens, layout.hidden), layout.dtype)
    return PrefixStates(values, layout.starts, layout.lengths, layout.depth, layout.reads_only)


def _with_seeded_states(batch: Batch, depth: int, store: ArrayStore) -> Batch:
    zeros: Any = batch.inputs.content
    shape, dtype = tuple(zeros.values.shape), zeros.values.dtype.name
    values = store.seeded(shape, _SEED_OF_STATES + depth, 1.0, dtype)
    inputs = batch.inputs._replace(content=States(tf.constant(values)))
    return batch._replace(inputs=inputs)
