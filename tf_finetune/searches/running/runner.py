"""Runs one trial: the same path as `train`, with the model of an earlier trial if there is one."""

import gc
import io
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple, TypeVar

import numpy as np
import tensorflow as tf
from rich.console import Console

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.folds import rounds_of, scored_split
from tf_finetune.data.loading import Splits
from tf_finetune.data.splits import Split
from tf_finetune.data.states import PrefixStates
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.errors import DiskFullError
from tf_finetune.machine.memory import PeakMemory, memory_reason
from tf_finetune.models.classifier import Classifier
from tf_finetune.models.spec import Spec
from tf_finetune.prefix.cache import PrefixCache
from tf_finetune.prefix.of_a_run import kept_splits, states_folder
from tf_finetune.results.trial import Predictions, TrialResult
from tf_finetune.searches.running.directory import SearchDirectory
from tf_finetune.searches.running.median_rule import is_below_median, peers
from tf_finetune.searches.running.models import ModelCache
from tf_finetune.searches.running.records import (
    History,
    Stage,
    TrialRecord,
    finite_history,
    write_predictions,
)
from tf_finetune.searches.running.trial_request import TrialRequest
from tf_finetune.searches.running.trial_results import Measured, failed_result, result_of
from tf_finetune.searches.running.trial_weights import trained_weights, write_weights
from tf_finetune.training.bad_numbers import NonFiniteError
from tf_finetune.training.batch_shapes import evaluation_shape
from tf_finetune.training.fine_tuner import FineTuner
from tf_finetune.training.fine_tuning import GiveUpRule, Outputs, fine_tune
from tf_finetune.training.memory_limits import OutOfMemoryError
from tf_finetune.training.rounds import TrainedRounds, train_rounds
from tf_finetune.training.strategy import ChosenStrategy

_CALIBRATION_STEPS = 5

_T = TypeVar("_T")


