"""Texts answered by Keras' `predict` of TFBert, every text padded to the longest allowed."""

import argparse

from tf_finetune.machine.environment import prepare
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
    prepare()
    import transformers

    folder = arguments.folder
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.TFBertForSequenceClassification.from_pretrained(folder)

    def answer(texts: list[str]) -> list[int]:
        tokens = tokenizer(
            texts,
            padding="max_length",
            truncation=True,
            max_length=MAX_LENGTH,
            return_tensors="np",
        )
        logits = model.predict(dict(tokens), batch_size=BATCH_SIZE, verbose=0).logits
        return logits.argmax(axis=1).tolist()

    size = bytes_of(*(folder / name for name in ("model.safetensors", "tokenizer.json")))
    measure(arguments, answer, versions_of("tensorflow", "transformers"), size)


if __name__ == "__main__":
    main()
