"""Changes one thing in a checkpoint: it is refused in time, naming tensor, expected and found.

Shapes, types, names, vocabulary, number of labels, depth and values that are no numbers, in
the weights of a small fine-tuned model; each change is loaded as `evaluate` loads a model.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from tf_finetune.encoders.families.table import FAMILIES
from tf_finetune.encoders.tokenizers import load_tokenizer
from tf_finetune.errors import UserError
from tf_finetune.models.building import build
from tf_finetune.models.weights import OfRun
from tools.reliability.options import harness_options
from tools.reliability.tiny_job import SIZES, make_encoder, tiny_spec

_SECONDS = 2.0
_QUERY = "bert.encoder.layer.1.attention.self.query.weight"
CHANGED = (
    "bert.embeddings.word_embeddings.weight",
    "bert.embeddings.position_embeddings.weight",
    "bert.embeddings.LayerNorm.bias",
    _QUERY,
    "bert.encoder.layer.2.intermediate.dense.weight",
    "bert.encoder.layer.0.output.LayerNorm.weight",
    "bert.pooler.dense.bias",
    "classifier.weight",
)
Tensors = dict[str, np.ndarray]
Mutation = tuple[str, Callable[[Tensors, dict[str, Any]], object], tuple[str, ...]]


def main(argv: Sequence[str]) -> int:
    """Tries all mutations and prints what went wrong; 0 if nothing did."""
    parser = harness_options("wrong_checkpoints", __doc__)
    arguments = parser.parse_args(argv)
    make_encoder(arguments.folder)
    found = [(name, *try_mutation(arguments.folder, m, w)) for name, m, w in mutations()]
    faults = [f"{name}: {problem}" for name, problem, _ in found if problem]
    for fault in faults:
        print(f"  {fault}")
    slowest = max(seconds for _, _, seconds in found)
    print(f"{len(found)} mutations, {len(faults)} faults, slowest {slowest:.2f} s")
    return 1 if faults else 0


def mutations() -> Iterator[Mutation]:
    """All mutations: a name, what changes tensors or config.json, what the message has to say."""
    for name in CHANGED:
        yield from _shapes(name)
        yield from _types(name)
        yield f"{name} missing", partial(_rename, name, None), (name, "missing", "expected")
        yield f"{name} renamed", partial(_rename, name, "x"), (name, "missing", "expected")
        for value in ("nan", "inf", "-inf"):
            yield f"{value} in {name}", partial(_spoil, name, value), (name, value, "finite")
    yield from _depths()
    yield from _vocabularies()


def _rename(name: str, new: str | None, tensors: Tensors, config: Any) -> None:
    value = tensors.pop(name)
    if new is not None:
        tensors[new] = value


def _spoil(name: str, value: str, tensors: Tensors, config: Any) -> None:
    tensors[name].flat[1] = float(value)


def _shapes(name: str) -> Iterator[Mutation]:
    changes: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "a row more": lambda v: np.concatenate([v, v[:1]]),
        "a row less": lambda v: v[1:],
        "another axis": lambda v: v[None],
        "no values": lambda v: v[:0],
    }
    for shown, change in changes.items():

        def mutate(tensors: Tensors, config: Any, change: Any = change) -> None:
            tensors[name] = np.ascontiguousarray(change(tensors[name]))

        yield f"{name}: {shown}", mutate, (name, "is F32 [", "expected F32, F16 or BF16 [")


def _types(name: str) -> Iterator[Mutation]:
    for kind, shown in ((np.float64, "F64"), (np.int32, "I32"), (np.uint8, "U8")):

        def mutate(tensors: Tensors, config: Any, kind: Any = kind) -> None:
            tensors[name] = tensors[name].astype(kind)

        yield f"{name} as {shown}", mutate, (name, f"is {shown} [", "expected F32, F16 or BF16 [")


def _depths() -> Iterator[Mutation]:
    def without_last(tensors: Tensors, config: Any) -> None:
        for name in [n for n in tensors if ".layer.2." in n]:
            del tensors[name]

    def one_more(tensors: Tensors, config: Any) -> None:
        more = {n.replace(".2.", ".3."): v for n, v in tensors.items() if ".layer.2." in n}
        tensors.update(more)

    def said(key: str, value: int) -> Callable[[Tensors, dict[str, Any]], object]:
        return lambda tensors, config: config.update({key: value})

    yield "last layer missing", without_last, ("no encoder layer 2", "expected layers 0 to 2")
    yield "a layer more", one_more, ("encoder layer 3", "expected layers 0 to 2")
    yield "config.json: 2 layers", said("num_hidden_layers", 2), ("layer 2", "layers 0 to 1")
    yield "config.json: 4 layers", said("num_hidden_layers", 4), ("no encoder layer 3", "0 to 3")
    yield "config.json: wider", said("hidden_size", 32), ("is F32 [", "expected F32, F16 or BF16 [")
    yield "config.json: 3 heads", said("num_attention_heads", 3), ("num_attention_heads 3",)
    more = said("intermediate_size", 64)
    yield "config.json: wider inside", more, ("intermediate.dense", "is F32 [", "expected")


def _vocabularies() -> Iterator[Mutation]:
    words = "bert.embeddings.word_embeddings.weight"
    for by in (-20, -1, 1, 1000):

        def said(tensors: Tensors, config: dict[str, Any], by: int = by) -> None:
            config["vocab_size"] += by

        wanted = (words, "is F32 [", "expected F32, F16 or BF16 [")
        if by < 0:  # the tokenizer is looked at first
            wanted = ("largest token id is 88", "embeddings for ids 0 to", str(88 + by))
        yield f"config.json: {by:+} words", said, wanted

    def fewer(tensors: Tensors, config: dict[str, Any]) -> None:
        config["vocab_size"] -= 5
        tensors[words] = tensors[words][:-5]

    yield "fewer words than the tokenizer", fewer, ("largest token id", "embeddings for ids 0 to")


def try_mutation(
    folder: Path, mutate: Callable[[Tensors, dict[str, Any]], object], wanted: Sequence[str]
) -> tuple[str, float]:
    """Writes a changed checkpoint and loads it; gives what is wrong, or "", and the seconds."""
    generator = np.random.default_rng(0)
    tensors = {
        v.tensor: generator.normal(size=v.tensor_shape).astype(np.float32)
        for v in FAMILIES["bert"].variables(SIZES, num_labels=3)
    }
    config = dict(SIZES)
    mutate(tensors, config)
    save_file(tensors, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config))
    began = time.monotonic()
    try:
        spec = tiny_spec(folder, depth=1, outputs=3)
        load_tokenizer(spec.files)
        build(spec, OfRun())
        problem = "was loaded"
    except UserError as error:
        missing = [part for part in wanted if part not in str(error)]
        problem = f"does not say {missing}: {str(error)[:300]}" if missing else ""
    except Exception as error:
        problem = f"raised {type(error).__name__}: {str(error)[:200]}"
    seconds = time.monotonic() - began
    return problem or (f"took {seconds:.1f} s" if seconds > _SECONDS else ""), seconds


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
