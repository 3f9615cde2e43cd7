"""The command line that every measured program of the sweep suite understands."""

import argparse
import json
import time
from pathlib import Path
from typing import NamedTuple

from tools.benchmarks.sweep_measurement import WARMUP_STEPS

IMPORTED_AT = time.time()


class PlannedTrial(NamedTuple):
    """A trial to run, and for how many of the sweep it stands."""

    frozen_depth: int
    learning_rate: float
    stands_for: int


def sweep_parser(description: str) -> argparse.ArgumentParser:
    """A parser with the options that all programs have."""
    parser = argparse.ArgumentParser(description=description.split("\n", 1)[0])
    parser.add_argument("--model-dir", type=Path, required=True, help="pretrained BERT folder")
    parser.add_argument("--train", type=Path, required=True, help="TSV with text and label")
    parser.add_argument("--validation", type=Path, required=True, help="TSV with text and label")
    parser.add_argument("--rates", type=parse_rates, required=True, help="JSON: depth to rates")
    parser.add_argument("--epochs", type=int, required=True, help="epochs of a trial")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument(
        "--started-at", type=float, default=IMPORTED_AT, help="time.time() at process start"
    )
    return parser


def add_steps_option(parser: argparse.ArgumentParser) -> None:
    """Adds the option of the programs that can do with a part of the sweep."""
    parser.add_argument(
        "--steps",
        type=int,
        help="run one trial a depth and time this many of its steps, after a warm-up",
    )


def parse_rates(text: str) -> dict[int, tuple[float, ...]]:
    """Learning rates by depth, from what `format_rates` wrote."""
    return {int(depth): tuple(rates) for depth, rates in json.loads(text).items()}


def format_rates(rates: dict[int, tuple[float, ...]]) -> str:
    """Learning rates by depth as JSON, which is YAML too."""
    return json.dumps({str(depth): list(of_depth) for depth, of_depth in rates.items()})


def trials_to_run(rates: dict[int, tuple[float, ...]], steps: int | None) -> list[PlannedTrial]:
    """Every cell, deepest first, or one a depth if only steps are timed.

    How long a step takes does not depend on the rate, so the middle one stands for all.
    """
    deepest_first = sorted(rates.items(), reverse=True)
    if steps is None:
        return [PlannedTrial(depth, rate, 1) for depth, of in deepest_first for rate in of]
    return [PlannedTrial(depth, of[len(of) // 2], len(of)) for depth, of in deepest_first]


def steps_with_warmup(steps: int | None) -> int | None:
    """How many steps a shortened trial runs; None for all."""
    return None if steps is None else WARMUP_STEPS + steps
