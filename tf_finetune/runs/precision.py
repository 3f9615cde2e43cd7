"""Chooses what a training computes in where `training.precision` is auto.

The choice is made once, before the first step, and stands in the resolved configuration: whoever
goes on with a run or a search, or opens its model, finds it there and times nothing.
"""

import gc
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.config.saving import write_config
from tf_finetune.data.loading import Splits
from tf_finetune.data.splits import Split
from tf_finetune.models.rounding import BFLOAT16, rounding_share
from tf_finetune.models.spec import Spec, spec_of
from tf_finetune.models.weights import Weights
from tf_finetune.options.cache import CacheConfig
from tf_finetune.plans.precision import UNTIMED, ChosenPrecision, with_precision
from tf_finetune.plans.rates import number_of_steps
from tf_finetune.prefix.of_a_run import cached_states
from tf_finetune.storage.run_directory import RunDirectory
from tf_finetune.training.batch_shapes import training_shape
from tf_finetune.training.compiling import build_fine_tuner
from tf_finetune.training.device_precision import device_name, known_precision
from tf_finetune.training.fine_tuner import FineTuner, StepMemoryError
from tf_finetune.training.objectives import OBJECTIVES, Steps
from tf_finetune.training.step_timing import STEPS, TimedSteps, time_in_turn
from tf_finetune.training.strategy import ChosenStrategy

# Less is within what two timings of the same step differ by on a busy machine.
LEAST_GAIN = 1.1
_PRECISIONS = ("float32", "mixed_bfloat16")


class TimedPrecision(NamedTuple):
    """What `auto` came to.

    Attributes:
        chosen: The precision and why.
        model: The model that was timed in it, to be trained after a `reset`, so that it need not
            be traced again; None: none was.
    """

    chosen: ChosenPrecision
    model: FineTuner | None = None


def choose_precision(
    spec: Spec, splits: Splits, weights: Weights, chosen: ChosenStrategy
) -> TimedPrecision:
    """Times a few steps of the job in float32 and in bfloat16, and takes what pays.

    They are real steps: of the user's model, depth, batches and cached states, with the update.
    Afterwards nothing is left of them but the compiled model.

    Args:
        spec: The model, its solver and learning rate resolved.
        splits: The data; the first batches are used.
        weights: Where the model begins.
        chosen: The devices.
    """
    if spec.config.training.solver == "exact":
        return TimedPrecision(UNTIMED)
    known = known_precision(chosen)
    if known is not None:
        return TimedPrecision(known)
    models = [_model(spec, precision, weights, chosen) for precision in _PRECISIONS]
    try:
        timed = time_in_turn(models, [_first_batches(m, spec, splits, chosen) for m in models])
    except StepMemoryError as error:
        reason = f"two models side by side do not fit the memory to be compared ({error})"
        return TimedPrecision(ChosenPrecision("float32", reason))
    made = judged(
        dict(zip(_PRECISIONS, timed, strict=True)), loss_tolerance(spec), device_name(chosen)
    )
    model = models[_PRECISIONS.index(made.precision)]
    del models
    gc.collect()  # a Keras model is a web of cycles
    return TimedPrecision(made, model)


class BuiltModel(NamedTuple):
    """The model of a run, ready to be trained.

    Attributes:
        config: The configuration, its precision resolved.
        model: Compiled, as it is before fine-tuning.
        lines: What to tell of the precision, if `auto` chose it.
    """

    config: ExperimentConfig
    model: FineTuner
    lines: tuple[str, ...] = ()


