"""Makes the phases of a run whose frozen depth changes: a model and cached states for each."""

from collections.abc import Mapping, Sequence
from functools import cache

from rich.console import Console

from tf_finetune.data.loading import Splits
from tf_finetune.data.states import PrefixStates
from tf_finetune.models.building import replanned
from tf_finetune.models.phases import PlannedPhase
from tf_finetune.prefix.cache import PrefixCache
from tf_finetune.prefix.of_a_run import cached_states, states_folder
from tf_finetune.training.compiling import compile_fine_tuner
from tf_finetune.training.fine_tuner import FineTuner
from tf_finetune.training.phases import Phase
from tf_finetune.training.strategy import ChosenStrategy


def phases_of_run(
    planned: Sequence[PlannedPhase],
    model: FineTuner,
    splits: Splits,
    chosen: ChosenStrategy,
    console: Console,
) -> tuple[Phase, ...]:
    """The phases as `fine_tune` takes them; none where there is only one.

    A phase lets go of the states of the boundary before it; with folds, whose trainings come back
    to it, as long as `cache.memory_budget` holds both.

    Args:
        planned: Of the run, its configuration resolved.
        model: That of the first.
        splits: The data of the job.
        chosen: The devices.
        console: Where decisions about states go.
    """
    if len(planned) == 1:
        return ()
    config = planned[0].spec.config
    kept = PrefixCache(config.cache, states_folder(config), console=console)

    def phase(number: int) -> Phase:
        own = planned[number]

        def made() -> FineTuner:
            if number == 0:
                return model
            with chosen.strategy.scope():
                classifier = replanned(model.classifier, own.spec)
            return compile_fine_tuner(classifier, own.spec, chosen, later=_later(planned, number))

        def states(model: FineTuner) -> Mapping[str, PrefixStates]:
            training = own.spec.config.training.model_copy(update={"epochs": own.epochs})
            config = own.spec.config.model_copy(update={"training": training})
            found = cached_states(model, splits, config, chosen, console, kept)
            if splits.folds is None:
                kept.keep_only(found)
            return found

        rate = own.spec.config.training.learning_rate
        # Folds come back to a model; otherwise its slots go when its phase is over.
        again = made if splits.folds is None else cache(made)
        return Phase(own.first_epoch, rate, own.spec.plan, again, states)

    return tuple(phase(number) for number in range(len(planned)))


def _later(planned: Sequence[PlannedPhase], number: int) -> list[frozenset[str]]:
    """What began to train with each phase from the second to this one."""
    trained = [phase.spec.plan.trainable_paths for phase in planned[: number + 1]]
    return [after - before for before, after in zip(trained, trained[1:], strict=False)]
