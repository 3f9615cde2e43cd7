"""Trains a configuration as often as it takes to score it once on every example.

With a validation split that is one training. With folds (`data.folds`) it is one for each fold,
and the outputs for the fold that a model was not trained on are put together (cross-validation:
Stone 1974, "Cross-Validatory Choice and Assessment of Statistical Predictions").
"""

import math
import shutil
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.text import Text

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.folds import Round, rounds_of
from tf_finetune.data.loading import Splits
from tf_finetune.data.read_vectors import stacked
from tf_finetune.data.states import PrefixStates
from tf_finetune.errors import visible
from tf_finetune.options.training import TrainingConfig
from tf_finetune.storage.files import replaced_folder
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.training.batch_shapes import evaluation_shape
from tf_finetune.training.checkpoint_identity import checkpoint_identity
from tf_finetune.training.checkpoints import read_state, write_state
from tf_finetune.training.fine_tuner import FineTuner
from tf_finetune.training.fine_tuning import GiveUpRule, Outputs, fine_tune
from tf_finetune.training.phases import Phase, reset_phases
from tf_finetune.training.split_logits import predict_logits
from tf_finetune.training.strategy import ChosenStrategy

History = Sequence[Mapping[str, float | None]]
_LOGITS = "logits.npy"


@dataclass(frozen=True, eq=False)
class RoundResult:
    """What came of one training.

    Attributes:
        logits: For the examples it is scored on, float32 [n, labels].
        history: One entry an epoch, as in `RunResult`.
        best_epoch: Epoch whose weights gave the logits, counted from 1.
        train_seconds: Seconds in training steps.
        examples_per_second: Training throughput.
        micro_batches: Pieces that a replica computed a step in, in the end.
    """

    logits: np.ndarray
    history: list[dict[str, float]]
    best_epoch: int
    train_seconds: float
    examples_per_second: float
    micro_batches: int


@dataclass(frozen=True, eq=False)
class TrainedRounds:
    """All trainings of a configuration.

    Attributes:
        results: Of each.
        logits: For every example of `scored_split`, float32 [n, labels], each by the model of the
            round that is scored on it.
    """

    results: tuple[RoundResult, ...]
    logits: np.ndarray

    @property
    def histories(self) -> tuple[list[dict[str, float]], ...]:
        """Of each training."""
        return tuple(result.history for result in self.results)

    @property
    def history(self) -> list[dict[str, float]]:
        """Means over the trainings that got as far as an epoch, one entry an epoch."""
        longest = max(map(len, self.histories))
        reached = [[h[epoch] for h in self.histories if len(h) > epoch] for epoch in range(longest)]
        return [
            {name: statistics.fmean(entry[name] for entry in entries) for name in entries[0]}
            for entries in reached
        ]

    @property
    def train_seconds(self) -> float:
        """Of all trainings together."""
        return sum(result.train_seconds for result in self.results)

    @property
    def examples_per_second(self) -> float:
        """Of the median training."""
        return statistics.median(result.examples_per_second for result in self.results)

    @property
    def micro_batches(self) -> int:
        """The most of any training."""
        return max(result.micro_batches for result in self.results)


def train_rounds(
    model: FineTuner,
    splits: Splits,
    config: ExperimentConfig,
    chosen: ChosenStrategy,
    *,
    states: Mapping[str, PrefixStates],
    outputs: Outputs,
    console: Console | None = None,
    give_up: GiveUpRule | None = None,
    phases: Sequence[Phase] = (),
) -> TrainedRounds:
    """Trains the model once for each round, each time from its weights before fine-tuning.

    Where there are checkpoints, a round that ended is kept and not trained again.

    Args:
        model: From `build_fine_tuner`; in the end it holds the weights of some round.
        splits: With a validation split or folds.
        config: The configuration.
        chosen: The strategy.
        states: Cached states of the job's splits, see `cached_states`; the rounds share them.
        outputs: Where events and checkpoints go; those of a fold to a folder inside.
        console: Where progress goes; None is silent.
        give_up: As for `fine_tune`.
        phases: Likewise, with states of the job's splits.

    Raises:
        UserError: As `fine_tune` does, whose other errors pass through too; what is kept
            belongs to another job.
    """
    console = console or Console(quiet=True)
    rounds = rounds_of(splits)
    results = []
    for number, one in enumerate(rounds, 1):
        _rescale(model, one.splits)
        kept = None
        if outputs.checkpoints is not None and one.name:
            identity = checkpoint_identity(model.classifier, one.splits, config.training, phases)
            kept = _Kept(outputs.checkpoints / one.name, identity)
        result = kept.read(console) if kept else None
        if one.name:
            earlier = " (finished by an earlier process)" if result else ""
            sizes = f"{len(one.trained):,} train, {len(one.scored):,} are scored"
            line = f"fold {number} of {len(rounds)}: {sizes}{earlier}"
            console.print(line, highlight=False)
        if result is None:
            result = _train(model, one, config, chosen, states, outputs, console, give_up, phases)
            if kept:
                kept.write(result)
        results.append(result)
    _rescale(model, splits)
    return TrainedRounds(tuple(results), pooled(rounds, [result.logits for result in results]))


