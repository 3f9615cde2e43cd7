"""What labels are worth that `rank` asks for, against texts drawn at random.

A set whose labels are known is labelled round after round. Each round an exact head is solved on
what the untouched encoder says of the texts that are labelled by then, and scored on the test
split; it then says, by the code of `rank`, which texts come next. Each strategy begins with the
same texts drawn at random. Told are the mean scores over several draws, and of each strategy the
difference to random choice with its 95 % interval over the draws (Student's t of the pairs).
"""

import argparse
import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.benchmarks.data_sets import add_data_options
from tools.benchmarks.own_program import own_program
from tools.benchmarks.report_file import ReportFile
from tools.benchmarks.suite_inputs import add_output_option, at_least_two, positive
from tools.benchmarks.text_table import render_table

_RANDOM = "random"
_TEXTS = 4000
# 97.5 % points of Student's t by degrees of freedom; beyond, those of the normal distribution.
_T = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the suite."""
    add_data_options(parser, ["sst2", "snips"])
    parser.add_argument("--count", type=positive, default=20, help="texts a round")
    parser.add_argument("--rounds", type=positive, default=10, help="rounds")
    parser.add_argument("--draws", type=at_least_two, default=10, help="draws of the first texts")
    add_output_option(parser)


def run(arguments: argparse.Namespace, root: Path) -> int:
    """Runs the suite; returns the exit code."""
    report = ReportFile("rank", arguments, arguments.output, {})
    rows: list[dict[str, Any]] = []
    for name in arguments.sets:
        own = []
        for row in own_program(
            root,
            "rank_program",
            data=arguments.data.resolve(),
            set=name,
            encoder=arguments.encoder,
            texts=arguments.texts or _TEXTS,
            count=arguments.count,
            rounds=arguments.rounds,
            draws=arguments.draws,
        ):
            own.append(row)
            report.write({"rows": rows + own})
            told = f"{name}, draw {row['draw']}, {row['strategy']}"
            print(f"{told}: {row['scores'][0]:.4f} to {row['scores'][-1]:.4f}", flush=True)
        rows += own
        print("\n".join(render_table(table(name, own, arguments.count), left={0})), flush=True)
    print(report.name_below(root))
    return 0


def table(name: str, rows: Sequence[Mapping[str, Any]], count: int) -> list[list[str]]:
    """Of a set: a row a number of labels; random choice in scores, the others beside it.

    The last row is the mean over the rounds.

    Args:
        name: Of the set.
        rows: One a strategy and draw, each with its scores.
        count: Texts a round.
    """
    by_strategy: dict[str, dict[int, Sequence[float]]] = {}
    for row in rows:
        by_strategy.setdefault(row["strategy"], {})[row["draw"]] = _with_mean(row["scores"])
    random = by_strategy.pop(_RANDOM)
    columns = [[f"{statistics.fmean(scores):.3f}" for scores in zip(*random.values(), strict=True)]]
    for of_draws in by_strategy.values():
        pairs = [zip(scores, random[draw], strict=True) for draw, scores in of_draws.items()]
        gains = [[ours - theirs for ours, theirs in pair] for pair in pairs]
        columns.append([_difference(of_round) for of_round in zip(*gains, strict=True)])
    labels = [str(count * number) for number in range(1, len(columns[0]))]
    header = [f"{name}: labels", "random, accuracy", *(f"{one}, points" for one in by_strategy)]
    lines = zip([*labels, "mean of rounds"], *columns, strict=True)
    return [header, *map(list, lines)]


def _with_mean(scores: Sequence[float]) -> list[float]:
    """Scores, and their mean without the first texts, which are the same for all strategies."""
    return [*scores, statistics.fmean(scores[1:])]


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The 95 % interval of a mean, by Student's t; of at least 2 values."""
    mean, freedom = statistics.fmean(values), len(values) - 1
    t = _T[freedom - 1] if freedom <= len(_T) else statistics.NormalDist().inv_cdf(0.975)
    half = t * statistics.stdev(values) / math.sqrt(len(values))
    return mean - half, mean + half


def _difference(values: Sequence[float]) -> str:
    low, high = interval(values)
    return f"{100 * statistics.fmean(values):+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"
