"""Executes the steps of a package on the first device that JAX sees, within a given time.

Steps are compiled first, several at once, and then timed one after the other, so that nothing
else runs beside a step that is timed.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

_COMPILING_SHARE = 0.6  # of all time
_MOST_COMPILERS = 8
_OUT_OF_TIME = "as the time was up"


def main(folder: Path, argv: Sequence[str] | None = None) -> int:
    """Executes what is packed in a folder and prints one table.

    Returns:
        1 if a step came out otherwise than it should, or could not be executed.
    """
    begun = time.monotonic()
    package = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    arguments = _parse(argv, package)
    until = float("inf") if not arguments.minutes else begun + 60 * arguments.minutes
    # Memory is taken as it is needed: what else runs on the device keeps its own.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    import jax

    from tf_finetune.preflight.device.rates import measure_rates
    from tf_finetune.preflight.device.table import left_out_lines, table_lines, verdict_lines

    jax.config.update("jax_enable_x64", True)  # steps are counted in 64 bits
    # Products of float32 in float32, as TensorFlow computes them on a CPU.
    jax.config.update("jax_default_matmul_precision", "highest")
    device = jax.devices()[0]
    rates = measure_rates()
    left_out: dict[str, str] = {}
    results: list[dict[str, Any]] = []
    for found in _executed(
        folder, package["steps"], arguments.steps, begun, until, rates, left_out
    ):
        results.append(found)
        content = {
            "device": device.device_kind,
            "platform": device.platform,
            "jax": jax.__version__,
            "product_rates": rates.products,
            "bandwidth": rates.bandwidth,
            "steps": results,
            "left_out": left_out,
            **{name: package[name] for name in ("made_on", "weights")},
        }
        (folder / "results.json").write_text(json.dumps(content, indent=1), encoding="utf-8")
    products = ", ".join(f"{name} {rate / 1e12:.2f}" for name, rate in rates.products.items())
    print(f"{device.device_kind} ({device.platform}), jax {jax.__version__}")
    print(f"reached: products in TFLOP/s: {products}; memory {rates.bandwidth / 1e9:,.0f} GB/s")
    print(f"held against: {package['made_on']}")
    for encoder, weights in package["weights"].items():
        print(f"{encoder}: {weights}")
    for line in (*table_lines(results), *verdict_lines(results), *left_out_lines(left_out)):
        print(line)
    print(f"took {time.monotonic() - begun:,.0f} s", flush=True)
    failed = [reason for reason in left_out.values() if reason != _OUT_OF_TIME]
    return int(bool(failed) or not results or not all(found["agrees"] for found in results))


def _parse(argv: Sequence[str] | None, package: dict[str, Any]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, prog="python run.py")
    parser.add_argument("--steps", type=int, default=20, help="executions that are timed")
    parser.add_argument(
        "--minutes",
        type=float,
        default=package["minutes"],
        help="what does not fit is left out, and said to be; 0: everything is executed (default: "
        "%(default)s)",
    )
    arguments = parser.parse_args(argv)
    if arguments.steps < 1 or arguments.minutes < 0:
        parser.error("--steps: accepted: at least 1; --minutes: accepted: 0 or more")
    return arguments


def _executed(
    folder: Path,
    names: Sequence[str],
    steps: int,
    begun: float,
    until: float,
    rates: Any,
    left_out: dict[str, str],
) -> Iterator[dict[str, Any]]:
    """Results of the steps for which there is time; `left_out` gets the others' reasons."""
    from tf_finetune.preflight.device.arrays import ArrayStore
    from tf_finetune.preflight.device.execution import read_meta, run_step

    store = ArrayStore(folder / "arrays")
    compiled_until = begun + _COMPILING_SHARE * (until - begun)
    longest = 0.0
    for name, compiled in compiled_steps(folder, names, compiled_until, left_out):
        asked = time.monotonic()
        if asked + longest > until:
            left_out[name] = _OUT_OF_TIME
            continue
        meta = read_meta(folder, name)
        print(f"executing {name}", file=sys.stderr, flush=True)
        program, compile_seconds = compiled
        try:
            found = run_step(folder, meta, program, store, steps, rates)
        except Exception as error:  # such as memory that one step needs: others need less
            left_out[name] = _said(error)
            continue
        longest = max(longest, time.monotonic() - asked)
        yield {**found, "compile_seconds": compile_seconds}


def compiled_steps(
    folder: Path, names: Sequence[str], until: float, left_out: dict[str, str]
) -> list[tuple[str, Any]]:
    """Compiles steps in their order, several at once, until it is time to begin with no more."""
    from tf_finetune.preflight.device.execution import compile_step, read_meta

    compilers = min(_MOST_COMPILERS, os.cpu_count() or 1)
    with ThreadPoolExecutor(compilers) as pool:
        futures: dict[str, Future[Any]] = {
            name: pool.submit(compile_step, folder, read_meta(folder, name)) for name in names
        }
        limit = None if until == float("inf") else max(until - time.monotonic(), 0.0)
        wait(futures.values(), limit)
        for name, future in futures.items():
            if future.cancel():
                left_out[name] = _OUT_OF_TIME
    compiled = []
    for name, future in futures.items():
        if future.cancelled():
            continue
        error = future.exception()
        if error is not None:
            left_out[name] = _said(error)
        else:
            compiled.append((name, future.result()))
    return compiled


def _said(error: BaseException) -> str:
    text = str(error).strip() or "no message"
    return f"{type(error).__name__}: {text.splitlines()[0]}"
