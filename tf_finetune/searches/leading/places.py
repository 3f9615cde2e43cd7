"""Where a search looks for a rate: each depth, and each method that is something else there."""

from collections.abc import Sequence
from typing import NamedTuple

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.encoders.pooling import pooling_problems
from tf_finetune.errors import UserError
from tf_finetune.methods.method import Method
from tf_finetune.methods.settings import setting_text
from tf_finetune.models.plan_check import check_plan
from tf_finetune.models.spec import spec_of
from tf_finetune.models.weights import check_new_trains
from tf_finetune.options.tried import OwnRates
from tf_finetune.plans.freezing import FreezePlan
from tf_finetune.plans.solver import trains_head_alone
from tf_finetune.results.trial import METHOD, Place

_ABOVE_ALL = ("pooler", "head")  # parts that train whatever trains below them
# What a method trains under each rule set.
_Plans = dict[str, FreezePlan]


class Places(NamedTuple):
    """What is compared.

    Attributes:
        places: By ascending depth, the methods in their order. Where all train the same, which is
            the head and the pooler alone, there is one, without a method.
        alone: Depths at which the head alone trains, under every method and rule set.
    """

    places: tuple[Place, ...]
    alone: frozenset[int]


def places_of(
    config: ExperimentConfig, depths: Sequence[int], files: EncoderFiles, problems: list[str]
) -> Places:
    """Finds the places of a search.

    Args:
        config: The configuration.
        depths: Frozen depths that are tried.
        files: The encoder.
        problems: Takes what contradicts itself: every depth has to leave something to train, and
            each method something of its own.
    """
    methods = methods_of(config)
    everywhere = pooling_problems(files.pooling, files.family)
    problems += everywhere
    places: list[Place] = []
    alone = set()
    for depth in depths:
        plans: dict[str, _Plans] = {}
        for method in methods:
            found: list[str] = []
            plans[setting_text(method)] = _plans(config, files, method, depth, found)
            problems += (problem for problem in found if problem not in everywhere)
        known = [plan for of_method in plans.values() for plan in of_method.values()]
        if known and all(map(trains_head_alone, known)):
            alone.add(depth)
        if depth in alone or depth == files.num_layers or len(config.search.methods) < 2:
            places.append(Place(depth))
        else:
            places += [Place(depth, text) for text in plans]
            problems += [
                f"search.methods: received {method.setting}, which trains nothing at depth "
                f"{depth} but the head; accepted: methods that train something there, or other "
                "search.depths"
                for method in methods
                if plans[setting_text(method)] and _trains_nothing(plans[setting_text(method)])
            ]
    return Places(tuple(places), frozenset(alone))


def methods_of(config: ExperimentConfig) -> tuple[Method, ...]:
    """The methods that a search tries."""
    tried = (item.setting for item in config.search.methods)
    return tuple(method for method in tried if isinstance(method, Method)) or (config.method,)


def with_one_method(config: ExperimentConfig) -> ExperimentConfig:
    """A list of a single method is section `method`: there is nothing to compare.

    The list stays where it has rates, which hold as if it were longer.
    """
    if len(config.search.methods) != 1:
        return config
    config = config.model_copy(update={"method": methods_of(config)[0]})
    if config.search.methods[0].rates != OwnRates():
        return config
    return config.model_copy(update={"search": config.search.model_copy(update={"methods": ()})})


def _plans(
    config: ExperimentConfig,
    files: EncoderFiles,
    method: Method,
    depth: int,
    problems: list[str],
) -> _Plans:
    """Under each rule set; those that contradict themselves are told and left out."""
    plans = {}
    for name, rules in (config.search.rule_sets or {"": ()}).items():
        update = {"depth": depth, "rules": (*rules, *config.freeze.rules)}
        freeze = config.freeze.model_copy(update=update)
        tried = config.model_copy(update={"method": method})
        where = f"search.rule_sets, {name} at depth {depth}" if name else f"at depth {depth}"
        try:
            spec = spec_of(tried, files, freeze=freeze)
            check_plan(spec)
            check_new_trains(spec)
        except UserError as error:
            problems += [_of_setting(problem, config, method, where) for problem in error.problems]
        else:
            plans[name] = spec.plan
    return plans


def _of_setting(problem: str, config: ExperimentConfig, method: Method, where: str) -> str:
    """A problem with the options of a method is that of its setting in the list, at any depth."""
    if config.search.methods and problem.startswith(f"{METHOD}."):
        return f"search.methods, {method.setting}: {problem.removeprefix(f'{METHOD}.')}"
    return f"{where}: {problem}"


def _trains_nothing(plans: _Plans) -> bool:
    """Whether nothing below the head and the pooler trains under any rule set."""
    return not any(
        row.trainable and row.part not in _ABOVE_ALL for plan in plans.values() for row in plan.rows
    )
