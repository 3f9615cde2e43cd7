"""Fine-tunes an encoder at a chosen depth.

Example:
    python -m trainers.train reviews.csv freeze.depth=4 training.learning_rate=3e-4
"""

import time
from collections.abc import Sequence

from rich.console import Console

from trainers.arguments import load_arguments, parse_arguments
from trainers.cli import run_command
from trainers.going_on import says_how_to_go_on


def main(argv: Sequence[str]) -> int:
    """Trains, scores and saves one model; returns the exit code."""
    started = time.time()
    config = load_arguments(parse_arguments("train", argv))

    from tf_finetune.jobs.train import train

    console = Console()
    with says_how_to_go_on("train", console) as goes_on_in:
        train(config, console, started, on_begin=goes_on_in)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_command(main))
