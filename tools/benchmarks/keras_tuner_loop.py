"""The sweep as a TensorFlow user writes it in an afternoon: KerasTuner and `fit`.

`TFBertForSequenceClassification` with `trainable` flags, every text padded to 128, Adam at a
constant rate, `keras_tuner.GridSearch` over depth and rate. Nothing is cached and every cell
builds and traces its model anew, as such programs do. It runs in this project's environment
but imports none of it. Prints one JSON line (`sweep_measurement.SweepMeasurement`) at the end.
"""

import argparse
import functools
import os
import tempfile
import time
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

os.environ["TF_USE_LEGACY_KERAS"] = "1"  # TensorFlow models of transformers are Keras 2

import keras_tuner
import numpy as np
import tf_keras
from transformers import AutoTokenizer, TFBertForSequenceClassification

from tools.benchmarks import pytorch_data, sweep_program
from tools.benchmarks.measurement import peak_rss_bytes, print_measurement
from tools.benchmarks.sweep_measurement import (
    SweepMeasurement,
    TimedTrial,
    TrialMeasurement,
    sweep_seconds,
)

MAX_LENGTH = 128
BATCH_SIZE = 32
# A shortened trial: the second evaluation shows what one costs without its trace.
SHORT_EPOCHS = 2


class Texts(NamedTuple):
    """Tokenised texts: `input_ids`, `attention_mask` and so on int32 [n, 128]; int64 [n]."""

    tokens: dict[str, np.ndarray]
    labels: np.ndarray

    def first(self, rows: int) -> "Texts":
        """The first texts alone."""
        return Texts({name: a[:rows] for name, a in self.tokens.items()}, self.labels[:rows])


class StepTimer(tf_keras.callbacks.Callback):
    """Takes the time of every training step and every evaluation."""

    def __init__(self) -> None:
        super().__init__()
        self.step_seconds: list[float] = []
        self.evaluation_seconds: list[float] = []
        self._step_began = self._evaluation_began = 0.0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Starts the clock of a step."""
        self._step_began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Stops it; the loss has been fetched by now."""
        self.step_seconds.append(time.perf_counter() - self._step_began)

    def on_test_begin(self, logs: Any = None) -> None:
        """Starts the clock of an evaluation."""
        self._evaluation_began = time.perf_counter()

    def on_test_end(self, logs: Any = None) -> None:
        """Stops it."""
        self.evaluation_seconds.append(time.perf_counter() - self._evaluation_began)


