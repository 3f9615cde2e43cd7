"""Answers a run's test texts with the model that was trained; runs in the project's `.venv`.

python -m tools.pytorch_check.our_side RUN TEXTS.json ANSWERS.json
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tf_finetune.data.splits import Split
from tf_finetune.encoders.tokenizers import load_tokenizer
from tf_finetune.errors import UserError
from tf_finetune.export.examples import load_measured_split
from tf_finetune.models.rounding import logit_rounding
from tf_finetune.runs.opening import open_model
from tf_finetune.runs.outputs import Outputs
from tf_finetune.runs.scoring import split_logits
from tf_finetune.runs.trained_model import TrainedModel, load_trained_model
from tf_finetune.sources.records import Record
from tf_finetune.training.strategy import without_strategy

MOST_TEXTS = 500


def main(run_folder: str, texts_file: str, answers_file: str) -> None:
    """Writes texts, logits and what rounding may change of these as JSON."""
    opened = open_model(run_folder, single=True)
    files, labels, config = opened.files, opened.labels, opened.config
    split = load_measured_split(config, None, load_tokenizer(files), labels)
    if labels.joins_reads:  # a later window begins where no tokenizer would begin a text
        split = split.select(np.bincount(split.examples)[split.examples] == 1)
    if not len(split):
        raise UserError(f"{run_folder}: no test text is short enough to be read at once")
    split = split.select(np.arange(0, len(split), -(-len(split) // MOST_TEXTS)))
    trained = load_trained_model(files, labels, config, without_strategy())
    logits = split_logits(trained.model, split, config, without_strategy())
    texts = [[t for t in row if t is not None] for row in split.texts(np.arange(len(split)))]
    task: dict[str, Any] = {"texts": texts, "max_length": config.data.max_length}
    task["names_parts"] = labels.answers_parts
    if labels.several_texts:  # each choice a text by itself
        task["texts"] = [
            pair for one in split.records(np.arange(len(split))) for pair in _pairs(one)
        ]
        task["choices"] = labels.num_logits
        task["max_length"] //= labels.num_logits
        logits = logits.reshape(-1, 1)
    entities = []
    if labels.reads_several():
        reads = [at[there] for at, there in zip(split.reads, split.is_read, strict=True)]
        task["reads"] = [at.tolist() for at in reads]
        logits = logits.reshape(len(split), -1, labels.num_outputs)[split.is_read]
    if labels.answers_parts:
        entities = _entities(trained, split)
    Path(texts_file).write_text(json.dumps(task), encoding="utf-8")
    length, precision = config.data.max_length, config.training.precision
    answers = {
        "logits": logits.tolist(),
        "rounding": float(logit_rounding(trained.model.classifier, length, precision).max()),
        "labels": list(labels.names),
        "entities": entities,
    }
    Path(answers_file).write_text(json.dumps(answers), encoding="utf-8")


def _pairs(record: Record) -> list[list[str]]:
    """The texts of an example's choices, as `tasks.choice_rows` makes them."""
    before = "" if record.text_pair is None else f"{record.text_pair} "
    return [[record.text, before + choice] for choice in record.choices]


def _entities(trained: TrainedModel, split: Split) -> list[list[dict[str, Any]]]:
    """What is found in each text, as `predict` gives it."""
    rows = split.rows
    records = [
        Record(number, text, None, None, tuple((int(a), int(b)) for a, b in spans))
        for number, ((text, _), spans) in enumerate(
            zip(split.store.texts(rows), split.store.spans(rows), strict=True)
        )
    ]
    made = trained.rows_of(records)
    outputs = Outputs(records, made, trained.logits_of(records, 32, rows=made))
    return [answer["entities"] for answer in outputs.answers(trained.labels)]


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except UserError as error:
        sys.exit(f"tools/check_pytorch: {error}")
