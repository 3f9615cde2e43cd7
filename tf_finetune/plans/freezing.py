"""The freeze plan: which variables are trained, decided as data before anything is changed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tf_finetune.encoders.variables import Variable, number_of_layers, possible_depths
from tf_finetune.errors import UserError
from tf_finetune.methods.full import Full
from tf_finetune.methods.method import Method
from tf_finetune.options.freeze import FreezeConfig, FreezeRule


@dataclass(frozen=True)
class PlanRow:
    """One variable and the decision about it.

    Attributes:
        path: Name in the TensorFlow model.
        part: "embeddings", "attention", "feed_forward", "layer_norm", "pooler" or "head".
        layers: Every encoder layer that uses it.
        count: Number of parameters.
        trainable: The decision.
        rule: The rule that decided, in words.
        rate_factor: Its learning rate, where it trains, as a multiple of `training.learning_rate`.
    """

    path: str
    part: str
    layers: frozenset[int]
    count: int
    trainable: bool
    rule: str
    rate_factor: float = 1.0

    @property
    def layer(self) -> int | None:
        """The encoder layer, or None outside them and where several share the variable."""
        return next(iter(self.layers)) if len(self.layers) == 1 else None

    @property
    def first_layer(self) -> int | None:
        """The lowest layer that waits for it; None for what comes before all or after all."""
        return None if self.part == "embeddings" else min(self.layers, default=None)

    def to_dict(self) -> dict[str, Any]:
        """A row of `plan.json`."""
        names = ("path", "part", "layer", "count", "trainable", "rule", "rate_factor")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> "PlanRow":
        """The row of a `plan.json`; of a variable that layers share, the part alone is known."""
        layers = frozenset() if row["layer"] is None else frozenset({row["layer"]})
        rest = {name: value for name, value in row.items() if name != "layer"}
        return cls(**rest, layers=layers)


@dataclass(frozen=True)
class FreezePlan:
    """One row a variable, in forward order, covering every variable once.

    Attributes:
        rows: Of the pretrained variables and of what the method adds, each beside its matrix.
        num_layers: Encoder layers L.
        method: By which it was decided.
        added: What the method adds, in forward order.
    """

    rows: tuple[PlanRow, ...]
    num_layers: int
    method: Method = Full()
    added: tuple[Variable, ...] = ()

    @cached_property
    def trainable_paths(self) -> frozenset[str]:
        """Paths of the variables that are trained."""
        return frozenset(row.path for row in self.rows if row.trainable)

    @cached_property
    def rate_factors(self) -> dict[str, float]:
        """Of every variable that trains, its learning rate as a multiple of the run's, by path."""
        return {row.path: row.rate_factor for row in self.rows if row.trainable}

    def with_added(self, variables: Sequence[Variable]) -> tuple[Variable, ...]:
        """Pretrained variables and what the method adds to them, in the order of the rows."""
        known = {variable.path: variable for variable in (*variables, *self.added)}
        return tuple(known[row.path] for row in self.rows)

    @property
    def total_count(self) -> int:
        """Number of parameters of the model."""
        return sum(row.count for row in self.rows)

    @property
    def trainable_count(self) -> int:
        """Number of parameters that are trained."""
        return sum(row.count for row in self.rows if row.trainable)

    @cached_property
    def embeddings_frozen(self) -> bool:
        """Whether no variable of the embeddings is trained."""
        return not any(row.trainable for row in self.rows if row.part == "embeddings")

    @cached_property
    def frozen_depth(self) -> int:
        """Number of leading encoder layers below which, themselves included, nothing trains.

        0 when anything in the embeddings trains. These layers and the embeddings are the
        prefix, which runs in inference mode.
        """
        if not self.embeddings_frozen:
            return 0
        trained = (row.layers for row in self.rows if row.trainable)
        return min(frozenset().union(*trained), default=self.num_layers)

    def layer_is_frozen(self, layer: int) -> bool:
        """Whether no variable of this encoder layer is trained."""
        return not any(row.trainable for row in self.rows if layer in row.layers)

    def to_dict(self) -> dict[str, Any]:
        """What `plan.json` holds: totals, then one row a variable."""
        return {
            "num_layers": self.num_layers,
            "frozen_depth": self.frozen_depth,
            "total_parameters": self.total_count,
            "trainable_parameters": self.trainable_count,
            "rows": [row.to_dict() for row in self.rows],
        }


