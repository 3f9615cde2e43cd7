"""Executes packed training steps on the device that JAX sees, and prints one table.

python device_script.py FOLDER [--steps 20]

Needs jax and numpy alone. FOLDER holds a folder a step, as `step_package` writes them;
`results.json` is written there.
"""

import argparse
import dataclasses
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

# Memory is taken as it is needed, so that its peak says something.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

import jax
import numpy as np
from jax import export

WARM_UP = 3
_MATMUL_SIZE, _MATMUL_REPEATS = 4096, 10


def main() -> int:
    """Runs every step; 1 if one came out otherwise than it should."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=20, help="executions that are timed")
    arguments = parser.parse_args()
    jax.config.update("jax_enable_x64", True)  # steps are counted in 64 bits
    # Products of float32 in float32, as TensorFlow computes them on a CPU.
    jax.config.update("jax_default_matmul_precision", "highest")
    device = jax.devices()[0]
    rates = {name: matmul_rate(name) for name in ("float32", "bfloat16")}
    print(f"{device.device_kind} ({device.platform}), jax {jax.__version__}", flush=True)
    for name, rate in rates.items():
        print(f"products of {name}: {rate / 1e12:.2f} TFLOP/s", flush=True)
    print(
        f"{'step':36} {'ms':>9} {'TFLOP/s':>8} {'of rate':>8} {'MiB':>7} {'error':>8}", flush=True
    )
    results = []
    for meta_file in sorted(arguments.folder.glob("*/step.json")):
        found = run_step(meta_file.parent, arguments.steps, rates)
        results.append(found)
        print(line_of(found), flush=True)
    if not results:
        sys.exit(f"{arguments.folder}: holds no packed step")
    content = {
        "device": device.device_kind,
        "platform": device.platform,
        "jax": jax.__version__,
        "product_rates": rates,
        "steps": results,
    }
    (arguments.folder / "results.json").write_text(json.dumps(content, indent=1), encoding="utf-8")
    return int(not all(found["agrees"] for found in results))


def matmul_rate(dtype: str) -> float:
    """FLOP/s of a large product, the best of some."""
    size = _MATMUL_SIZE if jax.devices()[0].platform != "cpu" else _MATMUL_SIZE // 4
    left = jax.numpy.ones((size, size), dtype)
    product = jax.jit(lambda x: x @ x)
    product(left).block_until_ready()
    seconds = []
    for _ in range(_MATMUL_REPEATS):
        begun = time.perf_counter()
        product(left).block_until_ready()
        seconds.append(time.perf_counter() - begun)
    return 2 * size**3 / min(seconds)


def run_step(folder: Path, steps: int, rates: dict[str, float]) -> dict[str, Any]:
    """Compiles a step, executes it, and holds what comes out against what should."""
    meta = json.loads((folder / "step.json").read_text(encoding="utf-8"))
    inputs = read_inputs(folder, meta["inputs"])
    replaced, first = meta["replaced"], len(meta["results"])
    begun = time.perf_counter()
    program = compile_step((folder / "step.stablehlo").read_bytes(), inputs, meta)
    compile_seconds = time.perf_counter() - begun
    values = [jax.device_put(value) for value in inputs]
    outputs = program(*values)
    errors = errors_of(folder, meta, outputs)
    seconds = []
    for _ in range(WARM_UP + steps):
        # What an update replaced is the next step's argument, as in training.
        for place, output in zip(replaced, outputs[first:], strict=True):
            values[place] = output
        begun = time.perf_counter()
        outputs = program(*values)
        jax.block_until_ready(outputs)
        seconds.append(time.perf_counter() - begun)
    median = statistics.median(seconds[WARM_UP:])
    memory = program.memory_analysis()
    statistics_of_device = jax.devices()[0].memory_stats() or {}
    rate = rates["bfloat16" if "bfloat16" in meta["precision"] else "float32"]
    return {
        **{name: meta[name] for name in ("name", "depth", "batch_size", "length", "precision")},
        "cached": meta["cached"],
        "seconds": median,
        "compile_seconds": compile_seconds,
        "flops_per_second": meta["flops"] / median,
        "of_product_rate": meta["flops"] / median / rate,
        "temporary_bytes": int(getattr(memory, "temp_size_in_bytes", 0)),
        "argument_bytes": int(getattr(memory, "argument_size_in_bytes", 0)),
        "peak_bytes": statistics_of_device.get("peak_bytes_in_use"),
        "errors": errors,
        "agrees": max(errors.values()) <= meta["tolerance"],
    }


def read_inputs(folder: Path, described: list[dict[str, Any]]) -> list[np.ndarray]:
    """The arguments: stored, or one value throughout."""
    stored = np.load(folder / "inputs.npz")
    values = []
    for place, kind in enumerate(described):
        shape, dtype = tuple(kind["shape"]), kind["dtype"]
        if "value" in kind:
            values.append(np.full(shape, kind["value"], dtype))
        else:
            values.append(stored[f"input_{place}"])
    return values


def compile_step(module: bytes, inputs: list[np.ndarray], meta: dict[str, Any]) -> Any:
    """The executable, which takes over the memory of what it replaces."""
    arguments = [jax.ShapeDtypeStruct(value.shape, value.dtype) for value in inputs]
    results = [
        *(jax.ShapeDtypeStruct((), dtype) for dtype in meta["result_dtypes"]),
        *(arguments[place] for place in meta["replaced"]),
    ]

    def of_the_same_shapes(*_: Any) -> tuple[Any, ...]:
        return tuple(jax.numpy.zeros(result.shape, result.dtype) for result in results)

    # jax calls a module of its own; another of the same arguments and results takes its place.
    exported = export.export(jax.jit(of_the_same_shapes))(*arguments)
    exported = dataclasses.replace(
        exported,
        mlir_module_serialized=module,
        module_kept_var_idx=tuple(range(len(arguments))),
    )
    step = jax.jit(exported.call, donate_argnums=tuple(meta["replaced"]))
    return step.lower(*arguments).compile()


def errors_of(folder: Path, meta: dict[str, Any], outputs: Any) -> dict[str, float]:
    """Differences: of the scalars as shares, of what was updated as they are."""
    errors = {}
    for name, output in zip(meta["results"], outputs, strict=False):
        wanted = meta["expected"][name]
        errors[name] = abs(float(output) - wanted) / max(abs(wanted), 1e-6)
    expected = np.load(folder / "expected.npz")
    errors["updated"] = max(
        float(np.abs(np.asarray(value, np.float64) - expected[f"output_{place}"]).max())
        for place, value in enumerate(outputs[len(meta["results"]) :])
    )
    return errors


def line_of(found: dict[str, Any]) -> str:
    """A row of the table."""
    peak = found["peak_bytes"] or found["argument_bytes"] + found["temporary_bytes"]
    mark = "" if found["agrees"] else "  DIFFERS"
    return (
        f"{found['name']:36} {1000 * found['seconds']:9.2f} "
        f"{found['flops_per_second'] / 1e12:8.3f} {found['of_product_rate']:8.0%} "
        f"{peak / 2**20:7.0f} {max(found['errors'].values()):8.1e}{mark}"
    )


if __name__ == "__main__":
    sys.exit(main())
