"""Texts answered by this project's `predict`: from lines of text to JSON lines."""

import argparse
import io
import json

from tf_finetune.data.chunks import in_chunks
from tf_finetune.export.model_folder import check_model_folder, read_labels
from tf_finetune.prediction.resumable import OpenStream
from tf_finetune.prediction.streaming import CHUNK_TEXTS, predict_texts
from tf_finetune.runs.directory import open_run
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
    from tf_finetune.runs.ensemble import load_ensemble
    from tf_finetune.training.strategy import build_strategy

    run, config = open_run(str(arguments.folder))
    files = check_model_folder(run.model)
    labels = read_labels(files.config, str(run.model))
    strategy = build_strategy(config.training.strategy)
    trained = load_ensemble([files], labels, config, strategy)

    def answer(texts: list[str]) -> list[int]:
        output = io.StringIO()
        predict_texts(
            lambda: trained,
            in_chunks(read_texts(config.data, io.StringIO("\n".join(texts))), CHUNK_TEXTS),
            OpenStream(output),
            batch_size=config.evaluation.batch_size,
        )
        lines = output.getvalue().splitlines()
        return [labels.names.index(json.loads(line)["label"]) for line in lines]

    size = bytes_of(*(run.model / name for name in ("model.safetensors", "tokenizer.json")))
    measure(arguments, answer, versions_of("tensorflow", "transformers"), size)


if __name__ == "__main__":
    main()