def plan_freezing(
    config: FreezeConfig, method: Method, variables: Sequence[Variable]
) -> FreezePlan:
    """Decides for every variable whether it is trained.

    `freeze.rules` come first and in order, then what `freeze.depth` and
    `freeze.embeddings` stand for, and what is left trains if the method says so.

    Raises:
        UserError: The depth is over the number of layers, a rule names a layer that is not
            there, has a broken pattern or selects nothing, an option of the method does not go
            with the encoder, or nothing is left to train.
    """
    num_layers = number_of_layers(variables)
    problems = [*_problems(config, variables, num_layers), *method.problems(variables)]
    if problems:
        raise UserError(problems)
    rules = [(rule, f"freeze.rules[{i}]") for i, rule in enumerate(config.rules)]
    rules += _depth_rules(config)
    rows: list[PlanRow] = []
    added: list[Variable] = []
    for variable in variables:
        row, beside = _decide(variable, rules, method)
        rows += [row, *(_row(v, True, f"method.name={method.name}") for v in beside)]
        added += beside
    plan = FreezePlan(tuple(rows), num_layers, method, tuple(added))
    if len({row.path for row in plan.rows}) != len(rows):
        raise ValueError("the variable table names a path twice")
    if not plan.trainable_count:
        raise UserError("freeze: every variable is frozen; accepted: at least the head trains")
    return plan


def _depth_rules(config: FreezeConfig) -> list[tuple[FreezeRule, str]]:
    rules = []
    if config.depth > 0:
        layers = f"0-{config.depth - 1}"
        rules.append((FreezeRule(train=False, layers=layers), f"freeze.depth={config.depth}"))
    if config.depth > 0 or config.embeddings:
        name = f"freeze.depth={config.depth}" if config.depth else "freeze.embeddings"
        rules.append((FreezeRule(train=False, parts=("embeddings",)), name))
    return rules


def _decide(
    variable: Variable, rules: Sequence[tuple[FreezeRule, str]], method: Method
) -> tuple[PlanRow, tuple[Variable, ...]]:
    """A variable's row, and what the method puts beside it where no rule decides about it."""
    for rule, name in rules:
        if matches(rule, variable):
            return _row(variable, rule.train, name), ()
    beside = method.added(variable) if variable.kind == "kernel" and variable.layers else ()
    # What stands above all layers may have nothing of the task before, or be new.
    if variable.part in ("pooler", "head") or method.trains(variable):
        return _row(variable, True, "trains by default"), beside
    return _row(variable, False, f"method.name={method.name}"), beside


def _row(variable: Variable, trains: bool, name: str) -> PlanRow:
    return PlanRow(variable.path, variable.part, variable.layers, variable.count, trains, name)


def matches(rule: FreezeRule, variable: Variable) -> bool:
    """Whether a rule selects a variable: all of the rule's conditions must hold.

    The part "bias" selects every dense bias and "layer_norm" every layer norm, whatever
    part they stand in; the other parts select by where the variable stands.
    """
    if rule.layers is not None and not variable.layers & parse_layers(rule.layers):
        return False
    if rule.parts is not None and not _parts_of(variable) & set(rule.parts):
        return False
    return rule.pattern is None or re.search(rule.pattern, variable.path) is not None


def parse_layers(text: str) -> set[int]:
    """Turns "0-3,5" into {0, 1, 2, 3, 5}."""
    layers: set[int] = set()
    for piece in text.split(",") if text else ():
        first, _, last = piece.partition("-")
        layers |= set(range(int(first), int(last or first) + 1))
    return layers


def _parts_of(variable: Variable) -> set[str]:
    parts: set[str] = {variable.part}
    if variable.kind == "bias":
        parts.add("bias")
    if variable.kind == "norm":
        parts.add("layer_norm")
    return parts


def _problems(config: FreezeConfig, variables: Sequence[Variable], num_layers: int) -> list[str]:
    problems = []
    if config.depth > num_layers:
        problems.append(
            f"freeze.depth: received {config.depth}; accepted: 0 to {num_layers}, the number of "
            "layers of this encoder"
        )
    elif config.depth not in (depths := possible_depths(variables)):
        problems.append(
            f"freeze.depth: received {config.depth}; accepted: {', '.join(map(str, depths))}, "
            "because layers of this encoder share their weights"
        )
    for index, rule in enumerate(config.rules):
        where = f"freeze.rules[{index}]"
        named = parse_layers(rule.layers or "")
        if any(layer >= num_layers for layer in named):
            problems.append(
                f"{where}.layers: received {rule.layers!r}; accepted: layers 0 to {num_layers - 1}"
            )
            continue
        try:
            re.compile(rule.pattern or "")
        except re.error as error:
            problems.append(
                f"{where}.pattern: {rule.pattern!r} is not a regular expression: {error}"
            )
            continue
        parted = next((v.layers for v in variables if v.layers & named and v.layers - named), None)
        if parted is not None:
            problems.append(
                f"{where}.layers: received {rule.layers!r}; accepted: with all of layers "
                f"{min(parted)}-{max(parted)}, which share their weights"
            )
            continue
        if not any(matches(rule, variable) for variable in variables):
            problems.append(
                f"{where}: selects no variable; see the paths with the command `plan --rows`"
            )
    return problems