class TimedGridSearch(keras_tuner.GridSearch):
    """`GridSearch` with the `run_trial` that its documentation suggests, and a clock.

    KerasTuner's own `run_trial` refuses models of Keras 2.

    Args:
        arguments: Options of this program.
        texts: Training texts.
        validation: Validation texts.
        **options: Of `keras_tuner.GridSearch`.
    """

    def __init__(
        self, arguments: argparse.Namespace, texts: Texts, validation: Texts, **options: Any
    ) -> None:
        self._arguments = arguments
        self._texts = texts
        self._validation = validation
        self.trials: list[TrialMeasurement] = []
        super().__init__(**options)

    def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Builds and fits one model, and notes how long it took."""
        begun = time.perf_counter()
        tf_keras.backend.clear_session()
        tf_keras.utils.set_random_seed(self._arguments.seed)
        model = self.hypermodel.build(trial.hyperparameters)
        texts, epochs = self._to_fit()
        timer = StepTimer()
        history = model.fit(
            texts.tokens,
            texts.labels,
            validation_data=self._validation,
            batch_size=BATCH_SIZE,
            epochs=epochs,
            callbacks=[timer],
            verbose=0,
        )
        wall_seconds = time.perf_counter() - begun
        accuracy = history.history["val_accuracy"][-1]
        self.trials.append(self._measured(trial, model, timer, wall_seconds, float(accuracy)))
        return {"val_accuracy": accuracy}

    def _to_fit(self) -> tuple[Texts, int]:
        """What this trial trains on and for how many epochs: less, if only steps are timed."""
        epochs = self._arguments.epochs
        steps = sweep_program.steps_with_warmup(self._arguments.steps)
        if steps is None or steps >= epochs * -(-len(self._texts.labels) // BATCH_SIZE):
            return self._texts, epochs
        short = min(SHORT_EPOCHS, epochs)
        return self._texts.first(-(-steps // short) * BATCH_SIZE), short

    def _measured(
        self, trial: Any, model: Any, timer: StepTimer, wall_seconds: float, accuracy: float
    ) -> TrialMeasurement:
        values = trial.hyperparameters.values
        rates = self._arguments.rates[values["frozen_depth"]]
        texts, epochs = self._to_fit()
        of_an_epoch = step_tokens(len(texts.labels))
        timed = TimedTrial(
            wall_seconds=wall_seconds,
            step_seconds=timer.step_seconds,
            step_tokens=of_an_epoch * epochs,
            total_tokens=sum(step_tokens(len(self._texts.labels))) * self._arguments.epochs,
            evaluation_seconds=timer.evaluation_seconds,
            epochs=self._arguments.epochs,
        )
        parts = timed.seconds()
        is_whole = texts is self._texts
        return TrialMeasurement(
            frozen_depth=values["frozen_depth"],
            learning_rate=rates[values["rate"]],
            epochs=self._arguments.epochs,
            seconds=sum(parts),
            parts=parts,
            trainable_parameters=sum(int(np.prod(w.shape)) for w in model.trainable_weights),
            extrapolated=not is_whole,
            stands_for=1 if self._arguments.steps is None else len(rates),
            validation_accuracy=accuracy if is_whole else None,
        )


def build_model(hp: Any, arguments: argparse.Namespace, num_labels: int) -> Any:
    """Builds the model of one cell; the rate is a place in the rates of its depth."""
    rates = arguments.rates
    count = min(map(len, rates.values()))
    places = list(range(count)) if arguments.steps is None else [count // 2]
    depth = hp.Choice("frozen_depth", sorted(rates))
    rate = rates[depth][hp.Choice("rate", places)]
    model = TFBertForSequenceClassification.from_pretrained(
        arguments.model_dir, num_labels=num_labels
    )
    if depth:
        for layer in (model.bert.embeddings, *model.bert.encoder.layer[:depth]):
            layer.trainable = False
    model.compile(
        optimizer=tf_keras.optimizers.Adam(rate),
        loss=tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def load_texts(path: Path, tokenizer: Any, names: list[str] | None) -> tuple[Texts, list[str]]:
    """Reads and tokenises a file; class names come from the training file."""
    texts, labels = pytorch_data.read_labelled_tsv(path)
    names = names or sorted(set(labels))
    tokens = tokenizer(
        texts, padding="max_length", truncation=True, max_length=MAX_LENGTH, return_tensors="np"
    )
    targets = np.array([names.index(label) for label in labels], np.int64)
    return Texts({name: a.astype(np.int32) for name, a in tokens.items()}, targets), names


def step_tokens(rows: int) -> list[int]:
    """Padded tokens of each step of an epoch."""
    starts = range(0, rows, BATCH_SIZE)
    return [min(BATCH_SIZE, rows - start) * MAX_LENGTH for start in starts]


def main(argv: list[str] | None = None) -> None:
    """Runs the search and prints the measurement."""
    parser = sweep_program.sweep_parser(__doc__ or "")
    sweep_program.add_steps_option(parser)
    arguments = parser.parse_args(argv)
    tokenizer = AutoTokenizer.from_pretrained(arguments.model_dir)
    texts, names = load_texts(arguments.train, tokenizer, None)
    validation, _ = load_texts(arguments.validation, tokenizer, names)
    with tempfile.TemporaryDirectory() as folder:
        tuner = TimedGridSearch(
            arguments,
            texts,
            validation,
            hypermodel=functools.partial(build_model, arguments=arguments, num_labels=len(names)),
            objective="val_accuracy",
            directory=folder,
            project_name="sweep",
        )
        seconds_outside_trials = time.time() - arguments.started_at
        tuner.search(verbose=0)
    elapsed = time.time() - arguments.started_at
    computed = sweep_seconds(seconds_outside_trials, tuner.trials)
    distributions = ("tensorflow", "tf-keras", "transformers", "keras-tuner")
    print_measurement(
        SweepMeasurement(
            versions={name: metadata.version(name) for name in distributions},
            padding="fixed128",
            batch_size=BATCH_SIZE,
            epochs=arguments.epochs,
            trials=tuple(tuner.trials),
            seconds_outside_trials=seconds_outside_trials,
            sweep_seconds=elapsed if arguments.steps is None else computed,
            peak_rss_bytes=peak_rss_bytes(),
        )
    )


if __name__ == "__main__":
    main()
