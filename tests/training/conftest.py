"""A tiny task, and models of it that several modules share, because tracing takes seconds."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tf_finetune.data.batch import Batch
from tf_finetune.data.loading import Splits, load_splits
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.models.weights import pretrained
from tf_finetune.options.data import DataConfig
from tf_finetune.options.evaluation import EvaluationConfig
from tf_finetune.options.training import TrainingConfig
from tf_finetune.training import pipeline
from tf_finetune.training.checkpoint_callback import SaveCheckpoints
from tf_finetune.training.compiling import build_fine_tuner
from tf_finetune.training.fine_tuner import FineTuner
from tf_finetune.training.fine_tuning import Outputs, fine_tune
from tf_finetune.training.run_result import RunResult
from tf_finetune.training.strategy import ChosenStrategy, build_strategy

MAX_LENGTH = 32
MEASURED = ("seconds", "examples_per_second")


@pytest.fixture(scope="session")
def tiny_encoder_files(tiny_encoder: Path) -> EncoderFiles:
    return EncoderFiles("tiny", tiny_encoder)


@pytest.fixture(scope="session")
def load_tiny(tiny_tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable:
    """Load the splits of a file: 60 % training, 20 % validation, 20 % test."""
    cache = tmp_path_factory.mktemp("token_cache")

    def load(path: Path, **options: Any) -> Splits:
        config = DataConfig.model_validate(
            {
                "train": str(path),
                "validation_fraction": 0.2,
                "test_fraction": 0.2,
                "cache_dir": str(cache),
                "max_length": MAX_LENGTH,
                **options,
            }
        )
        return load_splits(config, tiny_tokenizer)[0]

    return load


@pytest.fixture(scope="session")
def splits(load_tiny: Callable, tiny_csv: Path) -> Splits:
    """36 training examples: four batches of 8 and one of 4."""
    return load_tiny(tiny_csv)


@pytest.fixture(scope="session")
def training() -> Callable[..., TrainingConfig]:
    """Options of a run of two epochs of five steps that changes weights a lot."""

    def make(**options: Any) -> TrainingConfig:
        defaults = {"learning_rate": 3e-3, "epochs": 2, "batch_size": 8, "seed": 1}
        return TrainingConfig.model_validate(defaults | options)

    return make


@pytest.fixture(scope="session")
def cpu() -> ChosenStrategy:
    return build_strategy("cpu")


@pytest.fixture(scope="session")
def build(
    tiny_encoder_files: EncoderFiles, cpu: ChosenStrategy, spec_for: Callable
) -> Callable[..., FineTuner]:
    """Build a model for some splits; untraced until it first runs."""

    def make(
        splits: Splits,
        config: TrainingConfig,
        depth: int = 1,
        chosen: ChosenStrategy = cpu,
        method: str | dict[str, Any] = "full",
        **encoder: Any,
    ) -> FineTuner:
        sections = {"freeze": {"depth": depth}, "training": config, "encoder": encoder}
        sections["method"] = {"name": method} if isinstance(method, str) else method
        spec = spec_for(tiny_encoder_files, splits.labels, **sections)
        start = pretrained(spec.files, spec.labels, splits.train.labels)
        return build_fine_tuner(spec, start, chosen)

    return make


@pytest.fixture(scope="session")
def run(splits: Splits, cpu: ChosenStrategy) -> Callable[..., RunResult]:
    """Run a model from its weights before fine-tuning."""

    def fit(
        model: FineTuner,
        config: TrainingConfig,
        data: Splits = splits,
        chosen: ChosenStrategy = cpu,
        outputs: Outputs | None = None,
        prepare: Callable[[], Any] = lambda: None,
        max_length: int = MAX_LENGTH,
        **options: Any,
    ) -> RunResult:
        model.classifier.reset(config.seed)
        prepare()
        return fine_tune(
            model,
            data,
            config,
            EvaluationConfig(batch_size=8),
            max_length=max_length,
            chosen=chosen,
            outputs=outputs or Outputs(),
            **options,
        )

    return fit


@pytest.fixture(scope="session")
def model(build: Callable, splits: Splits, training: Callable) -> FineTuner:
    """Depth 1 with AdamW and dropout 0.1; shared, so every test starts with `run`."""
    return build(splits, training())


@pytest.fixture(scope="session")
def second_model(build: Callable, splits: Splits, training: Callable) -> FineTuner:
    """As `model`: what another process would build."""
    return build(splits, training())


@pytest.fixture(scope="session")
def weights() -> Callable[[FineTuner], dict[str, np.ndarray]]:
    """Copies of all variables by path."""
    return lambda model: {path: v.numpy() for path, v in model.classifier.by_path.items()}


@pytest.fixture(scope="session")
def state(weights: Callable) -> Callable[[FineTuner, RunResult], dict[str, Any]]:
    """All that a run leaves: weights, optimiser and history but for measured times."""

    def collect(model: FineTuner, result: RunResult) -> dict[str, Any]:
        optimizer = {f"slot {i}": v.numpy() for i, v in enumerate(model.optimizer_state.variables)}
        history = {
            f"epoch {number}": {k: v for k, v in entry.items() if k not in MEASURED}
            for number, entry in enumerate(result.history)
        }
        return weights(model) | optimizer | history

    return collect


@pytest.fixture(scope="session")
def rounded() -> Callable[[dict[str, Any]], dict[str, Any]]:
    """What of a state rounding moves little.

    The gradient of a key's bias is zero but for rounding, because softmax does not see what is
    added to a whole row of scores. Adam makes steps of full length of it, in any direction.
    The optimiser's slots, which have no names here, go with it.
    """

    def select(state: dict[str, Any]) -> dict[str, Any]:
        left_out = ("/key/bias", "slot ")
        return {k: v for k, v in state.items() if not any(part in k for part in left_out)}

    return select


@pytest.fixture(scope="session")
def assert_equal() -> Callable[..., None]:
    """Compare two states, bit for bit or to a tolerance for values of size 1, or of their own."""

    def compare(first: dict, second: dict, atol: float = 0.0) -> None:
        assert first.keys() == second.keys()
        for name, value in first.items():
            if isinstance(value, dict):
                assert value == pytest.approx(second[name], abs=atol, rel=0), name
            else:
                within = atol * max(1.0, float(np.abs(second[name]).max(initial=0.0)))
                np.testing.assert_allclose(value, second[name], atol=within, rtol=0, err_msg=name)

    return compare


@pytest.fixture(scope="session")
def two_replicas() -> ChosenStrategy:
    assert len(tf.config.list_logical_devices("CPU")) == 2
    return build_strategy("mirrored")


@pytest.fixture
def interrupt_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Path], Outputs]:
    """Save checkpoints after a step and the one before, then raise KeyboardInterrupt, once."""

    def prepare(step: int, folder: Path) -> Outputs:
        armed = [step]

        class Interrupted(SaveCheckpoints):
            def interrupt(self) -> None:
                if [self.step] == armed:
                    armed.clear()
                    raise KeyboardInterrupt

            def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
                self._every_seconds = 0 if self.step + 1 >= step - 1 else math.inf
                super().on_train_batch_end(batch, logs)
                if self.step % self._steps_per_epoch:
                    self.interrupt()

            def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
                super().on_epoch_end(epoch, logs)
                self.interrupt()

        monkeypatch.setattr("tf_finetune.training.fine_tuning.SaveCheckpoints", Interrupted)
        return Outputs(checkpoints=folder)

    return prepare


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make the loss NaN at some global steps, counted from 0, by the weight of an example."""
    real = pipeline.global_batch

    def plant(*steps: int) -> None:
        def global_batch(
            split: Any, rows: Any, weights: Any, shape: Any, step: int, *rest: Any, **more: Any
        ) -> Batch:
            batch = real(split, rows, weights, shape, step, *rest, **more)
            if step in steps:
                batch.weights[0] = np.nan
            return batch

        monkeypatch.setattr(pipeline, "global_batch", global_batch)

    return plant
