"""What the estimators of texts have in common: their parameters, their run and their model."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d

from tf_finetune.api.calling import called
from tf_finetune.api.estimators.kept_run import KeptRun
from tf_finetune.api.estimators.text_inputs import Columns, InputError, input_errors
from tf_finetune.api.examples import LABEL
from tf_finetune.api.model import Model
from tf_finetune.api.options import Config, configured
from tf_finetune.config import uses
from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.config.saving import write_config
from tf_finetune.config.seal import load_written_config
from tf_finetune.jobs.train import train
from tf_finetune.sources.in_memory import InMemory, Values, keep
from tf_finetune.storage.run_directory import RunDirectory

_NO_OPTIONS = ("config", "progress")  # parameters that are no options of a section
_HELD_OUT = ("validation_fraction", "test_fraction")


class TextEstimator(BaseEstimator):
    """An encoder that is fine-tuned by `fit`, by the code of `fine_tune`.

    Nothing is held out unless `config` says so: with scikit-learn that is the caller's.

    Args:
        encoder: As `encoder.name`. None, here and below: as `config` says, or the option's default.
        depth: Frozen depth.
        method: What trains above it.
        learning_rate: Peak learning rate; without one, one that suits depth and method.
        epochs: Passes over the examples.
        batch_size: Examples a step.
        max_length: Longest text in tokens.
        seed: Of new weights, the order of batches and dropout.
        config: All other options: a YAML file, or its content as a dictionary.
        folder: Folder of the run, which must not hold a finished one; None: a temporary one,
            removed when neither the estimator nor its model is held any more.
        progress: Whether `fit` tells what it does.
    """

    _kept: KeptRun
    model_: Model

    def __init__(
        self,
        encoder: str | os.PathLike[str] | None = None,
        *,
        depth: int | None = None,
        method: str | None = None,
        learning_rate: float | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        max_length: int | None = None,
        seed: int | None = None,
        config: Config = None,
        folder: str | os.PathLike[str] | None = None,
        progress: bool = False,
    ):
        self.encoder = encoder
        self.depth = depth
        self.method = method
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.max_length = max_length
        self.seed = seed
        self.config = config
        self.folder = folder
        self.progress = progress

    def _targets(self, columns: Columns, y: Any) -> np.ndarray:
        """`y` as an array [n], checked by scikit-learn's own rules."""
        if y is None:
            raise InputError(
                f"this {type(self).__name__} requires y to be passed, but the target y is None"
            )
        check_consistent_length(*columns.values(), y)
        targets: np.ndarray = column_or_1d(y, warn=True)
        missing = np.flatnonzero(pd.isna(targets))
        if len(missing):
            raise InputError(
                f"y, row {missing[0] + 1}: received {targets[missing[0]]}; accepted: a target that "
                "is not None or NaN"
            )
        assert_all_finite(targets, input_name="y")
        return targets

    def _fit(self, texts: Columns, labels: Any, **options: Any) -> None:
        """Trains on texts and their labels; what was fitted before stays if that fails.

        Args:
            texts: From `text_columns`.
            labels: As the package takes them, a list or an array of n.
            **options: What the estimator's kind decides, by the names of `configured`.

        Raises:
            InputError: Something is wrong with the texts, the labels or the parameters.
        """
        with input_errors():
            columns = {**texts, LABEL: labels}
            examples = keep(InMemory("X", _parted(columns), len(labels)))
            kept, config = _settled(self._configured(examples, columns, options))
            with called(self.progress) as console:
                directory = train(config, console)
        kept.drop_scratch()
        _forget(directory, kept)
        self._kept = kept
        self.model_ = Model(kept.path, held=(kept,))

    def _configured(
        self, examples: InMemory, columns: Mapping[str, Any], options: Mapping[str, Any]
    ) -> ExperimentConfig:
        named = self.get_params(deep=False)
        given = {n: v for n, v in named.items() if n not in _NO_OPTIONS and v is not None}
        as_columns = {name: name for name in columns}
        given |= {"train": examples.source, **as_columns, **options}
        return configured(self.config, given, uses.TRAIN, type(self).__name__)

    def __sklearn_tags__(self) -> Any:
        """Texts are strings in one dimension."""
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags

    def _fitted(self) -> Model:
        check_is_fitted(self)
        return self.model_

    def __getstate__(self) -> dict[str, Any]:
        """Without the model, which is in the files."""
        return {n: value for n, value in super().__getstate__().items() if n != "model_"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Opens the model again, of a fitted one."""
        super().__setstate__(state)
        if "_kept" in state:
            self.model_ = Model(self._kept.path, held=(self._kept,))


def _parted(columns: Mapping[str, Any]) -> dict[str, Values]:
    def values(column: Any) -> Values:
        return lambda first, last: column[first:last]

    return {name: values(column) for name, column in columns.items()}


def _settled(config: ExperimentConfig) -> tuple[KeptRun, ExperimentConfig]:
    """Where the run goes, and the options that have other defaults here, if they are not given.

    Nothing is held out. A temporary run keeps tokens and states beside it while it trains, and
    has no events.
    """
    kept = KeptRun(config.run.dir)
    given = config.data.model_fields_set
    data: dict[str, Any] = {name: 0.0 for name in _HELD_OUT if name not in given}
    run: dict[str, Any] = {"dir": str(kept.path)}
    if kept.scratch is not None:
        if "cache_dir" not in given:
            data["cache_dir"] = str(kept.scratch)
        if "tensorboard" not in config.run.model_fields_set:
            run["tensorboard"] = False
    sections = {
        "data": config.data.model_copy(update=data),
        "run": config.run.model_copy(update=run),
    }
    return kept, config.model_copy(update=sections)


def _forget(directory: RunDirectory, kept: KeptRun) -> None:
    """Writes into a run's configuration that its folder for tokens is gone."""
    config = load_written_config(directory.config)
    if kept.scratch is not None and config.data.cache_dir == str(kept.scratch):
        usual = type(config.data).model_fields["cache_dir"].default
        data = config.data.model_copy(update={"cache_dir": usual})
        write_config(config.model_copy(update={"data": data}), directory.config)
