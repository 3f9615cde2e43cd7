"""Turns a serialised HLO module into a portable StableHLO one. Runs in the compiler's environment.

python stablehlo_process.py STEP.hlo.pb STEP.stablehlo [float32]

With the last word products of float32 are computed in float32 on every device; else a device may
round what goes into them, as a TPU and a newer GPU do. Prints a digest that equal programs share,
whatever their operations are called and wherever they were made.

Written for that environment: nothing of this project is imported. Any later version of jax reads
the module.
"""

import hashlib
import os
import re
import sys
from pathlib import Path

_COPY = re.compile(r"(?<= )copy\(")
# TensorFlow numbers what it traces: "a_inference_train_step_4453__.6631", "cond_true_12".
_NUMBERED = (
    (re.compile(r"a_inference_(\w+?)_\d+__\.\d+"), r"\1"),
    (re.compile(r"\b(cond_(?:true|false))_\d+"), r"\1"),
)
_SOURCE = re.compile(r' source_file="[^"]*"| source_line=\d+')
_PRODUCT = re.compile(r"(= f32\[[^\n]* dot\([^\n]*rhs_contracting_dims=\{[\d,]*\})")
_METADATA = re.compile(r", metadata=\{[^}]*\}")


def main(hlo_file: str, stablehlo_file: str, products: str = "") -> None:
    """Writes the module, with the names of its operations, and prints its digest."""
    os.environ["JAX_PLATFORMS"] = "cpu"
    from jax._src.interpreters import mlir
    from jaxlib import _hlo, _jax
    from jaxlib.mlir import ir
    from jaxlib.mlir.dialects import stablehlo

    given = _hlo.HloModule.from_serialized_hlo_module_proto(Path(hlo_file).read_bytes())
    options = _hlo.HloPrintOptions()
    options.print_large_constants = True
    text = without_origin(given.to_string(options))
    if products == "float32":
        text = with_exact_products(text)
    # StableHLO has no copy; a reshape to the same shape says as much.
    module = _hlo.hlo_module_from_text(_COPY.sub("reshape(", text))
    converted = _jax.mlir.hlo_to_stablehlo(module.as_serialized_hlo_module_proto())
    with mlir.make_ir_context():
        parsed = ir.Module.parse(converted).operation.get_asm(enable_debug_info=True)
        version = stablehlo.get_minimum_version()
        portable = _jax.mlir.serialize_portable_artifact(parsed, version)
    Path(stablehlo_file).write_bytes(portable)
    print(digest_of(text))


def without_origin(text: str) -> str:
    """HLO text without numbers of traces and files of sources; operations keep their names."""
    for pattern, name in _NUMBERED:
        text = pattern.sub(name, text)
    return _SOURCE.sub("", text)


def with_exact_products(text: str) -> str:
    """HLO text whose products of float32 do not round what goes into them."""
    return _PRODUCT.sub(r"\1, operand_precision={highest,highest}", text)


def digest_of(text: str) -> str:
    """SHA-256 of what is computed."""
    return hashlib.sha256(_METADATA.sub("", text).encode()).hexdigest()


if __name__ == "__main__":
    main(*sys.argv[1:])
