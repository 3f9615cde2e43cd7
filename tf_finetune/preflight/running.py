"""Executes real training steps through JAX on whatever device it sees."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.batch import Batch, PackedTexts
from tf_finetune.data.loading import Splits
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.errors import UserError
from tf_finetune.models.spec import Spec, spec_of
from tf_finetune.models.weights import pretrained
from tf_finetune.options.training import TrainingConfig
from tf_finetune.plans.rates import number_of_steps, resolve_rate
from tf_finetune.prefix.of_a_run import cached_states
from tf_finetune.preflight.environment import Compiler
from tf_finetune.preflight.real_step import RealStep, first_batch, real_step
from tf_finetune.preflight.step_package import RUN_FILE, StepOf, StepPackage
from tf_finetune.training.compiling import build_fine_tuner
from tf_finetune.training.fine_tuner import FineTuner
from tf_finetune.training.strategy import without_strategy

DEVICE_PYTHON = "TF_FINETUNE_JAX_PYTHON"


def real_steps(
    config: ExperimentConfig,
    files: EncoderFiles,
    splits: Splits,
    depths: Sequence[int],
    batch_sizes: Sequence[int],
) -> Iterator[tuple[StepOf, RealStep]]:
    """The first step of a training at every depth and batch size, with tokens and with states.

    Args:
        config: Sections `data`, `freeze`, `method` and `training` are used.
        files: The encoder, with weights.
        splits: The data; no more than a batch is read of them.
        depths: Frozen depths.
        batch_sizes: Examples a step.

    Raises:
        UserError: There are fewer examples than a batch takes.
    """
    check_enough(splits, config, max(batch_sizes), "--batch-sizes")
    cache = config.cache.model_copy(update={"mode": "memory"})
    config = config.model_copy(update={"training": by_steps(config), "cache": cache})
    start = pretrained(files, splits.labels, splits.train.labels)
    for depth in depths:
        freeze = config.freeze.model_copy(update={"depth": depth})
        spec = spec_of(config, files, splits.labels, freeze=freeze)
        model = build_fine_tuner(spec, start, without_strategy(compiles=True))
        for batch_size in batch_sizes:
            yield from _steps(model, spec, first_examples(splits, batch_size))


def check_enough(splits: Splits, config: ExperimentConfig, wanted: int, option: str) -> None:
    """Refuses batches of more examples than there are."""
    if len(splits.train) < wanted:
        raise UserError(
            f"{option}: received {wanted}, and {config.data.train} has {len(splits.train)} "
            "training examples; accepted: up to as many"
        )


def by_steps(config: ExperimentConfig) -> TrainingConfig:
    """The section `training` for a head that is trained by steps even where it could be solved."""
    return config.training.model_copy(update={"solver": "steps"})


def first_examples(splits: Splits, count: int) -> Splits:
    """A training split of as many examples, and no other."""
    train = splits.train.select(np.arange(count))
    return replace(splits, train=train, validation=None, test=None)


def _steps(model: FineTuner, spec: Spec, splits: Splits) -> Iterator[tuple[StepOf, RealStep]]:
    """Of all training examples in one batch, with tokens and, where layers are frozen, states."""
    config = at_one_batch(spec, len(splits.train))
    states = cached_states(model, splits, config, without_strategy(compiles=True))
    shape = rows_and_length(first_batch(splits, config))
    for cached in (False, True) if states else (False,):
        begin(model, config, len(splits.train))
        batch = first_batch(splits, config, states["train"] if cached else None)
        yield step_of(spec, len(splits.train), shape, cached), real_step(model, batch)


def at_one_batch(spec: Spec, examples: int) -> ExperimentConfig:
    """The configuration of a spec for a training whose examples are one batch."""
    training = spec.config.training.model_copy(update={"batch_size": examples})
    config = spec.config.model_copy(update={"training": training})
    return resolve_rate(config, spec.plan, examples)[0]


def begin(model: FineTuner, config: ExperimentConfig, examples: int) -> None:
    """Puts a model where a training of these examples begins."""
    model.classifier.reset(config.training.seed)
    model.start_run(config.training, number_of_steps(config, examples))


def rows_and_length(batch: Batch) -> tuple[int, int]:
    """Of a batch of tokens; states of reads alone have other rows."""
    texts = batch.inputs.texts
    rows, length = (texts.segment_ids if isinstance(texts, PackedTexts) else texts.mask).shape
    return int(rows), int(length)


def step_of(spec: Spec, examples: int, shape: tuple[int, int], cached: bool) -> StepOf:
    """Describes a step; its FLOPs are those of all rows of tokens, padding included."""
    config, (rows, length) = spec.config, shape
    cost = spec.cost(rows, length)
    depth, precision = config.freeze.depth, config.training.precision
    encoder = label_of(spec.files)
    reads = "states" if cached else "tokens"
    return StepOf(
        name=f"{encoder}-{precision}-depth{depth}-batch{examples}-{reads}",
        encoder=encoder,
        depth=depth,
        batch_size=examples,
        length=length,
        precision=precision,
        cached=cached,
        flops=cost.cached_step_flops if cached else cost.step_flops,
    )


def label_of(files: EncoderFiles) -> str:
    """What a table calls an encoder: its name without "package:" or the folders that it is in."""
    return Path(files.name.rpartition(":")[2]).name


def execute(folder: Path, compiler: Compiler) -> int:
    """Executes all packed steps in a folder and prints their table.

    The interpreter that `TF_FINETUNE_JAX_PYTHON` names does it on the device that its JAX sees;
    without, the compiler's own on this machine's CPU.

    Returns:
        The script's exit code: 1 if a step came out otherwise than TensorFlow's.
    """
    python = os.environ.get(DEVICE_PYTHON)
    environment = os.environ if python else {**os.environ, "JAX_PLATFORMS": "cpu"}
    command = [python or str(compiler.python), "-I", str(folder / RUN_FILE)]
    return subprocess.run(command, env=environment, check=False).returncode


def run_steps(
    config: ExperimentConfig,
    files: EncoderFiles,
    splits: Splits,
    depths: Sequence[int],
    batch_sizes: Sequence[int],
    folder: Path,
    compiler: Compiler,
) -> int:
    """Packs steps and executes them; gives the exit code of `execute`.

    Args:
        config: As for `real_steps`, as are the next four.
        files: The encoder.
        splits: The data.
        depths: Frozen depths.
        batch_sizes: Examples a step.
        folder: Where the steps go; those of an earlier call are replaced.
        compiler: Whose environment converts and, unless another is named, executes.
    """
    package, names, weights = StepPackage(folder, compiler), [], {}
    for what, step in real_steps(config, files, splits, depths, batch_sizes):
        package.add(what, step)
        names.append(what.name)
        weights[what.encoder] = "its own weights"
    package.finish(names, weights)
    return execute(folder, compiler)
