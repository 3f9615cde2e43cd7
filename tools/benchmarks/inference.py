"""Answering texts, side by side: a PyTorch pipeline, TFBert's predict, and what `export` writes.

All answer the test texts of SST-2 with the same trained model, each in a process of its own on
the same cores, several passes each; a pass goes from strings to answers. Without --run a model
is trained first (MiniLM, 4 of 6 layers frozen), and kept for the next call.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools.benchmarks import inference_report, torch_environment
from tools.benchmarks.inference_measurement import parse_inference
from tools.benchmarks.inference_report import PIPELINE, InferenceRun
from tools.benchmarks.own_program import program_command
from tools.benchmarks.program_run import run_program
from tools.benchmarks.report_file import ReportFile
from tools.benchmarks.suite_inputs import (
    Inputs,
    add_input_options,
    find_inputs,
    find_own_python,
    positive,
)
from tools.benchmarks.torch_environment import BenchError

TEST = Path("sst2/test.tsv")
FORMS = ("huggingface", "savedmodel", "litert")
# By system: the module that answers, the part of the run's folder it reads, further options.
SYSTEMS: dict[str, tuple[str, str, dict[str, str]]] = {
    PIPELINE: ("pytorch_pipeline", "export/huggingface", {}),
    "tfbert-predict-128": ("tfbert_predict", "export/huggingface", {}),
    "ours-predict": ("own_predict", ".", {}),
    "ours-savedmodel": ("exported_forms", "export/savedmodel", {"form": "savedmodel"}),
    "ours-litert-float32": ("exported_forms", "export/litert", {"form": "litert-float32"}),
    "ours-litert-int8": ("exported_forms", "export/litert", {"form": "litert-int8"}),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the suite."""
    add_input_options(parser)
    parser.add_argument("--run", type=Path, help="finished run on texts with labels 0 and 1")
    parser.add_argument("--passes", type=positive, default=3, help="passes over the texts")
    parser.add_argument(
        "--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS), help="which to run"
    )


def run(arguments: argparse.Namespace, root: Path) -> int:
    """Runs the suite.

    Args:
        arguments: Options of `add_arguments`.
        root: Top folder of the clone.

    Returns:
        Exit code.

    Raises:
        BenchError: If something is missing or a program fails.
    """
    output = root / arguments.output
    python = find_own_python(root)
    inputs = find_inputs(arguments, root, output)
    test = arguments.data / TEST
    if not test.is_file():
        raise BenchError(f"--data: {arguments.data} lacks {TEST}")
    pythons = {"pytorch_pipeline": python}
    if PIPELINE in arguments.systems:
        pythons["pytorch_pipeline"] = torch_environment.ensure_torch_environment(root)
    model = prepare_run(arguments, python, inputs, test, root)
    weights = model / SYSTEMS[PIPELINE][1] / "model.safetensors"
    report = ReportFile("inference", arguments, output, {"test": test, "weights": weights})
    runs: dict[str, InferenceRun] = {}
    for name in arguments.systems:
        module, part, options = SYSTEMS[name]
        print(f"{name} ...", file=sys.stderr, flush=True)
        command = program_command(
            pythons.get(module, python),
            module,
            folder=model / part,
            texts=test.resolve(),
            passes=arguments.passes,
            **options,
        )
        runs[name] = run_program(command, root, parse_inference)
        report.write(inference_report.results(runs))
    print(inference_report.render(runs))
    print(f"written: {report.name_below(root)}")
    return 0


def prepare_run(
    arguments: argparse.Namespace, python: Path, inputs: Inputs, test: Path, root: Path
) -> Path:
    """The folder of a finished run with an export of each form, made where they are missing."""
    run = (arguments.run or root / arguments.output / "inference-run").resolve()
    if arguments.run is None and (run / "metrics.json").is_file():
        print(f"the model of an earlier call: {run}", file=sys.stderr)
    elif arguments.run is None:
        options = {
            "data.train": inputs.train,
            "data.validation": inputs.validation,
            "data.test": test.resolve(),
            "encoder.name": inputs.model_dir,
            "freeze.depth": 4,
            "training.learning_rate": 3e-4,
            "training.epochs": 3,
            "training.seed": arguments.seed,
            "evaluation.baselines": "false",
            "run.tensorboard": "false",
            "run.dir": run,
        }
        _own(python, root, "train", *(f"{name}={value}" for name, value in options.items()))
    missing = ",".join(name for name in FORMS if not (run / "export" / name).is_dir())
    if missing:
        _own(python, root, "export", run, "--to", missing)
    return run


def _own(python: Path, root: Path, verb: str, *words: Any) -> None:
    """Runs a command of this project with its output on stderr."""
    print(f"{verb} ...", file=sys.stderr, flush=True)
    command = [str(python), "-m", f"trainers.{verb}", *map(str, words)]
    result = subprocess.run(command, cwd=root, stdout=sys.stderr, check=False)
    if result.returncode:
        raise BenchError(f"exit code {result.returncode} from trainers.{verb}")
