"""Texts answered by what `export` wrote, loaded as its documentation says."""

import argparse
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from tf_finetune.data.batches import evaluation_batches
from tools.benchmarks.inference_measurement import (
    BATCH_SIZE,
    MAX_LENGTH,
    add_program_options,
    bytes_of,
    measure,
    versions_of,
)

THREADS = 2
LITERT = "litert-"
Answer = Callable[[list[str]], list[int]]


def main() -> None:
    """Answers, and prints one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_program_options(parser)
    parser.add_argument("--form", required=True, help=f"savedmodel, or {LITERT}PRECISION")
    arguments = parser.parse_args()
    if arguments.form == "savedmodel":
        answer, packages = open_saved_model(arguments.folder), ("tensorflow", "tensorflow-text")
        size = bytes_of(arguments.folder)
    else:
        file = arguments.folder / f"model-{arguments.form.removeprefix(LITERT)}.tflite"
        answer, packages = open_litert(file), ("ai-edge-litert", "tokenizers")
        size = bytes_of(file, arguments.folder / "tokenizer.json")
    measure(arguments, answer, versions_of(*packages), size)


def open_saved_model(folder: Path) -> Answer:
    """The signature that takes strings, in batches of texts with as many characters."""
    import tensorflow as tf
    import tensorflow_text  # noqa: F401  # its operations

    model = tf.saved_model.load(str(folder))  # the signature does not keep it alive
    serve = model.signatures["serving_default"]

    def answer(texts: list[str]) -> list[int]:
        found = np.empty(len(texts), np.int64)
        for rows in evaluation_batches(np.array([len(text) for text in texts]), BATCH_SIZE):
            logits = serve(text=tf.constant([texts[row] for row in rows]))["logits"]
            found[rows] = logits.numpy().argmax(axis=1)
        return found.tolist()

    answer.model = model  # type: ignore[attr-defined]
    return answer


def open_litert(file: Path) -> Answer:
    """An interpreter a core, each with one thread: its kernels hardly gain from a second one."""
    from ai_edge_litert.interpreter import Interpreter
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(file.parent / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_LENGTH)
    tokenizer.no_padding()
    interpreters = [Interpreter(model_path=str(file), num_threads=1) for _ in range(THREADS)]
    runners = [interpreter.get_signature_runner() for interpreter in interpreters]

    def answer(texts: list[str]) -> list[int]:
        tokens = tokenizer.encode_batch(texts)
        batches = iter(evaluation_batches(np.array([len(t.ids) for t in tokens]), BATCH_SIZE))
        found = np.empty(len(texts), np.int64)

        def work(runner: Any) -> None:
            for rows in batches:  # shared: who is ready takes the next
                inputs = padded([tokens[row] for row in rows])
                found[rows] = runner(**inputs)["logits"].argmax(axis=1)

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(work, runners))
        return found.tolist()

    return answer


def padded(tokens: list[Any]) -> dict[str, np.ndarray]:
    """Token ids, type ids and mask, int32 [b, t], of one text encoding each."""
    shape = (len(tokens), max(len(t.ids) for t in tokens))
    names = {"token_ids": "ids", "token_type_ids": "type_ids", "attention_mask": "attention_mask"}
    columns = {name: np.zeros(shape, np.int32) for name in names}
    for name, attribute in names.items():
        for row, encoding in enumerate(tokens):
            values = getattr(encoding, attribute)
            columns[name][row, : len(values)] = values
    return columns


if __name__ == "__main__":
    main()
