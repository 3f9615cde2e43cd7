"""One run: a classifier, a training split and options in; a trained classifier out."""

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import tf_keras
from rich.console import Console
from rich.text import Text

from tf_finetune.data.loading import Splits
from tf_finetune.data.splits import Split
from tf_finetune.data.states import PrefixStates
from tf_finetune.errors import UserError, visible
from tf_finetune.machine import interruption
from tf_finetune.machine.interruption import Interrupted
from tf_finetune.options.evaluation import EvaluationConfig
from tf_finetune.options.training import TrainingConfig
from tf_finetune.plans.solver import trains_head_alone
from tf_finetune.training.bad_numbers import BadNumbers, NonFiniteError
from tf_finetune.training.batch_shapes import evaluation_shape, training_shape
from tf_finetune.training.callbacks import (
    EpochHistory,
    GiveUp,
    SolveHead,
    SpeedMeter,
    StopEarly,
    ValidationScores,
)
from tf_finetune.training.checkpoint_callback import SaveCheckpoints
from tf_finetune.training.checkpoint_identity import checkpoint_identity
from tf_finetune.training.checkpoints import RunCheckpoints
from tf_finetune.training.fine_tuner import FineTuner, StepMemoryError
from tf_finetune.training.frozen_check import check_frozen_unchanged, frozen_digests
from tf_finetune.training.head_solving import HeadSolver
from tf_finetune.training.memory_limits import cut_smaller
from tf_finetune.training.objectives import OBJECTIVES, Objective, Steps
from tf_finetune.training.option_checks import check_options
from tf_finetune.training.phases import Phase, hand_over, only_phase
from tf_finetune.training.pipeline import BatchShape, piece_rows
from tf_finetune.training.progress import ProgressBar
from tf_finetune.training.run_result import RunResult
from tf_finetune.training.split_logits import predict_logits
from tf_finetune.training.strategy import ChosenStrategy
from tf_finetune.training.tensorboard_scalars import TensorBoardScalars
from tf_finetune.training.weight_change import weight_changes

_ROWS_SHOWN = 64


@dataclass(frozen=True)
class Outputs:
    """Where a run writes while it trains; None leaves that out."""

    events: Path | None = None
    checkpoints: Path | None = None

    def inside(self, name: str) -> "Outputs":
        """Folders of this name inside; the same where it is empty."""
        return Outputs(
            None if self.events is None else self.events / name,
            None if self.checkpoints is None else self.checkpoints / name,
        )


GiveUpRule = Callable[[Sequence[dict[str, float]]], bool]


def fine_tune(
    model: FineTuner,
    splits: Splits,
    config: TrainingConfig,
    evaluation: EvaluationConfig,
    *,
    max_length: int,
    chosen: ChosenStrategy,
    states: Mapping[str, PrefixStates] = MappingProxyType({}),
    outputs: Outputs = Outputs(),
    console: Console | None = None,
    give_up: GiveUpRule | None = None,
    phases: Sequence[Phase] = (),
) -> RunResult:
    """Trains what the plan trains and scores the validation split after every epoch.

    With `training.solver=exact` the head is solved, a penalty in the place of an epoch; auto
    counts as steps here, see `resolve_solver`. Any other run that has checkpoints of the same
    job goes on from the newest.

    Args:
        model: From `build_fine_tuner`, its classifier as it is before fine-tuning (to use
            one again: `model.classifier.reset(seed)`); changed in place.
        splits: Training and, where there is one, validation examples.
        config: The training section.
        evaluation: The evaluation section.
        max_length: Longest text in tokens.
        chosen: The strategy.
        states: States of "train" and "validation" at the frozen boundary, where they are cached.
        outputs: Where events and checkpoints go.
        console: Where progress goes; None is silent.
        give_up: Is asked with the history after every epoch but the last whether to stop.
        phases: Of a run whose frozen depth changes, in order, the first with this model; they know
            their states themselves.

    Returns:
        The result; its model, of several phases the last one's, holds the weights of `best_epoch`.

    Raises:
        UserError: Options and data do not go together, see `check_options`.
        NonFiniteError: The loss or a gradient became NaN or infinite, and
            `training.on_nonfinite` does not go on; the state before is saved, if there are
            checkpoints.
        OutOfMemoryError: A training step does not fit the memory, and
            `training.on_out_of_memory` forbids to cut it smaller, or nothing is left to cut.
        RuntimeError: A frozen variable changed.
        Interrupted: Ctrl-C or SIGTERM; the state after the last step is saved, if there are
            checkpoints.
    """
    check_options(config, splits)
    train = _required(splits.train)
    if config.solver == "exact" and not trains_head_alone(model.classifier.plan):
        raise ValueError("more than the head trains, which cannot be solved exactly")
    if (splits.labels.scale(train.labels) is None) != (model.classifier.scale is None):
        raise ValueError("numbers are trained with a scale of their targets, nothing else is")
    console = console or Console(quiet=True)
    scoring_shape = evaluation_shape(evaluation, config, max_length, chosen)
    if config.solver == "exact":
        frozen = frozen_digests(model.classifier)
        solver = HeadSolver(model, splits, config, scoring_shape, states, outputs.events, console)
        with interruption.deferred():
            result = solver.solve()
        check_frozen_unchanged(model.classifier, frozen)
        return result
    method = model.classifier.plan.method
    run = _Fit(
        model=model,
        phases=phases or only_phase(model, config.learning_rate, states),
        splits=splits,
        config=config,
        shape=replace(
            training_shape(config, max_length, chosen, method, packs=not splits.labels.joins_reads),
            micro_batches=model.micro_batches,
        ),
        scoring_shape=scoring_shape,
        chosen=chosen,
        console=console,
        per_epoch=method.steps_per_epoch(len(train), config.batch_size),
        objective=OBJECTIVES[method.learns_from],
    )
    with interruption.deferred():
        result = run.fit_in_memory(outputs, give_up)
    run.check_frozen()
    return result


