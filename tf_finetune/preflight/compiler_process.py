"""Compiles one StableHLO module for a TPU that is not there. Runs in the compiler's environment.

python compiler_process.py STEP.stablehlo TOPOLOGY ANSWER.json

Written for that environment: nothing of this project is imported.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

_ENVIRONMENT = {
    # Else libtpu asks a metadata server which TPU it is on, and waits.
    "TPU_SKIP_MDS_QUERY": "1",
    "TPU_WORKER_HOSTNAMES": "localhost",
    # Else a second process waits for the lock of the TPU, which neither uses, and fails.
    "ALLOW_MULTIPLE_LIBTPU_LOAD": "1",
}
_MEMORY = {
    "arguments": "argument_size_in_bytes",
    "outputs": "output_size_in_bytes",
    "aliased": "alias_size_in_bytes",
    "temporaries": "temp_size_in_bytes",
    "program": "generated_code_size_in_bytes",
    "peak": "peak_memory_in_bytes",
}


def main(stablehlo_file: str, topology_name: str, answer_file: str) -> None:
    """Writes what the compiler says as JSON."""
    os.environ |= {**_ENVIRONMENT, **os.environ, "JAX_PLATFORMS": "cpu"}
    started = time.monotonic()
    answer = _answer(Path(stablehlo_file).read_bytes(), topology_name)
    answer["seconds"] = time.monotonic() - started
    Path(answer_file).write_text(json.dumps(answer), encoding="utf-8")


def _answer(module: bytes, topology_name: str) -> dict[str, Any]:
    from jax.errors import JaxRuntimeError
    from jax.experimental import topologies
    from jaxlib.mlir import ir

    devices = topologies.get_topology_desc(topology_name, "tpu").devices
    try:
        executable = _compile(module, devices[0])
    except (JaxRuntimeError, ValueError, ir.MLIRError) as error:
        return {"devices": len(devices), "error": f"{type(error).__name__}: {error}"}
    memory = executable.get_compiled_memory_stats()
    costs = executable.cost_analysis()
    return {
        "devices": len(devices),
        "memory": {name: int(getattr(memory, field)) for name, field in _MEMORY.items()},
        "flops": float(costs["flops"]),
        "bytes_accessed": float(costs["bytes accessed"]),
    }


def _compile(module: bytes, device: Any) -> Any:
    import numpy as np
    from jax._src import compiler
    from jax._src.interpreters import mlir
    from jaxlib import _jax

    with mlir.make_ir_context():
        parsed = _jax.mlir.deserialize_portable_artifact(module)
    options = compiler.get_compile_options(1, 1, device_assignment=np.array([[device.id]]))
    return compiler.backend_compile_and_load(
        device.client, parsed, _jax.DeviceList((device,)), options, []
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
