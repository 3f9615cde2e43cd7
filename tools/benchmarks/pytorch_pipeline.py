"""Texts answered by the `pipeline` of transformers in PyTorch; runs in `.venv-torch`."""

import argparse

import transformers

from tools.benchmarks.inference_measurement import (
    BATCH_SIZE,
    MAX_LENGTH,
    add_program_options,
    bytes_of,
    measure,
    versions_of,
)


def main() -> None:
    """Answers, and prints one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_program_options(parser)
    arguments = parser.parse_args()
    folder = arguments.folder
    classify = transformers.pipeline("text-classification", model=str(folder), device="cpu")
    index_of = classify.model.config.label2id

    def answer(texts: list[str]) -> list[int]:
        found = classify(texts, batch_size=BATCH_SIZE, truncation=True, max_length=MAX_LENGTH)
        return [index_of[row["label"]] for row in found]

    size = bytes_of(*(folder / name for name in ("model.safetensors", "tokenizer.json")))
    measure(arguments, answer, versions_of("torch", "transformers"), size)


if __name__ == "__main__":
    main()
