"""What a trial is asked to do: a cell, a seed and a number of epochs."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.methods.settings import setting_of
from tf_finetune.options.marks import Mark
from tf_finetune.results.trial import METHOD, Cell, exact_rate

_LONGEST_NAME = 100


@dataclass(frozen=True)
class TrialRequest:
    """One training run of a search; equal requests are never run twice.

    Attributes:
        cell: The point of the search space.
        seed: The training seed.
        epochs: Epochs to train; Hyperband asks for fewer than `training.epochs`.
    """

    cell: Cell
    seed: int
    epochs: int

    @cached_property
    def key(self) -> str:
        """Exact name, such as `depth=4 learning_rate=3e-4 seed=0 epochs=3`."""
        return f"{self.cell.key} seed={self.seed} epochs={self.epochs}"

    def folder_name(self, full_epochs: int) -> str:
        """Short name for a folder, such as `depth4-lr3e-4-seed0`."""
        rate = exact_rate(self.cell.learning_rate)
        parts = [f"depth{self.cell.frozen_depth}", rate if self.cell.is_solved else f"lr{rate}"]
        named = {METHOD: self.cell.place.method_name} if self.cell.method else {}
        options = named | self.cell.options
        parts += [f"{name.rsplit('.', 1)[-1]}={value}" for name, value in options.items()]
        parts.append(f"seed{self.seed}")
        if self.epochs != full_epochs:
            parts.append(f"epochs{self.epochs}")
        name = "-".join(parts)
        safe = re.sub(r"[^\w.=+-]", "_", name)
        if safe == name and len(name) <= _LONGEST_NAME:
            return name
        return f"{safe[:_LONGEST_NAME]}-{hashlib.sha256(self.key.encode()).hexdigest()[:8]}"

    def configure(self, config: ExperimentConfig) -> ExperimentConfig:
        """The configuration of this training run, as `train` would take it.

        Where the head is solved exactly, what means something for steps alone is as usual.
        """
        extra = dict(self.cell.extra)
        rules = (
            config.search.rule_sets[extra.pop("search.rule_sets")]
            if ("search.rule_sets" in extra)
            else ()
        )
        whole: dict[str, Any] = {}
        if METHOD in extra:
            whole[METHOD] = setting_of(extra.pop(METHOD))
        given: dict[str, dict[str, Any]] = {
            "training": {"seed": self.seed},
            "freeze": {
                "depth": self.cell.frozen_depth,
                "rules": (*rules, *config.freeze.rules),
            },
        }
        if self.cell.is_solved:
            given["training"]["solver"] = "exact"
            usual = ExperimentConfig()
            extra |= {n: _option(usual, n) for n in config.names_marked(Mark.STEPWISE)}
        else:
            given["training"] |= {
                "solver": "steps",
                "learning_rate": self.cell.learning_rate,
                "epochs": self.epochs,
            }
        for name, value in extra.items():
            section, option = name.split(".")
            given.setdefault(section, {})[option] = value
        sections = {
            section: getattr(config, section).model_copy(update=options)
            for section, options in given.items()
        }
        return config.model_copy(update=whole | sections)

    def to_dict(self) -> dict[str, Any]:
        """As JSON; `from_dict` reads it back."""
        return {"cell": self.cell.to_dict(), "seed": self.seed, "epochs": self.epochs}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> "TrialRequest":
        """The request that `to_dict` wrote.

        Raises:
            ValueError: `value` is not a request.
        """
        try:
            return cls(Cell.from_dict(value["cell"]), int(value["seed"]), int(value["epochs"]))
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a request: {value!r}") from error

    def to_text(self) -> str:
        """As one line of JSON, for KerasTuner's messages."""
        return json.dumps(self.to_dict(), sort_keys=True)

    @classmethod
    def from_text(cls, text: str) -> "TrialRequest":
        """The request that `to_text` wrote."""
        return cls.from_dict(json.loads(text))


def _option(config: ExperimentConfig, name: str) -> Any:
    section, option = name.split(".")
    return getattr(getattr(config, section), option)
