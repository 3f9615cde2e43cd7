"""Texts answered by this project's `predict`: from lines of text to JSON lines."""

import argparse
import io
import json

from tf_finetune.data.chunks import in_chunks
from tf_finetune.prediction.resumable import OpenStream
from tf_finetune.prediction.streaming import CHUNK_TEXTS, predict_texts
from tf_finetune.runs.opening import open_model
from tf_finetune.sources.reading import read_texts
from tools.benchmarks.inference_measurement import (
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
    opened = open_model(str(arguments.folder), single=True)
    run, config, trained = opened.run, opened.config, opened.load()

    def answer(texts: list[str]) -> list[int]:
        output = io.StringIO()
        predict_texts(
            lambda: trained,
            in_chunks(read_texts(config.data, io.StringIO("\n".join(texts))), CHUNK_TEXTS),
            OpenStream(output),
            batch_size=config.evaluation.batch_size,
        )
        lines = output.getvalue().splitlines()
        return [opened.labels.names.index(json.loads(line)["label"]) for line in lines]

    size = bytes_of(*(run.model / name for name in ("model.safetensors", "tokenizer.json")))
    measure(arguments, answer, versions_of("tensorflow", "transformers"), size)


if __name__ == "__main__":
    main()