@dataclass
class _Fit:
    """The pieces of one `fine_tune` call."""

    model: FineTuner
    phases: Sequence[Phase]
    splits: Splits
    config: TrainingConfig
    shape: BatchShape
    scoring_shape: BatchShape
    chosen: ChosenStrategy
    console: Console
    per_epoch: int
    objective: Objective
    states: Mapping[str, PrefixStates] = field(default_factory=dict)
    phase: int = 0
    frozen: Mapping[str, str] = field(default_factory=dict)
    last_logits: np.ndarray | None = None

    @property
    def total_steps(self) -> int:
        return self.per_epoch * self.config.epochs

    def fit_in_memory(self, outputs: Outputs, give_up: GiveUpRule | None) -> RunResult:
        """As `fit`, with steps cut smaller until they fit the memory, where that is allowed."""
        while True:
            try:
                return self.fit(outputs, give_up)
            except StepMemoryError as error:
                problem = str(error)
            gc.collect()  # out here, the frames of the error and all that they held are free
            rows = piece_rows(_required(self.splits.train), self.shape, self.config.seed)
            # One process alone cannot cut its batches: the others' steps wait for its own.
            action = self.config.on_out_of_memory if self.chosen.cluster is None else "stop"
            line = cut_smaller(self.model, action, rows, problem)
            self.console.print(Text(visible(line), style="yellow"), soft_wrap=True)
            self.shape = replace(self.shape, micro_batches=self.model.micro_batches)
            # As another process would begin: an update may have been half done.
            for model in (self.phases[0].model(), self.model):
                model.classifier.reset(self.config.seed)

    def fit(self, outputs: Outputs, give_up: GiveUpRule | None) -> RunResult:
        self._begin_phase(0)
        stopper, history = self._stopper(), EpochHistory()
        speed = SpeedMeter(self.config.batch_size)
        bad_numbers = BadNumbers(
            self.config.on_nonfinite, self._examples_of_step, self.per_epoch, self.console
        )
        bad_numbers.set_model(self.model)
        saver = self._saver(outputs.checkpoints, history, speed, stopper, bad_numbers)
        step = self._resume(saver, bad_numbers)
        callbacks, progress = self._callbacks(outputs.events, step, speed, stopper)
        callbacks = [bad_numbers, *callbacks, history]
        if give_up is not None:
            callbacks.append(GiveUp(history, give_up, self.config.epochs))
        if saver is not None:
            callbacks.append(saver)
        stopped = saver is not None and saver.stopped
        try:
            while len(history.entries) < self.config.epochs and not stopped:
                epoch = len(history.entries)
                if (number := self._phase_at(epoch)) != self.phase:
                    self._go_over(number, bad_numbers, saver, callbacks)
                self.states = self.phases[self.phase].states(self.model)
                step = self._fit_from(step, epoch, callbacks)
                stopped = self.model.stop_training
        except (Interrupted, NonFiniteError):
            if saver is not None:
                saver.save()  # or says which weight is the cause, and leaves the checkpoint before
                if self.chosen.writes:
                    line = f"interrupted; step {saver.step} of {self.total_steps} is saved"
                    self.console.print(line)
            raise
        finally:
            progress.close()
        if stopper is not None:
            stopper.set_model(self.model)
            stopper.restore_best(self.config.seed)
        else:
            self.model.keep()
        epochs = len(history.entries)
        best_epoch = 1 + (stopper.best_epoch if stopper else epochs - 1)
        return RunResult(
            model=self.model,
            history=history.entries,
            best_epoch=best_epoch,
            steps=self.per_epoch * epochs,
            train_seconds=sum(entry["seconds"] for entry in history.entries),
            first_step_seconds=speed.first_step_seconds,
            first_call_steps=speed.first_call_steps,
            first_step_at=speed.first_step_at,
            micro_batches=self.model.micro_batches,
            validation_logits=self.last_logits if best_epoch == epochs else None,
        )

    def _saver(
        self,
        folder: Path | None,
        history: EpochHistory,
        speed: SpeedMeter,
        stopper: StopEarly | None,
        bad_numbers: BadNumbers,
    ) -> SaveCheckpoints | None:
        if folder is None:
            return None
        several = self.phases if len(self.phases) > 1 else ()
        identity = checkpoint_identity(self.model.classifier, self.splits, self.config, several)
        checkpoints = RunCheckpoints(folder, self.model, identity)
        return SaveCheckpoints(
            checkpoints,
            self.per_epoch,
            history,
            speed,
            stopper,
            bad_numbers,
            writes=self.chosen.writes,
            every_seconds=self.config.checkpoint_seconds,
        )

    def check_frozen(self) -> None:
        """Holds what the phase froze against what it was when the phase began."""
        check_frozen_unchanged(self.model.classifier, self.frozen)

    def _phase_at(self, epoch: int) -> int:
        """Number of the phase of an epoch."""
        return max(i for i, phase in enumerate(self.phases) if phase.first_epoch <= max(epoch, 0))

    def _begin_phase(self, number: int) -> None:
        """Makes the model of a phase ready, as for a run that begins with it."""
        phase = self.phases[number]
        self.phase, self.model = number, phase.model()
        if self.model.micro_batches != self.shape.micro_batches:
            self.model.cut_batches(self.shape.micro_batches)
        self.model.classifier.rescale(self.phases[0].model().classifier.scale)
        rate = {"learning_rate": phase.learning_rate}
        self.model.start_run(self.config.model_copy(update=rate), self.total_steps)
        self.frozen = frozen_digests(self.model.classifier)

    def _go_over(
        self,
        number: int,
        bad_numbers: BadNumbers,
        saver: SaveCheckpoints | None,
        callbacks: Sequence[tf_keras.callbacks.Callback],
    ) -> None:
        """Goes over to the phase of the next epoch."""
        self.check_frozen()
        before = self.model
        self._begin_phase(number)
        hand_over(before, self.model, self.config.seed)
        for callback in callbacks:
            callback.set_model(self.model)
        bad_numbers.halve_again()
        if saver is not None:
            saver.follow(self.model)
        del before
        gc.collect()  # its slots are no longer needed, and a Keras model is a web of cycles
        plan, epoch = self.phases[number].plan, self.phases[number].first_epoch + 1
        self.console.print(
            f"from epoch {epoch} on: {plan.frozen_depth} of {plan.num_layers} layers frozen, "
            f"{plan.trainable_count:,} parameters train",
            highlight=False,
        )

    def _resume(self, saver: SaveCheckpoints | None, bad_numbers: BadNumbers) -> int:
        """Global step to start from, after restoring what an earlier process left."""
        if saver is None:
            return 0

        def model_at(step: int) -> FineTuner:
            number = self._phase_at((step - 1) // self.per_epoch)
            if number != self.phase:
                self._begin_phase(number)
                bad_numbers.set_model(self.model)
            return self.model

        step = saver.resume(model_at)
        for line in saver.damaged:
            self.console.print(Text(visible(line), style="yellow"), soft_wrap=True)
        steps = self.chosen.by_process(step)
        if len(set(steps)) > 1:
            raise UserError(
                f"run.dir: the processes found checkpoints of the steps {steps} (0: none)",
                hint="The folder has to be on a file system that all of them share.",
            )
        if step:
            self.console.print(f"going on from step {step} of {self.total_steps}", highlight=False)
        return step

    def _fit_from(
        self,
        first_step: int,
        epoch: int,
        callbacks: list[Any],
    ) -> int:
        """Fits from a step on: the rest of the epoch if that has begun, else the rest of the phase.

        Keras counts the steps of an epoch from 0, so a rest is a fit of its own; of no step if
        only the scores were missing.
        """
        inside = first_step - epoch * self.per_epoch
        later = (phase.first_epoch for phase in self.phases if phase.first_epoch > epoch)
        last_epoch = epoch + 1 if inside else min([*later, self.config.epochs])
        last_step = last_epoch * self.per_epoch
        dataset = self._steps().dataset(first_step, last_step, self.states.get("train"))
        self.model.fit(
            dataset,
            initial_epoch=epoch,
            epochs=last_epoch,
            steps_per_epoch=self.per_epoch - inside,
            callbacks=callbacks,
        )
        return last_step

    def _steps(self) -> Steps:
        train, labels = _required(self.splits.train), self.splits.labels
        weights = labels.example_weights(self.config.class_weights, train.labels)
        return self.objective.steps(train, labels, weights, self.shape, self.config.seed)

    def _stopper(self) -> StopEarly | None:
        patience = self.config.early_stopping_patience
        if patience is None:
            return None
        metric, higher = self.splits.labels.monitor(self.config.monitor)
        return StopEarly(f"val_{metric}", higher, patience)

    def _callbacks(
        self, events: Path | None, first_step: int, speed: SpeedMeter, stopper: StopEarly | None
    ) -> tuple[list[tf_keras.callbacks.Callback], ProgressBar]:
        """In the order in which one's logs are another's input."""
        metric, _ = self.splits.labels.monitor(self.config.monitor)
        callbacks: list[tf_keras.callbacks.Callback] = [speed]
        if self.objective.leaves_head:
            callbacks.insert(0, SolveHead(self._solve_head))
        if self.splits.validation is not None:
            callbacks.append(ValidationScores(self._validation_scores))
        if stopper is not None:
            callbacks.append(stopper)
        if events is not None:

            def changes() -> dict[str, float]:
                with self.model.with_kept_values():
                    return weight_changes(self.model.classifier, self.config.seed)()

            callbacks.append(TensorBoardScalars(events, changes, first_step=first_step))
        progress = ProgressBar(
            self.console,
            total_steps=self.total_steps,
            first_step=first_step,
            steps_per_epoch=self.per_epoch,
            batch_size=self.config.batch_size,
            metric=f"val_{metric}",
        )
        return [*callbacks, progress], progress

    def _examples_of_step(self, step: int) -> str:
        """Data file and row numbers of what was in the batch of a global step."""
        train = _required(self.splits.train)
        examples = self._steps().examples(step)
        shown = ", ".join(map(str, train.source_rows[examples[:_ROWS_SHOWN]]))
        more = len(examples) - _ROWS_SHOWN
        return f"{train.store.source}, rows {shown}" + (f" and {more} more" * (more > 0))

    def _solve_head(self) -> None:
        """Gives the head its best values for the vectors as they are now."""
        train_alone = replace(self.splits, validation=None)
        quiet = Console(quiet=True)
        HeadSolver(
            self.model, train_alone, self.config, self.scoring_shape, self.states, None, quiet
        ).solve()

    def _validation_scores(self) -> dict[str, float]:
        validation = _required(self.splits.validation)
        states = self.states.get("validation")
        with self.model.with_kept_values():
            logits = predict_logits(self.model, validation, self.scoring_shape, states)
        self.last_logits = logits
        return self.splits.labels.score(validation.labels, logits)


def _required(split: Split | None) -> Split:
    if split is None:
        raise ValueError("this needs a split that was not loaded")
    return split
