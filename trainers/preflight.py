"""Compiles the training step for TPUs that are not there: does it fit, how long may it take?

Or executes it, of real texts and weights, on the device that JAX sees: how long does it take?

Examples:
    python -m trainers.preflight freeze.depth=4 --chips v5e --batch-sizes 32,256
    python -m trainers.preflight --run --depths 0,4
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.batches import packing_problems
from tf_finetune.encoders.locating import EncoderFiles, configured_encoder, fitted_inputs
from tf_finetune.errors import UserError, visible
from tf_finetune.options.value_checks import check_layer_ranges
from tf_finetune.plans.freezing import parse_layers
from tf_finetune.plans.precision import with_precision
from tf_finetune.preflight.answers import AnswerCache
from tf_finetune.preflight.cells import Job, answer_cells
from tf_finetune.preflight.chips import parse_chips
from tf_finetune.preflight.environment import find_compiler
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.table import TASKS, check_able, unnamed_labels
from trainers.arguments import load_arguments, parse_arguments, whole_number
from trainers.cli import run_command


def main(argv: Sequence[str]) -> int:
    """Prints memory, FLOPs and estimated times of every cell; returns the exit code."""
    arguments = parse_arguments("preflight", argv)
    console = Console()
    config = _in_a_precision(load_arguments(arguments), console, executes=arguments.run)
    if config.data.task != "auto":
        check_able(config.data.task, "preflight")
    files = configured_encoder(config.encoder)
    chips = parse_chips(arguments.chips)
    depths = [config.freeze.depth]
    if arguments.depths is not None:
        depths = parse_depths(arguments.depths, files)
    devices = whole_number("--devices", arguments.devices, positive=True)
    examples = whole_number("--examples", arguments.examples, positive=True)
    batch_sizes = _batch_sizes(arguments.batch_sizes, config, devices)
    if arguments.run:
        return _run(config, files, depths, batch_sizes, Path(arguments.output), console)
    job = _job(arguments, config, files, devices)

    cells = []
    cache = AnswerCache(Path(config.data.cache_dir).expanduser() / "preflight")
    total = len(chips) * len(depths) * len(batch_sizes)
    with console.status(f"compiling; a new step takes a minute or more, {total} to do") as status:
        for cell in answer_cells(
            job, chips, depths, batch_sizes, cache=cache, compiler=find_compiler
        ):
            cells.append(cell)
            status.update(f"compiling, {total - len(cells)} of {total} to do")

    if all(cell.answer.failed for cell in cells):
        raise UserError(dict.fromkeys(str(cell.answer.error) for cell in cells))

    from tf_finetune.preflight.report import render_cells, write_report

    line = f"encoder {files.name}, {job.labels.num_logits} outputs"
    console.print(Text(visible(line)), soft_wrap=True)
    render_cells(console, job, cells, examples)
    for path in write_report(Path(arguments.output), job, cells, examples):
        console.print(Text(visible(f"wrote {path}")), soft_wrap=True)
    return 0


def _in_a_precision(
    config: ExperimentConfig, console: Console, *, executes: bool
) -> ExperimentConfig:
    """The precision that auto means on a TPU; on the device that JAX sees nothing is chosen."""
    if config.training.precision != "auto":
        return config
    if executes:
        raise UserError(
            "training.precision: received auto, and --run executes steps in one precision; "
            "accepted: float32, mixed_bfloat16, mixed_float16"
        )
    console.print("precision: mixed_bfloat16, which auto means on a TPU", highlight=False)
    return with_precision(config, "mixed_bfloat16")


def _run(
    config: ExperimentConfig,
    files: EncoderFiles,
    depths: Sequence[int],
    batch_sizes: Sequence[int],
    output: Path,
    console: Console,
) -> int:
    """Executes steps; 1 if one came out otherwise than TensorFlow's."""
    compiler = find_compiler()
    train = config.data.train or "builtin:docstrings"
    data = fitted_inputs(files, config.data.model_copy(update={"train": train}))

    from tf_finetune.data.loading import load_splits
    from tf_finetune.encoders.tokenizers import load_tokenizer
    from tf_finetune.preflight.running import run_steps
    from tf_finetune.sources.opening import check_sources

    check_sources(data)
    splits, data = load_splits(data, load_tokenizer(files))
    check_able(splits.labels.task, "preflight")
    _check_padding(config, splits.labels.task)
    config = config.model_copy(update={"data": data})
    console.print(Text(visible(f"encoder {files.name}, texts of {train}")), soft_wrap=True)
    folder = output / "steps"
    code = run_steps(config, files, splits, depths, batch_sizes, folder, compiler)
    console.print(Text(visible(f"wrote {folder / 'results.json'}")), soft_wrap=True)
    return code


def _job(
    arguments: argparse.Namespace, config: ExperimentConfig, files: EncoderFiles, devices: int
) -> Job:
    config = config.model_copy(update={"data": fitted_inputs(files, config.data)})
    task = Classes.task if config.data.task == "auto" else config.data.task
    _check_padding(config, task)
    num_labels = 1
    if TASKS[task].fewest_names:
        num_labels = whole_number("--num-labels", arguments.num_labels, positive=True)
    return Job(
        files,
        config,
        unnamed_labels(task, num_labels),
        config.data.max_length,
        _mean_tokens(arguments.mean_tokens, config),
        devices,
    )


def _check_padding(config: ExperimentConfig, task: str) -> None:
    problems = packing_problems(config.training.padding, TASKS[task])
    if problems:
        raise UserError(problems)


def _mean_tokens(text: str | None, config: ExperimentConfig) -> int:
    longest = config.data.max_length
    if text is None:
        return longest
    mean = whole_number("--mean-tokens", text, positive=True)
    if mean > longest:
        raise UserError(
            f"--mean-tokens: received {mean}; accepted: at most {longest} (data.max_length)"
        )
    return mean


def parse_depths(text: str, files: EncoderFiles) -> list[int]:
    """Frozen depths of an encoder, as `--depths` says them.

    Raises:
        UserError: They are not a list, or not of this encoder.
    """
    if text == "all":
        return files.depths
    try:
        depths = sorted(parse_layers(check_layer_ranges(text)))
    except ValueError:
        depths = [-1]
    if not depths or not 0 <= depths[0] <= depths[-1] <= files.num_layers:
        raise UserError(
            f"--depths: received {text!r}; accepted: all, or a list such as 0,2,4 or 0-3 of "
            f"depths from 0 to {files.num_layers}"
        )
    return depths


def _batch_sizes(text: str | None, config: ExperimentConfig, devices: int) -> list[int]:
    sizes = [config.training.batch_size]
    if text is not None:
        given = text.split(",")
        sizes = sorted({whole_number("--batch-sizes", size, positive=True) for size in given})
    pieces = devices * config.training.accumulation_steps
    problems = [
        f"--batch-sizes: {size} cannot be split evenly over {devices} devices and "
        f"{config.training.accumulation_steps} micro-batches (training.accumulation_steps); "
        f"accepted: multiples of {pieces}"
        for size in sizes
        if size % pieces
    ]
    if problems:
        raise UserError(problems)
    return sizes


if __name__ == "__main__":
    raise SystemExit(run_command(main))