class TrialRunner:
    """Runs trials one after the other in this process.

    Args:
        files: The encoder.
        splits: The data, with a validation split or folds.
        config: The configuration of the search.
        chosen: The devices.
        directory: Where trials leave their files.
        trials_at_depth: How many trials a depth is likely to get; what keeping the states of
            its frozen layers is worth depends on it.
        report: Takes a line for each epoch that ends.
        note: Takes a line that should stay, such as what became of the prefix cache.
        records: Gives the trials that have ended, for `search.median_stopping`.

    Attributes:
        chosen: The devices.
        models: Compiled models of earlier trials.
        prefix: States of frozen layers that earlier trials read.
    """

    def __init__(
        self,
        files: EncoderFiles,
        splits: Splits,
        config: ExperimentConfig,
        chosen: ChosenStrategy,
        directory: SearchDirectory,
        trials_at_depth: int = 1,
        report: Callable[[str], None] = lambda line: None,
        note: Callable[[str], None] = lambda line: None,
        records: Callable[[], Iterable[TrialRecord]] = lambda: (),
    ):
        self._records = records
        self._files = files
        self._splits = splits
        self._config = config
        self.chosen = chosen
        self._directory = directory
        self._console = line_console(report)
        self._notes = line_console(note)
        self.models = ModelCache(files, splits.labels, chosen)
        self._trials_at_depth = trials_at_depth
        self.prefix = PrefixCache(
            config.cache,
            states_folder(config),
            shared=config.search.workers > 1,
            console=self._notes,
        )

    def run(self, request: TrialRequest, stage: Stage) -> TrialRecord:
        """Trains and scores; a trial that an earlier process began goes on from its checkpoint.

        Returns:
            The record; one that diverged or ran out of memory is failed, with its reason.

        Raises:
            UserError: Something that concerns every trial, such as a full disk.
        """
        return self.with_disk_room(lambda: self._run(request, stage))

    def with_disk_room(self, action: Callable[[], _T]) -> _T:
        """Does something that writes; on a full disk once more, without the states there.

        States can be computed anew, which checkpoints and records cannot.

        Raises:
            DiskFullError: There were none, or it was not enough.
        """
        try:
            return action()
        except DiskFullError as error:
            problem = error
        if not self.prefix.give_up_disk(self._directory.path):
            raise problem
        self._notes.print(
            f"{problem.problems[0]}; the prefix cache gives up its files, and the trial goes on",
            markup=False,
            soft_wrap=True,
        )
        del problem  # and the frames it holds, which have mapped those files
        gc.collect()
        return action()

    def _run(self, request: TrialRequest, stage: Stage) -> TrialRecord:
        began = time.monotonic()
        folder = self._directory.trial(request, self._config.training.epochs)
        config = request.configure(self._config)
        digest: str | None = None
        weights_digest: str | None = None
        history: History = ()
        fold_histories: tuple[History, ...] = ()
        try:
            with PeakMemory() as memory:
                trained = self._train(request, config, self._give_up(request, stage))
        except NonFiniteError as error:
            result = failed_result(request, error.problems[0])
        except (tf.errors.ResourceExhaustedError, MemoryError) as error:
            result = failed_result(request, memory_reason(error))
            del error
            self.models.clear()
        except OutOfMemoryError as error:
            result = failed_result(request, error.problems[0])
            self.models.clear()
        else:
            result = self._result(request, config, trained, memory)
            history = finite_history(trained.rounds.history)
            if self._splits.folds is not None:
                fold_histories = tuple(map(finite_history, trained.rounds.histories))
            if result.status == "completed":
                digest = write_predictions(folder / "validation.npz", trained.predictions)
                if self._config.search.ensemble and self._is_whole(request, trained):
                    weights = trained_weights(trained.classifier)
                    weights_digest = write_weights(folder, weights)
        return TrialRecord(
            request=request,
            stage=stage,
            result=result,
            # A trial that was resumed has also the epochs of the process before.
            wall_seconds=max(time.monotonic() - began, result.train_seconds or 0.0),
            history=history,
            folder=folder.name,
            predictions_sha256=digest,
            fold_histories=fold_histories,
            weights_sha256=weights_digest,
        )

    def remove_checkpoints(self, record: TrialRecord) -> None:
        """Removes what only an unfinished trial needs; call it when the journal has the record."""
        shutil.rmtree(self._directory.trials / record.folder / "checkpoints", ignore_errors=True)

    def measure_epoch(self, request: TrialRequest) -> float:
        """Estimates the seconds of an epoch by training a few steps, which are then forgotten.

        With folds, of an epoch of all their trainings.
        Cached states are not used, so that what is measured holds for depths without a cache.
        """
        config = request.configure(self._config)
        train = self._splits.train
        rows = min(_CALIBRATION_STEPS * config.training.batch_size, len(train))
        sample = np.random.default_rng(0).choice(len(train), rows, replace=False)
        part = replace(
            self._splits, train=train.select(np.sort(sample)), validation=None, folds=None
        )
        training = config.training.model_copy(
            update={
                "epochs": 1,
                "early_stopping_patience": None,
                "class_weights": "none",
                "steps_per_execution": 1,  # so that the first step, which is traced, stands alone
            }
        )
        compiled = self.models.get(config, self._splits.train.labels)
        compiled.model.classifier.reset(training.seed)
        run = fine_tune(
            compiled.model,
            part,
            training,
            config.evaluation,
            max_length=config.data.max_length,
            chosen=self.chosen,
            console=self._console,
        )
        steps = max(run.steps - 1, 1)
        seconds = (
            (run.train_seconds - run.first_step_seconds) if run.steps > 1 else run.train_seconds
        )
        rounds = rounds_of(self._splits)
        return (
            seconds
            / steps
            * sum(
                config.method.steps_per_epoch(len(one.trained), training.batch_size)
                for one in rounds
            )
        )

    def _is_whole(self, request: TrialRequest, trained: "_Trained") -> bool:
        return request.epochs == self._config.training.epochs and not trained.given_up

    def _give_up(self, request: TrialRequest, stage: Stage) -> GiveUpRule | None:
        """What ends this trial early; None in a stage whose trials have to be whole."""
        if request.cell.is_solved:
            return None
        if not self._config.search.median_stopping or stage not in ("explore", "widen", "race"):
            return None
        metric, higher = self._splits.labels.monitor(self._config.training.monitor)
        others = peers(request, self._records())
        return lambda history: is_below_median(history, others, f"val_{metric}", higher)

    def _train(
        self, request: TrialRequest, config: ExperimentConfig, give_up: GiveUpRule | None
    ) -> "_Trained":
        folder = self._directory.trial(request, self._config.training.epochs)
        compiled = self.models.get(config, self._splits.train.labels)
        events = folder / "events" if config.run.tensorboard else None
        states = self._states(compiled.model, config)
        rounds = train_rounds(
            compiled.model,
            self._splits,
            config,
            self.chosen,
            states=states,
            outputs=Outputs(events, folder / "checkpoints"),
            console=self._console,
            give_up=give_up,
        )
        history = rounds.history
        given_up = give_up is not None and len(history) < request.epochs and give_up(history)
        targets = _scored(self._splits).labels
        return _Trained(
            rounds,
            compiled.spec,
            compiled.model.classifier,
            Predictions(targets, rounds.logits),
            states,
            given_up,
        )

    def _states(self, model: FineTuner, config: ExperimentConfig) -> dict[str, PrefixStates]:
        """States at the frozen boundary, for this trial and those that follow at its depth."""
        return self.prefix.states(
            model,
            kept_splits(self._splits),
            evaluation_shape(
                config.evaluation, config.training, config.data.max_length, self.chosen
            ),
            passes=self._passes(config) * len(rounds_of(self._splits)),
        )

    def _passes(self, config: ExperimentConfig) -> int:
        """How often a round's examples are likely to be read, over all trials of a depth."""
        if config.training.solver == "exact":
            return 2  # once, and once more for the final training
        return config.training.epochs * config.method.readings * self._trials_at_depth

    def _result(
        self,
        request: TrialRequest,
        config: ExperimentConfig,
        trained: "_Trained",
        memory: PeakMemory,
    ) -> TrialResult:
        rounds, train = trained.rounds, self._splits.train
        epochs = len(rounds.history)
        # With folds too, the price is that of one training, on all training examples. A run of
        # this cell alone would have to fill its cache, too.
        seconds = trained.states["train"].fill_seconds if trained.states else 0.0
        seconds /= request.epochs if request.cell.is_solved else epochs
        # What solves the head has no epochs: its price is shared out over those of the others.
        shares = request.epochs if request.cell.is_solved else 1
        seconds += len(train) / rounds.examples_per_second / shares
        measured = Measured(
            seconds_per_epoch=seconds,
            examples_per_second=rounds.examples_per_second,
            train_seconds=rounds.train_seconds,
            peak_memory_bytes=self._own_memory(config, trained.states, memory),
            epochs=epochs,
            micro_batches=rounds.micro_batches,
            given_up=trained.given_up,
        )
        return result_of(
            request,
            config.training,
            trained.spec,
            train,
            self._splits.labels,
            trained.predictions,
            measured,
            _scored(self._splits).name,
        )

    def _own_memory(
        self, config: ExperimentConfig, states: Mapping[str, PrefixStates], memory: PeakMemory
    ) -> int | None:
        """The peak without the models, and the states of other depths, kept for other trials."""
        if memory.peak_bytes is None:
            return None
        own = self.models.get(config, self._splits.train.labels).bytes
        other_models = self.models.bytes - own
        other_states = self.prefix.memory_bytes - sum(s.own_bytes for s in states.values())
        return memory.peak_bytes - other_models - other_states


class _Trained(NamedTuple):
    """What a trial leaves in memory."""

    rounds: TrainedRounds
    spec: Spec
    classifier: Classifier
    predictions: Predictions
    states: Mapping[str, PrefixStates]
    given_up: bool


def line_console(take: Callable[[str], None]) -> Console:
    """A console that hands over every line that is printed."""
    # In a notebook rich shows lines as outputs of the cell unless it is told not to.
    return Console(
        file=_Lines(take), width=200, color_system=None, force_terminal=False, force_jupyter=False
    )


class _Lines(io.StringIO):
    """A stream that hands over every line."""

    def __init__(self, report: Callable[[str], None]):
        super().__init__()
        self._report = report

    def write(self, text: str) -> int:
        for line in filter(None, (line.strip() for line in text.splitlines())):
            self._report(line)
        return len(text)


def _scored(splits: Splits) -> Split:
    scored = scored_split(splits)
    if scored is None:
        raise ValueError("a search needs a validation split or folds")
    return scored
