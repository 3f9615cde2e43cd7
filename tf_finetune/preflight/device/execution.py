"""Compiles one packed step, executes it, and holds what comes out against what should."""

import dataclasses
import json
import lzma
import statistics
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax import export

from tf_finetune.preflight.device.arrays import ArrayStore
from tf_finetune.preflight.device.comparison import differences
from tf_finetune.preflight.device.rates import Rates

_WARM_UP, _WARM_UP_SECONDS = 3, 2.0
_FEWEST, _TIMED_SECONDS = 3, 5.0
_MOVES = 10
# What a row of the table says of its step.
DESCRIBED = ("name", "encoder", "depth", "batch_size", "length", "precision", "cached")

Meta = dict[str, Any]


def read_meta(folder: Path, name: str) -> Meta:
    """What is packed of a step but its program and its arrays."""
    meta: Meta = json.loads((folder / "steps" / f"{name}.json").read_text(encoding="utf-8"))
    return meta


def compile_step(folder: Path, meta: Meta) -> tuple[Any, float]:
    """The executable, which takes over the memory of what it replaces, and what it took, in s."""
    begun = time.perf_counter()
    packed = (folder / "steps" / f"{meta['name']}.stablehlo.xz").read_bytes()
    arguments = [jax.ShapeDtypeStruct(tuple(i["shape"]), i["dtype"]) for i in meta["inputs"]]
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
        mlir_module_serialized=lzma.decompress(packed),
        module_kept_var_idx=tuple(range(len(arguments))),
    )
    step = jax.jit(exported.call, donate_argnums=tuple(meta["replaced"]))
    return step.lower(*arguments).compile(), time.perf_counter() - begun


def run_step(
    folder: Path, meta: Meta, program: Any, store: ArrayStore, steps: int, rates: Rates
) -> dict[str, Any]:
    """Executes a compiled step; gives what the table and `results.json` say of it.

    Args:
        folder: The package.
        meta: Of the step.
        program: From `compile_step`.
        store: The package's arrays.
        steps: Executions to time; fewer where they take long.
        rates: What the device reaches.
    """
    replaced, first = meta["replaced"], len(meta["results"])
    inputs = [store.get(entry) for entry in meta["inputs"]]
    values = [jax.device_put(value) for value in inputs]
    outputs = program(*values)
    errors = _errors(folder, meta, outputs)
    seconds: list[float] = []
    warm_up: list[float] = []
    while not _enough(seconds, steps, _TIMED_SECONDS, _FEWEST):
        # What an update replaced is the next step's argument, as in training.
        for place, output in zip(replaced, outputs[first:], strict=True):
            values[place] = output
        begun = time.perf_counter()
        outputs = program(*values)
        jax.block_until_ready(outputs)
        warm = _enough(warm_up, _WARM_UP, _WARM_UP_SECONDS, 1)
        (seconds if warm else warm_up).append(time.perf_counter() - begun)
    median = statistics.median(seconds)
    moved = _bytes_accessed(program)
    return {
        **{name: meta[name] for name in DESCRIBED},
        "seconds": median,
        "timed": len(seconds),
        "moving_seconds": _moving_seconds(inputs[: meta["of_batch"]]),
        "flops": meta["flops"],
        "bytes_accessed": moved,
        "of_product_rate": meta["flops"] / median / rates.of_products(meta["precision"]),
        "of_roofline": rates.shortest(meta["flops"], moved, meta["precision"]) / median,
        "memory_bytes": _memory_bytes(program),
        "errors": errors,
        "tolerance": meta["tolerance"],
        "agrees": max(errors.values()) <= meta["tolerance"],
    }


def _enough(seconds: list[float], count: int, most: float, fewest: int) -> bool:
    return len(seconds) >= min(count, fewest) and (len(seconds) >= count or sum(seconds) >= most)


def _moving_seconds(batch: list[np.ndarray]) -> float:
    """Median time in which a batch comes from the host's memory to the device."""
    seconds = []
    for _ in range(_MOVES):
        begun = time.perf_counter()
        jax.block_until_ready([jax.device_put(value) for value in batch])
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)


def _bytes_accessed(program: Any) -> float:
    """The compiler's count over all operations of the optimised program."""
    costs = program.cost_analysis()
    costs = costs[0] if isinstance(costs, list) else costs  # as older versions of jax have it
    return float(costs.get("bytes accessed", 0.0))


def _memory_bytes(program: Any) -> int:
    """What is there at once while a step runs, by the compiler's account."""
    memory = program.memory_analysis()
    resident = memory.argument_size_in_bytes + memory.output_size_in_bytes
    return int(resident - memory.alias_size_in_bytes + memory.temp_size_in_bytes)


def _errors(folder: Path, meta: Meta, outputs: Any) -> dict[str, float]:
    first = len(meta["results"])
    scalars = {name: float(value) for name, value in zip(meta["results"], outputs, strict=False)}
    with np.load(folder / "steps" / f"{meta['name']}.npz") as expected:
        values = [expected[f"output_{number}"] for number in range(len(meta["replaced"]))]
    updated = [np.asarray(value) for value in outputs[first:]]
    return differences(scalars, updated, meta["expected"], values)
