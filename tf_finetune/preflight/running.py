"""Executes real training steps through JAX on whatever device it sees."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.loading import Splits
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.errors import UserError
from tf_finetune.models.spec import Spec, spec_of
from tf_finetune.models.weights import pretrained
from tf_finetune.plans.rates import number_of_steps, resolve_rate
from tf_finetune.prefix.of_a_run import cached_states
from tf_finetune.preflight.environment import Compiler
from tf_finetune.preflight.real_step import RealStep, first_batch, real_step
from tf_finetune.preflight.step_package import StepOf, write_package
from tf_finetune.training.compiling import build_fine_tuner
from tf_finetune.training.fine_tuner import FineTuner
from tf_finetune.training.strategy import without_strategy

DEVICE_PYTHON = "TF_FINETUNE_JAX_PYTHON"
# Not imported: it is for an interpreter that has jax.
SCRIPT = Path(__file__).with_name("device_script.py")


def packed_steps(
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
    most = max(batch_sizes)
    if len(splits.train) < most:
        raise UserError(
            f"--batch-sizes: received {most}, and {config.data.train} has {len(splits.train)} "
            "training examples; accepted: up to as many"
        )
    training = config.training.model_copy(update={"solver": "steps"})
    cache = config.cache.model_copy(update={"mode": "memory"})
    config = config.model_copy(update={"training": training, "cache": cache})
    start = pretrained(files, splits.labels, splits.train.labels)
    for depth in depths:
        freeze = config.freeze.model_copy(update={"depth": depth})
        spec = spec_of(config, files, splits.labels, freeze=freeze)
        model = build_fine_tuner(spec, start, without_strategy(compiles=True))
        for batch_size in batch_sizes:
            batch = replace(
                splits, train=splits.train.select(np.arange(batch_size)), validation=None, test=None
            )
            yield from _steps(model, spec, batch)


def _steps(model: FineTuner, spec: Spec, splits: Splits) -> Iterator[tuple[StepOf, RealStep]]:
    """Of all training examples in one batch, with tokens and, where layers are frozen, states."""
    depth, batch_size = spec.config.freeze.depth, len(splits.train)
    training = spec.config.training.model_copy(update={"batch_size": batch_size})
    config = spec.config.model_copy(update={"training": training})
    config, _ = resolve_rate(config, spec.plan, batch_size)
    states = cached_states(model, splits, config, without_strategy(compiles=True))
    cost = spec.cost(batch_size, splits.train.mean_length)
    for cached in (False, True) if states else (False,):
        model.classifier.reset(config.training.seed)
        model.start_run(config.training, number_of_steps(config, batch_size))
        step = real_step(model, first_batch(splits, config, states["train"] if cached else None))
        name = f"depth{depth}-batch{batch_size}-{'states' if cached else 'tokens'}"
        yield (
            StepOf(
                name=name,
                depth=depth,
                batch_size=batch_size,
                length=splits.train.mean_length,
                precision=training.precision,
                cached=cached,
                flops=cost.cached_step_flops if cached else cost.step_flops,
            ),
            step,
        )


def execute(folder: Path, compiler: Compiler) -> int:
    """Executes all packed steps in a folder and prints their table.

    The interpreter that `TF_FINETUNE_JAX_PYTHON` names does it on the device that its JAX sees;
    without, the compiler's own on this machine's CPU.

    Returns:
        The script's exit code: 1 if a step came out otherwise than TensorFlow's.
    """
    script = shutil.copy(SCRIPT, folder / "device_script.py")
    python = os.environ.get(DEVICE_PYTHON)
    environment = os.environ if python else {**os.environ, "JAX_PLATFORMS": "cpu"}
    command = [python or str(compiler.python), "-I", str(script), str(folder)]
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
        config: As for `packed_steps`, as are the next four.
        files: The encoder.
        splits: The data.
        depths: Frozen depths.
        batch_sizes: Examples a step.
        folder: Where the steps go; those of an earlier call are replaced.
        compiler: Whose environment converts and, unless another is named, executes.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for what, step in packed_steps(config, files, splits, depths, batch_sizes):
        write_package(folder, what, step, compiler)
    return execute(folder, compiler)
