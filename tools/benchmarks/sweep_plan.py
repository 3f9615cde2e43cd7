"""What the sweep suite compares: the cells, the systems, and the command of each."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from tools.benchmarks.own_program import Option, program_command
from tools.benchmarks.suite_inputs import Inputs
from tools.benchmarks.sweep_program import format_rates

# Three rates a depth: the one that served MiniLM on SST-2, a third and three times of it.
RATES = {
    0: (1.7e-5, 5e-5, 1.5e-4),
    2: (4e-5, 1.2e-4, 3.6e-4),
    4: (1e-4, 3e-4, 9e-4),
    6: (3.3e-4, 1e-3, 3e-3),
}

# Ours as it stands without giving up any trial early.
GRID = ("search.oracle=grid", "search.widen_edges=false", "cache.mode=auto")
# Ours with all that saves time. A new option that does is one line more here. Memory is
# watched of one process, so search.workers does not belong here.
EVERY_LEVER = (
    "search.oracle=grid",
    "search.widen_edges=false",
    "cache.mode=auto",
    "search.median_stopping=true",
    "training.early_stopping_patience=1",
)


@dataclasses.dataclass(frozen=True)
class System:
    """One way to run the sweep.

    Attributes:
        letter: Its short name in ratios.
        name: Its name in tables and on the command line.
        module: The measured program.
        options: Its own options.
        needs_torch: Whether it runs in the environment of the PyTorch side.
        can_be_shortened: Whether it takes `--steps`; the others always run whole.
    """

    letter: str
    name: str
    module: str
    options: Mapping[str, Option] = dataclasses.field(default_factory=dict, hash=False)
    needs_torch: bool = False
    can_be_shortened: bool = True


PYTORCH, KERAS, OURS = "pytorch_sweep", "keras_tuner_loop", "ours_sweep"
SYSTEMS = {
    system.name: system
    for system in (
        System("a", "pytorch-fixed128", PYTORCH, {"padding": "fixed128"}, needs_torch=True),
        System("b", "pytorch-dynamic", PYTORCH, {"padding": "dynamic"}, needs_torch=True),
        System("c", "keras-tuner", KERAS),
        System("d", "ours-grid", OURS, {"overrides": GRID}, can_be_shortened=False),
        System("e", "ours-levers", OURS, {"overrides": EVERY_LEVER}, can_be_shortened=False),
    )
}
THEIRS = [system for system in SYSTEMS.values() if system.module != OURS]
OWN = [system for system in SYSTEMS.values() if system.module == OURS]


@dataclasses.dataclass(frozen=True)
class SweepPlan:
    """The sweep that every system runs.

    Attributes:
        depths: Frozen depths, keys of `RATES`.
        epochs: Epochs of a trial.
        steps: Steps to time of one trial a depth, where a system can be shortened; None runs
            every system whole.
        seed: Seed of the first repeat.
    """

    depths: tuple[int, ...]
    epochs: int
    steps: int | None
    seed: int

    @property
    def rates(self) -> dict[int, tuple[float, ...]]:
        """Learning rates by depth."""
        return {depth: RATES[depth] for depth in self.depths}

    @property
    def cells(self) -> set[tuple[int, float]]:
        """Every depth with each of its rates."""
        return {(depth, rate) for depth, rates in self.rates.items() for rate in rates}

    def command(self, system: System, python: Path, inputs: Inputs, repeat: int) -> list[str]:
        """The command of one system in one repeat; repeats differ in the seed."""
        timed: dict[str, Option] = {}
        if self.steps is not None and system.can_be_shortened:
            timed["steps"] = self.steps
        return program_command(
            python,
            system.module,
            **inputs._asdict(),
            rates=format_rates(self.rates),
            epochs=self.epochs,
            seed=self.seed + repeat,
            **timed,
            **system.options,
        )