def build_for_run(
    run: RunDirectory,
    config: ExperimentConfig,
    spec: Spec,
    splits: Splits,
    weights: Weights,
    chosen: ChosenStrategy,
) -> BuiltModel:
    """Builds the model of a run in the precision that it is to be trained in.

    What `auto` comes to is written into the run's folder before anything is trained.

    Args:
        run: Its folder, from `prepare_run`.
        config: The configuration that `prepare_run` gave.
        spec: The model.
        splits: The data.
        weights: Where the model begins.
        chosen: The devices.
    """
    spec = replace(spec, config=config)
    if config.training.precision != "auto":
        lines: tuple[str, ...] = ()
        if run.precision.is_file():
            lines = (f"precision: {config.training.precision}, as this run began with",)
        return BuiltModel(config, build_fine_tuner(spec, weights, chosen), lines)
    made, model = choose_precision(spec, splits, weights, chosen)
    config = with_precision(config, made.precision)
    run.write_json(run.precision, made.to_dict())
    write_config(config, run.config)
    if model is None:
        model = build_fine_tuner(replace(spec, config=config), weights, chosen)
    else:
        model.classifier.reset(config.training.seed)
    return BuiltModel(config, model, (made.line,))


def judged(timed: Mapping[str, TimedSteps], share: float, device: str) -> ChosenPrecision:
    """Takes bfloat16 where its median step is at least 10 % faster and its losses agree.

    Args:
        timed: Steps of the same batches in "float32" and "mixed_bfloat16".
        share: By how much of the mean loss two losses of a batch may differ.
        device: Its name, for people.
    """
    exact, half = (timed[precision] for precision in _PRECISIONS)
    ratio = exact.median / half.median
    difference = float(np.abs(np.subtract(exact.losses, half.losses)).max())
    tolerance = share * float(np.abs(exact.losses).mean())
    agree = difference <= tolerance  # NaN does not
    pays = ratio >= LEAST_GAIN
    times = f"{half.median:.3g} s against {exact.median:.3g} s, medians of {len(half.seconds)}"
    if ratio < 1.0:
        reason = f"a bfloat16 step takes {1 / ratio:.2g}x as long on {device} ({times})"
    else:
        reason = f"a bfloat16 step is {ratio:.3g}x as fast on {device} ({times})"
        if not pays:
            reason += f", less than {LEAST_GAIN:g}x"
    if pays and not agree:
        reason += f", but its losses differ by {difference:.2g}, more than {tolerance:.2g}"
    elif pays:
        reason += f" and its losses differ by {difference:.2g} of {tolerance:.2g} at most"
    return ChosenPrecision(
        "mixed_bfloat16" if pays and agree else "float32",
        reason,
        seconds={precision: timed[precision].median for precision in _PRECISIONS},
        losses={precision: timed[precision].losses for precision in _PRECISIONS},
        tolerance=tolerance,
    )


def loss_tolerance(spec: Spec) -> float:
    """By how much of its size rounding to the 8 bits of bfloat16 explains that a loss differs."""
    length = spec.config.data.max_length
    return rounding_share(spec.files, length, BFLOAT16)


def _model(spec: Spec, precision: str, weights: Weights, chosen: ChosenStrategy) -> FineTuner:
    own = spec_of(spec.config, spec.files, spec.labels, precision=precision)
    return build_fine_tuner(own, weights, chosen)


def _first_batches(
    model: FineTuner, spec: Spec, splits: Splits, chosen: ChosenStrategy
) -> tf.data.Dataset:
    """A few batches of training examples as the job would read them, with the model at its start.

    Where layers are frozen they hold states, as they mostly will: those of these few texts.
    """
    config = spec.config
    training = config.training
    packs = not splits.labels.joins_reads
    method = config.method
    shape = training_shape(training, config.data.max_length, chosen, method, packs=packs)

    def steps_of(split: Split) -> Steps:
        weights = np.ones(len(split), np.float32)
        objective = OBJECTIVES[method.learns_from]
        return objective.steps(split, splits.labels, weights, shape, training.seed)

    steps = steps_of(splits.train)
    examples = [steps.examples(step) for step in range(STEPS)]
    part = splits.train.select(np.unique(np.concatenate(examples)))
    if config.cache.mode != "off":
        cache = CacheConfig(mode="memory", dtype=config.cache.dtype)
        config = config.model_copy(update={"cache": cache})
    few = replace(splits, train=part, validation=None, test=None, folds=None)
    states = cached_states(model, few, config, chosen)
    model.start_run(training, number_of_steps(config, len(splits.train)))
    return steps_of(part).dataset(0, STEPS, states.get("train"))
