"""Finds out how deep to fine-tune, and trains the answer.

Example:
    python -m trainers.search --config configs/docstrings_search.yaml
"""

import signal
import time
from collections.abc import Sequence

from rich.console import Console

from tf_finetune.machine.interruption import Interrupted
from trainers.arguments import load_arguments, parse_arguments
from trainers.cli import run_command
from trainers.going_on import says_how_to_go_on


def main(argv: Sequence[str]) -> int:
    """Searches, answers, and trains what it recommends; returns the exit code."""
    started = time.time()
    config = load_arguments(parse_arguments("search", argv))

    from tf_finetune.jobs.search import search, work
    from tf_finetune.searches.leading.roles import is_worker

    if is_worker():
        work(config)
        return 0
    console = Console()
    with says_how_to_go_on("search", console) as goes_on_in:
        if search(config, console, started, on_begin=goes_on_in).interrupted:
            raise Interrupted(signal.SIGINT)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_command(main))
