"""Turns a serialised HLO module into a portable StableHLO one. Runs in the compiler's environment.

python stablehlo_process.py STEP.hlo.pb STEP.stablehlo

Written for that environment: nothing of this project is imported. Any later version of jax reads
the module.
"""

import os
import re
import sys
from pathlib import Path

os.environ["JAX_PLATFORMS"] = "cpu"

_COPY = re.compile(r"(?<= )copy\(")
# What the text says of another machine's compiler, which a device has no use for.
_OF_THE_MODULE = re.compile(r"^(HloModule [^,\n]+),.*$", re.MULTILINE)


def main(hlo_file: str, stablehlo_file: str) -> None:
    """Writes the module."""
    from jax._src.interpreters import mlir
    from jaxlib import _hlo, _jax
    from jaxlib.mlir import ir
    from jaxlib.mlir.dialects import stablehlo

    given = _hlo.HloModule.from_serialized_hlo_module_proto(Path(hlo_file).read_bytes())
    options = _hlo.HloPrintOptions()
    options.print_large_constants = True
    text = _OF_THE_MODULE.sub(r"\1", given.to_string(options), count=1)
    # StableHLO has no copy; a reshape to the same shape says as much.
    module = _hlo.hlo_module_from_text(_COPY.sub("reshape(", text))
    converted = _jax.mlir.hlo_to_stablehlo(module.as_serialized_hlo_module_proto())
    with mlir.make_ir_context():
        parsed = str(ir.Module.parse(converted))
        version = stablehlo.get_minimum_version()
        portable = _jax.mlir.serialize_portable_artifact(parsed, version)
    Path(stablehlo_file).write_bytes(portable)


if __name__ == "__main__":
    main(*sys.argv[1:])
