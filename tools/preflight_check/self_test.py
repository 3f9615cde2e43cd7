"""A tiny training step through the whole preflight: compiled, too large, refused, and executed.

python -m tools.preflight_check.self_test       or tools/preflight --self-test
"""

import json
import string
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from tf_finetune.encoders.families.table import FAMILIES
from tf_finetune.errors import UserError
from tf_finetune.preflight.answers import compile_step
from tf_finetune.preflight.chips import CHIPS
from tf_finetune.preflight.environment import find_compiler
from tf_finetune.preflight.program import portable_program
from trainers import preflight
from trainers.cli import run_command

# Attention over 512 tokens with large batches: over 16 GB from few variables.
TINY: dict[str, Any] = {
    "model_type": "bert",
    "architectures": ["BertModel"],
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "vocab_size": 100,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    "initializer_range": 0.02,
}
TOO_LARGE = 16384


def main() -> int:
    """Prints one line a check; 1 if any fails."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "config.json").write_text(json.dumps(TINY), encoding="utf-8")
        code = run_command(
            preflight.main,
            [
                f"encoder.name={folder}",
                f"data.cache_dir={folder}",
                "data.max_length=512",
                "freeze.depth=1",
                "--batch-sizes",
                f"8,{TOO_LARGE}",
                "--output",
                str(folder),
            ],
        )
        if code:
            return code
        executed = _execute(folder)
        cells = json.loads((folder / "preflight.json").read_text(encoding="utf-8"))["cells"]
    fits, too_large = cells
    compiler = find_compiler()
    refused = compile_step(portable_program(_refused(), compiler), CHIPS["v5e"], compiler)
    checks = {
        "a small batch compiles": fits["fits"] and fits["flops"] > 0,
        "a large one does not fit, and by how much is said": not too_large["fits"]
        and too_large["needed_bytes"] > too_large["available_bytes"],
        "an operation without a kernel is refused": "NoSuchKernel" in (refused.error or ""),
    }
    checks["an executed step computes what TensorFlow does, with tokens and with states"] = len(
        executed
    ) == 2 and all(step["agrees"] for step in executed)
    for name, passed in checks.items():
        print(f"{'ok  ' if passed else 'FAIL'} {name}")
    return int(not all(checks.values()))


def _refused() -> bytes:
    """A module with an operation that no compiler has."""
    import tensorflow as tf
    from tensorflow.compiler.tf2xla.ops.gen_xla_ops import xla_custom_call_v2

    @tf.function(jit_compile=True, autograph=False)
    def refused(x: tf.Tensor) -> tf.Tensor:
        return xla_custom_call_v2(
            operands=[x],
            call_target_name="NoSuchKernel",
            backend_config="",
            has_side_effect=False,
            result_dtypes=[tf.float32],
            result_shapes=[x.shape],
        )[0]

    lower = refused.experimental_get_compiler_ir(tf.zeros(3))
    module: bytes = lower(stage="hlo_serialized")
    return module


def _execute(folder: Path) -> list[dict[str, Any]]:
    """Executes a step of the tiny encoder, now with weights and a tokenizer; gives its results."""
    family = FAMILIES[TINY["model_type"]]
    generator = np.random.default_rng(0)
    tensors = {
        variable.tensor: generator.normal(0.0, 0.1, variable.tensor_shape).astype(np.float32)
        for variable in family.variables(TINY, 2)
        if variable.part != "head"
    }
    save_file(tensors, folder / "model.safetensors")
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *string.ascii_lowercase]
    pieces += [f"##{letter}" for letter in string.ascii_lowercase]
    (folder / "vocab.txt").write_text("\n".join(pieces), encoding="utf-8")
    words = [f"encoder.name={folder}", f"data.cache_dir={folder}", "data.max_length=32"]
    code = run_command(
        preflight.main,
        [*words, "--run", "--depths", "1", "--batch-sizes", "4", "--output", str(folder)],
    )
    if code == 2:  # nothing was executed
        return []
    results = json.loads((folder / "steps" / "results.json").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = results["steps"]
    return found


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UserError as error:
        sys.exit(f"tools/preflight: {error}")