def _rescale(model: FineTuner, splits: Splits) -> None:
    """Gives a regression the scale of the targets that it is trained on, and of no others."""
    centred = model.classifier.files.family.head_has_bias
    model.classifier.rescale(splits.labels.scale(splits.train.labels, centred=centred))


def pooled(rounds: Sequence[Round], logits: Sequence[np.ndarray]) -> np.ndarray:
    """The logits of all rounds in the order of the examples of `scored_split`."""
    together = stacked(logits)  # rows with few reads may all be in one fold
    found = np.empty_like(together)
    found[np.concatenate([one.scored for one in rounds])] = together
    return found


def without_early_stopping(
    training: TrainingConfig, histories: Sequence[History], labels: LabelSpace
) -> TrainingConfig:
    """Options of a final training with nothing left to watch: as long as was best before.

    Args:
        training: The options of the trainings before.
        histories: Of each of them; the mean of their best epochs is taken.
        labels: What the outputs are.
    """
    if training.early_stopping_patience is None:
        return training
    metric, higher_is_better = labels.monitor(training.monitor)
    sign = 1.0 if higher_is_better else -1.0
    best = []
    for history in filter(None, histories):
        values = [entry.get(f"val_{metric}") for entry in history]
        scores = [-math.inf if v is None or math.isnan(v) else sign * v for v in values]
        best.append(1 + scores.index(max(scores)))
    epochs = max(1, round(statistics.fmean(best))) if best else training.epochs
    return training.model_copy(update={"early_stopping_patience": None, "epochs": epochs})


def _train(
    model: FineTuner,
    one: Round,
    config: ExperimentConfig,
    chosen: ChosenStrategy,
    states: Mapping[str, PrefixStates],
    outputs: Outputs,
    console: Console,
    give_up: GiveUpRule | None,
    phases: Sequence[Phase],
) -> RoundResult:
    states = one.own(states, PrefixStates.select)
    reset_phases(model, phases, config.training.seed)
    run = fine_tune(
        model,
        one.splits,
        config.training,
        config.evaluation,
        max_length=config.data.max_length,
        chosen=chosen,
        states=states,
        outputs=outputs.inside(one.name),
        console=console,
        give_up=give_up,
        phases=[replace(phase, states=_of_round(phase, one)) for phase in phases],
    )
    logits = run.validation_logits
    if logits is None:
        validation = one.splits.validation
        if validation is None:
            raise ValueError("a round needs examples to be scored on")
        shape = evaluation_shape(config.evaluation, config.training, config.data.max_length, chosen)
        logits = predict_logits(run.model, validation, shape, states.get("validation"))
    return RoundResult(
        logits,
        run.history,
        run.best_epoch,
        run.train_seconds,
        run.throughput(config.training.batch_size),
        run.micro_batches,
    )


def _of_round(phase: Phase, one: Round) -> Callable[[FineTuner], Mapping[str, PrefixStates]]:
    return lambda model: one.own(phase.states(model), PrefixStates.select)


class _Kept:
    """The result of a round that ended, in a folder beside the checkpoints it makes needless."""

    def __init__(self, folder: Path, identity: str):
        self._folder = folder
        self._path = folder / "finished"
        self._identity = identity

    def read(self, console: Console) -> RoundResult | None:
        """What was written, if anything; what is damaged is told and trained again."""
        if not self._path.exists():
            return None
        try:
            state = read_state(self._path, self._identity)
        except ValueError as error:
            line = f"{error}: training this fold again"
            console.print(Text(visible(line), style="yellow"), soft_wrap=True)
            return None
        return RoundResult(np.load(self._path / _LOGITS, allow_pickle=False), **state)

    def write(self, result: RoundResult) -> None:
        with replaced_folder(self._path, result.logits.nbytes) as temporary:
            np.save(temporary / _LOGITS, result.logits)
            state = {name: value for name, value in vars(result).items() if name != "logits"}
            write_state(temporary, self._identity, state)
        for checkpoint in self._folder.glob("step-*"):
            shutil.rmtree(checkpoint)
