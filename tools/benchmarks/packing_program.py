"""Times training steps on packed and on padded batches; see `packing.py`."""

import csv
import json
from itertools import islice
from pathlib import Path

import numpy as np
import tensorflow as tf

from tf_finetune.data.batches import Padding
from tf_finetune.data.loading import load_splits
from tf_finetune.data.splits import Split
from tf_finetune.encoders.locating import resolve_encoder
from tf_finetune.encoders.tokenizers import load_tokenizer
from tf_finetune.options.data import DataConfig
from tf_finetune.options.training import TrainingConfig
from tf_finetune.training.fine_tuner import FineTuner
from tf_finetune.training.pipeline import (
    BatchShape,
    step_examples,
    steps_per_epoch,
    training_dataset,
)
from tf_finetune.training.strategy import build_strategy
from tools.benchmarks.own_program import own_options
from tools.benchmarks.timed_steps import BATCH_SIZE, WARM_UP, StepTimer, timed_model

PADDINGS: tuple[Padding, ...] = ("max", "buckets", "longest", "packed")
# Of the number of sentences in a long text, whose logarithm is normal as that of IMDb's lengths.
_LONG_MEDIAN, _LONG_SIGMA = 9.5, 0.6


def main() -> None:
    """Prints a JSON line for each kind of text and of padding."""
    arguments = own_options(
        __doc__, words=["model_dir", "train", "folder"], numbers=["seed"], several=["steps"]
    )
    files = resolve_encoder(arguments.model_dir)
    long = _write_long(Path(arguments.train), Path(arguments.folder) / "long.tsv")
    kinds = {"short": (arguments.train, 128), "long": (str(long), 512)}
    for (name, (train, length)), steps in zip(kinds.items(), arguments.steps, strict=True):
        data = DataConfig(
            train=train,
            validation_fraction=0.0,
            test_fraction=0.0,
            max_length=length,
            cache_dir=arguments.folder,
        )
        splits, _ = load_splits(data, load_tokenizer(files))
        model = timed_model(files, splits.labels.num_outputs, arguments.seed, build_strategy("cpu"))
        for padding in PADDINGS:
            shape = BatchShape(BATCH_SIZE, padding=padding, max_length=length)
            share, shapes = _real_tokens(splits.train, shape, arguments.seed)
            speed = _speed(model, splits.train, shape, steps, arguments.seed)
            cell = {"texts": name, "padding": padding, "real_tokens": share, "shapes": shapes}
            print(json.dumps(cell | {"tokens_per_second": speed}), flush=True)


def _write_long(source: Path, path: Path) -> Path:
    """Joins sentences of each label to as many documents as there is text for."""
    with source.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    generator = np.random.default_rng(0)
    with path.open("w", encoding="utf-8") as file:
        file.write("text\tlabel\n")
        for label in sorted({row["label"] for row in rows}):
            texts = (row["text"] for row in rows if row["label"] == label)
            while True:
                count = int(generator.lognormal(np.log(_LONG_MEDIAN), _LONG_SIGMA)) + 1
                if not (chosen := list(islice(texts, count))):
                    break
                file.write(f"{' '.join(chosen)}\t{label}\n")
    return path


def _real_tokens(split: Split, shape: BatchShape, seed: int) -> tuple[float, int]:
    """Share of the places in an epoch's batches that hold tokens, and number of shapes."""
    places, shapes = 0, set()
    for batch in _batches(split, shape, seed, steps_per_epoch(len(split), BATCH_SIZE)):
        rows, length = batch.inputs.content.ids.shape
        places += rows * length
        shapes.add((rows, length))
    return float(split.lengths.sum()) / places, len(shapes)


def _speed(model: FineTuner, split: Split, shape: BatchShape, steps: int, seed: int) -> float:
    """Real tokens a second in some steps, without the first, which are traced."""
    model.start_run(TrainingConfig(learning_rate=5e-5), total_steps=1000)
    timer = StepTimer()
    steps = min(steps + WARM_UP, len(split) // BATCH_SIZE)
    model.fit(
        _batches(split, shape, seed, steps),
        initial_epoch=0,
        epochs=1,
        steps_per_epoch=steps,
        callbacks=[timer],
    )
    spent = timer.ended[-1] - timer.ended[WARM_UP - 1]
    timed = range(WARM_UP, steps)
    # Not texts: where batches are sorted by length, those of a few steps may be long or short.
    examples = (step_examples(split, shape, seed, step) for step in timed)
    return sum(int(split.lengths[rows].sum()) for rows in examples) / spent


def _batches(split: Split, shape: BatchShape, seed: int, steps: int) -> tf.data.Dataset:
    weights = np.ones(len(split), np.float32)
    return training_dataset(split, weights, shape, seed=seed, first_step=0, last_step=steps)


if __name__ == "__main__":
    main()
