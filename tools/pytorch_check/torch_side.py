"""Answers texts with PyTorch; runs in an environment where nothing of this project is.

python torch_side.py FOLDER TEXTS.json ANSWERS.json
"""

import json
import sys
from pathlib import Path

import torch
import transformers


def main(folder: str, texts_file: str, answers_file: str) -> None:
    """Writes logits, versions and what the loading reported as JSON."""
    task = json.loads(Path(texts_file).read_text(encoding="utf-8"))
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model, loading = transformers.AutoModelForSequenceClassification.from_pretrained(
        folder, output_loading_info=True
    )
    model.eval()
    logits = []
    with torch.no_grad():
        for start in range(0, len(task["texts"]), 32):
            columns = zip(*task["texts"][start : start + 32], strict=True)
            tokens = tokenizer(
                *(list(column) for column in columns),
                truncation=True,
                padding=True,
                max_length=task["max_length"],
                return_tensors="pt",
            )
            logits += model(**tokens).logits.tolist()
    answers = {
        "logits": logits,
        "labels": [model.config.id2label[i] for i in range(model.config.num_labels)],
        "loading": {name: sorted(map(str, found)) for name, found in loading.items()},
        "versions": f"torch {torch.__version__}, transformers {transformers.__version__}",
    }
    Path(answers_file).write_text(json.dumps(answers), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
