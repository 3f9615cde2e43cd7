"""Packs real training steps for a machine that has jax and nothing else, and executes packages.

tools/device_check pack FOLDER            here; then, where FOLDER was carried to:
python FOLDER/run.py                      prints one table, in at most eight minutes
tools/device_check pack FOLDER --run      both, where this machine has the device
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.encoders.locating import EncoderFiles, fitted_inputs, resolve_encoder
from tf_finetune.errors import UserError, visible
from tf_finetune.preflight.environment import find_compiler
from trainers.arguments import whole_number
from trainers.cli import run_command
from trainers.preflight import parse_depths

# Its published configuration; weights do not matter for what a step takes.
BERT_BASE: dict[str, Any] = {
    "model_type": "bert",
    "architectures": ["BertModel"],
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "vocab_size": 30522,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    "initializer_range": 0.02,
}
MADE_UP = {"bert-base": BERT_BASE}
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
LARGEST_MIB = 60
OF_A_PACKAGE = ("arrays", "steps", "tf_finetune", "package.json", "run.py", "results.json")


def main(argv: Sequence[str]) -> int:
    """Packs and, if asked to, executes; returns the exit code."""
    arguments = _parser().parse_args(argv)
    config = ExperimentConfig.model_validate(
        {
            "data": {
                "train": arguments.data,
                "max_length": whole_number("--length", arguments.length, positive=True),
            },
            "training": {
                "padding": "max",
                "batch_size": whole_number("--batch-size", arguments.batch_size, positive=True),
            },
        }
    )
    precisions = arguments.precisions.split(",")
    wrong = [name for name in precisions if name not in PRECISIONS]
    if wrong:
        raise UserError(
            f"--precisions: received {', '.join(wrong)}; accepted: {', '.join(PRECISIONS)}"
        )
    compiler = find_compiler()
    folder, console = Path(arguments.folder), Console()
    _check_replaceable(folder)
    with tempfile.TemporaryDirectory() as scratch:
        found = [_encoder(name, Path(scratch)) for name in arguments.encoders.split(",")]

        from tf_finetune.preflight.device_check import pack_check

        package = pack_check(
            folder,
            _checked(config, found, arguments.depths),
            precisions,
            arguments.minutes,
            compiler,
            lambda name: console.print(f"packed {visible(name)}", highlight=False),
        )
    mib = package.bytes / 2**20
    size = f"{folder}: {mib:.1f} MiB"
    if mib > LARGEST_MIB:
        size += f", more than the {LARGEST_MIB} that a package should have; fewer depths take less"
    console.print(Text(visible(size)), soft_wrap=True)
    if arguments.run:
        from tf_finetune.preflight.running import execute

        return execute(folder, compiler)
    console.print(Text(visible(f"to execute it: python {folder}/run.py")), soft_wrap=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tools/device_check",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    pack = commands.add_parser("pack", help="write a package", description="Writes a package.")
    pack.add_argument("folder", metavar="FOLDER", help="where; an earlier package is replaced")
    pack.add_argument(
        "--encoders",
        default="auto,bert-base",
        help="encoder.name of each, or bert-base, whose weights are made up (default: "
        "%(default)s; auto: the real encoder that is found)",
    )
    pack.add_argument(
        "--depths", default="all", help="all, or a list such as 0,2,4 or 0-3 (default: all)"
    )
    pack.add_argument(
        "--precisions",
        default="float32,mixed_bfloat16",
        help="training.precision, a list (default: %(default)s)",
    )
    pack.add_argument("--batch-size", default="32", help="texts a step (default: %(default)s)")
    pack.add_argument("--length", default="128", help="tokens of a row (default: %(default)s)")
    pack.add_argument(
        "--data", default="builtin:docstrings", help="data.train (default: %(default)s)"
    )
    pack.add_argument(
        "--minutes",
        type=float,
        default=8.0,
        help="what executing may take; what does not fit is left out, and said to be (default: "
        "%(default)s)",
    )
    pack.add_argument(
        "--run",
        action="store_true",
        help="execute the package here at once, with the Python that TF_FINETUNE_JAX_PYTHON "
        "names, or else on the CPU",
    )
    return parser


def _check_replaceable(folder: Path) -> None:
    """Refuses a folder that holds something else than an earlier package."""
    if not folder.exists():
        return
    if not folder.is_dir() or any(path.name not in OF_A_PACKAGE for path in folder.iterdir()):
        raise UserError(
            f"FOLDER: {folder} holds something else; accepted: a folder that is not there yet, "
            "an empty one, or an earlier package, which is replaced"
        )


def _encoder(name: str, scratch: Path) -> tuple[EncoderFiles, bool]:
    """An encoder, and whether its weights have to be made up."""
    if name not in MADE_UP:
        return resolve_encoder(name, "auto", None), False
    folder = scratch / name
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(MADE_UP[name]), encoding="utf-8")
    return resolve_encoder(str(folder), "auto", None), True


def _checked(
    config: ExperimentConfig, found: Sequence[tuple[EncoderFiles, bool]], depths: str
) -> list[Any]:
    """The encoders with their data; one without a tokenizer takes the tokens of the one before."""
    from tf_finetune.data.loading import load_splits
    from tf_finetune.encoders.tokenizers import load_tokenizer
    from tf_finetune.preflight.device_check import Checked
    from tf_finetune.preflight.running import check_enough, first_examples
    from tf_finetune.sources.opening import check_sources

    check_sources(config.data)
    checked, splits = [], None
    for files, made in found:
        if not made:
            data = fitted_inputs(files, config.data)
            splits, data = load_splits(data, load_tokenizer(files), console=Console(quiet=True))
            config = config.model_copy(update={"data": data})
            check_enough(splits, config, config.training.batch_size, "--batch-size")
            splits = first_examples(splits, config.training.batch_size)
        if splits is None:
            raise UserError(
                f"--encoders: {files.path.name} has no tokenizer; accepted: after one that has"
            )
        checked.append(Checked(files, config, splits, parse_depths(depths, files), made))
    return checked


if __name__ == "__main__":
    raise SystemExit(run_command(main))
