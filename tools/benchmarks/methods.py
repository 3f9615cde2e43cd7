"""Methods by depth on real data: best rate, score with interval, seconds, memory, weights.

One search a data set tries every method at every depth. The encoder is MiniLM, for Chinese titles
give another one, such as a folder of multilingual E5.
"""

import argparse
import json
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.benchmarks.data_sets import (
    DATA_SETS,
    DataSet,
    add_data_options,
    run_command,
)
from tools.benchmarks.report_file import ReportFile
from tools.benchmarks.suite_inputs import add_output_option, find_own_python, positive
from tools.benchmarks.text_table import render_table

_HEADER = [
    *("data", "method", "depth", "best rate", "score", "interval", "below best"),
    *("s/epoch", "MiB", "trained"),
]
_WITHOUT = "head alone"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the suite."""
    add_data_options(parser, ["sst2-2000", "snips-2000"])
    parser.add_argument(
        "--methods",
        nargs="+",
        help="names, or settings such as '{name: lora, rank: 4}' (default: all that there are)",
    )
    parser.add_argument("--depths", default="all", help="frozen depths (default: all)")
    parser.add_argument("--epochs", type=positive, default=3, help="epochs of a trial")
    parser.add_argument("--seeds", type=positive, default=1, help="seeds of each cell")
    parser.add_argument(
        "--oracle",
        choices=("grid", "race"),
        default="grid",
        help="grid tries every rate; race leaves out what cannot be the answer (default: grid)",
    )
    add_output_option(parser)


def run(arguments: argparse.Namespace, root: Path) -> int:
    """Runs the suite; returns the exit code."""
    python = find_own_python(root)
    arguments.methods = arguments.methods or _all_methods(python, root)
    report = ReportFile("methods", arguments, arguments.output, {})
    rows: list[dict[str, Any]] = []
    answers: dict[str, str] = {}
    for name in arguments.sets:
        with tempfile.TemporaryDirectory(prefix="methods-") as folder:
            options = _options(DATA_SETS[name], arguments, Path(folder))
            run_command([str(python), "-m", "trainers.search", *options], root)
            found = json.loads((Path(folder) / "run/search.json").read_text())
        answers[name] = found["answer"]
        own = [{"data": name} | row for row in _rows(found)]
        rows += own
        report.write({"rows": rows, "answers": answers})
        print("\n".join(render_table([_HEADER, *map(_shown, own)], left={0, 1})), flush=True)
        print(f"{name}: {answers[name]}", flush=True)
    print(report.name_below(root))
    return 0


def _all_methods(python: Path, root: Path) -> list[str]:
    """The names in the table of methods."""
    asked = "from tf_finetune.methods.table import METHODS; print(*METHODS)"
    result = subprocess.run(
        [str(python), "-c", asked], cwd=root, capture_output=True, text=True, check=True
    )
    return result.stdout.split()


def _options(data: DataSet, arguments: argparse.Namespace, folder: Path) -> list[str]:
    """Of a search."""
    return [
        *data.options_in(arguments.data, arguments.texts, arguments.encoder),
        *(f"training.epochs={arguments.epochs}", f"search.depths={arguments.depths}"),
        f"search.seeds={','.join(map(str, range(arguments.seeds)))}",
        f"search.methods=[{', '.join(arguments.methods)}]",
        *(f"search.oracle={arguments.oracle}", f"data.cache_dir={folder}/tokens"),
        f"run.dir={folder}/run",
    ]


def _rows(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row a method and depth, by method and then depth, the head alone first."""
    names = ("score", "low", "high", "seconds_per_epoch", "peak_memory_bytes")
    results = found["recommendation"]["depths"]
    several = any("method" in result for result in results)
    only = found["config"]["method"]["name"]  # which the answer does not name
    rows = [
        {
            "method": result["method"] if several else only,
            "depth": result["cell"]["frozen_depth"],
            "layers_used": result["cell"]["extra"].get("encoder.layers"),
            "learning_rate": result["cell"]["learning_rate"],
            **{name: result[name] for name in (*names, "trainable_parameters")},
            "below_best": (result["to_best"] or {"difference": 0.0})["difference"],
            "seeds": len(result["seeds"]),
        }
        for result in results
    ]
    return sorted(rows, key=lambda row: (row["method"] or "", row["depth"]))


def _shown(row: Mapping[str, Any]) -> list[str]:
    rate, used, memory = row["learning_rate"], row["layers_used"], row["peak_memory_bytes"]
    return [
        *(row["data"], row["method"] or _WITHOUT),
        str(row["depth"]) if used is None else f"first {used}",
        "exact" if rate is None else f"{rate:.1e}",
        *(f"{row['score']:.4f}", f"{row['low']:.3f} to {row['high']:.3f}"),
        f"{row['below_best']:.4f}",
        f"{row['seconds_per_epoch']:.1f}",
        "" if memory is None else f"{memory / 2**20:,.0f}",
        f"{row['trainable_parameters']:,}",
    ]
