"""Gives the states of splits at a model's frozen boundary, computing them at most once."""

import errno
import sys
import time
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console

from tf_finetune.data.splits import Split
from tf_finetune.data.states import PrefixStates
from tf_finetune.errors import UserError
from tf_finetune.machine.memory import host_bytes
from tf_finetune.options.cache import CacheConfig
from tf_finetune.options.value_checks import size_bytes
from tf_finetune.prefix.decision import Decision, choose_place, decide, show_bytes
from tf_finetune.prefix.disk_room import make_room
from tf_finetune.prefix.filling import compute_block, measure
from tf_finetune.prefix.layout import Layout
from tf_finetune.prefix.progress import fill_progress
from tf_finetune.prefix.wanted import WantedStates, wanted_states
from tf_finetune.storage.disk_space import disk_full_reason, is_disk_full
from tf_finetune.training.fine_tuner import FineTuner
from tf_finetune.training.pipeline import BatchShape

# A quarter of the machine: training, TensorFlow and the data need the rest.
_SHARE_OF_MEMORY = 4


class PrefixCache:
    """Keeps states for the runs of one process, in memory or in files that others share.

    Args:
        config: The `cache` section.
        folder: Where files go if `cache.dir` names no folder.
        shared: Whether other processes want the same states.
        console: Where decisions and progress go; None is silent.
    """

    def __init__(
        self,
        config: CacheConfig,
        folder: Path,
        *,
        shared: bool = False,
        console: Console | None = None,
    ):
        self._config = config
        self._root = Path(config.dir).expanduser() if config.dir else folder
        self._shared = shared
        self._console = console or Console(quiet=True)
        self._memory_budget = (
            size_bytes(config.memory_budget)
            if config.memory_budget
            else host_bytes() // _SHARE_OF_MEMORY
        )
        self._disk_budget = size_bytes(config.disk_budget)
        self._kept: OrderedDict[str, PrefixStates] = OrderedDict()
        self._refused: dict[frozenset[str], int] = {}  # for how many passes
        self._told: set[str] = set()

    @property
    def memory_bytes(self) -> int:
        """Memory that states take; mapped files take none of their own."""
        return sum(states.own_bytes for states in self._kept.values())

    def states(
        self, model: FineTuner, splits: Mapping[str, Split], shape: BatchShape, passes: int
    ) -> dict[str, PrefixStates]:
        """States of some splits at the model's frozen boundary.

        Args:
            model: A compiled model.
            splits: What will be read, by name.
            shape: How scoring cuts batches; filling does likewise.
            passes: How often each split will be read.

        Returns:
            States by the same names, or nothing where computing anew is cheaper, not possible
            otherwise, or asked for.

        Raises:
            UserError: `cache.mode` insists on a place that is too small or cannot be written.
        """
        depth = model.classifier.plan.frozen_depth
        if self._config.mode == "off":
            return {}
        if depth == 0:
            self._tell_no_prefix(model)
            return {}
        wanted = self._wanted(model, splits)
        keys = frozenset(item.key for item in wanted.values())
        if not keys <= self._kept.keys():
            if passes <= self._refused.get(keys, 0):
                return {}
            decision = self._decide(model, wanted, shape, passes)
            if decision.place is not None:
                decision = self._fill_all(model, wanted, shape, decision)
            if decision.place is None:
                self._tell(f"prefix cache at depth {depth}: off; {decision.reason}")
                self._refused[keys] = passes
                return {}
        for key in keys:
            self._kept.move_to_end(key)
        return {name: self._kept[item.key] for name, item in wanted.items()}

    def forecast(
        self, model: FineTuner, splits: Mapping[str, Split], shape: BatchShape, passes: int
    ) -> str:
        """What `states` would say for the same arguments, in a line; keeps nothing.

        Raises:
            UserError: `cache.mode` insists on a place that is too small.
        """
        depth = model.classifier.plan.frozen_depth
        if self._config.mode == "off":
            return "prefix cache: off, as cache.mode asks for"
        if depth == 0:
            return f"prefix cache: off; {_why_no_prefix(model)}"
        decision = self._decide(model, self._wanted(model, splits), shape, passes)
        off = "off; " if decision.place is None else ""
        return f"prefix cache at depth {depth}: {off}{decision.reason}"

    def keep_only(self, states: Mapping[str, PrefixStates]) -> None:
        """Lets go of all others; files stay for another process.

        Args:
            states: What `states` gave.
        """
        for key in [key for key, kept in self._kept.items() if kept not in states.values()]:
            self._forget(key)

    def give_up_disk(self, beside: Path) -> bool:
        """Removes all states on the disk of a folder that is full, and writes no more there.

        What another process is filling stays. States that a caller still has stay readable, and
        take their room until it lets go of them.

        Args:
            beside: The folder.

        Returns:
            Whether that made room.
        """
        if not self._root.is_dir() or self._root.stat().st_dev != beside.stat().st_dev:
            return False
        self._disk_budget = 0
        if self._config.mode == "disk":
            self._config = self._config.model_copy(update={"mode": "off"})
        removed: list[str] = []
        make_room(self._root, self._root, sys.maxsize, sys.maxsize, keep=(), removed=removed.append)
        for key in removed:
            self._forget(key)
        return bool(removed)

    def _wanted(self, model: FineTuner, splits: Mapping[str, Split]) -> dict[str, WantedStates]:
        mode = self._config.mode
        in_memory = mode == "memory" or (mode == "auto" and not self._shared)
        budgets = [self._memory_budget] if in_memory else []
        budgets += [self._disk_budget] if mode != "memory" else []
        return wanted_states(model.classifier, splits, self._config.dtype, max(budgets))

    def _tell_no_prefix(self, model: FineTuner) -> None:
        """Says why there are no states although one might expect them, each reason once."""
        reason = _why_no_prefix(model)
        # With nothing frozen nobody expects any who has not asked for them.
        expected = self._config.mode != "auto" or model.classifier.plan.layer_is_frozen(0)
        if expected and reason not in self._told:
            self._told.add(reason)
            self._tell(f"prefix cache: off, although cache.mode={self._config.mode}; {reason}")

    def _decide(
        self, model: FineTuner, wanted: Mapping[str, WantedStates], shape: BatchShape, passes: int
    ) -> Decision:
        mode = self._config.mode
        files = [item.file(self._root) for item in wanted.values()]
        # What is left of a fill that was interrupted is worth going on with only where a fill is.
        if mode != "memory" and all(file.is_filled() for file in files):
            return Decision("disk", f"on disk, as an earlier run left it in {self._root}")
        needed = sum(item.layout.bytes for item in wanted.values())
        place, where = choose_place(
            mode, needed, self._memory_budget, self._disk_budget, shared=self._shared
        )
        where = f"as {next(iter(wanted.values())).layout.dtype.name} {where}"
        if mode != "auto":
            if place is None:
                raise UserError(
                    f"cache.mode: received {mode}, but {where}",
                    hint="Raise cache.memory_budget or cache.disk_budget, set "
                    "cache.dtype=float16, or leave cache.mode=auto.",
                )
            return Decision(place, f"{where}, as cache.mode asks for")
        if place is None:
            return Decision(None, where)
        if passes < 2:
            return Decision(None, "the texts are read only once")
        largest = max(wanted.values(), key=lambda item: len(item.layout.split))
        examples = sum(len(item.layout.split) for item in wanted.values())
        measured = measure(model, largest.layout, shape, self._shallower(largest), examples)
        return decide(place, where, measured, passes)

    def _fill_all(
        self,
        model: FineTuner,
        wanted: Mapping[str, WantedStates],
        shape: BatchShape,
        decision: Decision,
    ) -> Decision:
        depth = model.classifier.plan.frozen_depth
        self._tell(f"prefix cache at depth {depth}: {decision.reason}")
        missing = {n: item for n, item in wanted.items() if item.key not in self._kept}
        needed = sum(item.layout.bytes for item in missing.values())
        keep = {item.key for item in wanted.values()}
        if decision.place == "memory":
            self._make_memory_room(needed, keep, missing.values())
            for name, item in missing.items():
                self._kept[item.key] = self._in_memory(model, name, item, shape)
            return decision
        try:
            for name, item in missing.items():
                self._kept[item.key] = self._on_disk(model, name, item, shape, keep)
        except OSError as error:
            if is_disk_full(error):
                problem = f"{self._root}: {disk_full_reason(self._root, needed, error)}"
            else:
                reason = error.strerror or error
                problem = f"{self._root}: {reason} ({show_bytes(needed)} are needed)"
            if self._config.mode == "disk":
                raise UserError(
                    f"cache.dir: {problem}",
                    hint="Name another folder, raise cache.disk_budget, or set cache.mode=auto or "
                    "off.",
                ) from error
            return Decision(None, problem)
        return decision

    def _in_memory(
        self, model: FineTuner, name: str, item: WantedStates, shape: BatchShape
    ) -> PrefixStates:
        layout = item.layout
        values = np.empty((layout.tokens, layout.hidden), layout.dtype)
        shallower = self._shallower(item)
        compute = partial(compute_block, model, layout, shape, shallower)
        with fill_progress(self._console, name, len(layout.split)) as advance:
            began = time.perf_counter()
            for index in range(layout.blocks):
                values[layout.block_tokens(index)] = compute(index)
                advance(len(layout.block(index)))
        seconds = time.perf_counter() - began + _fill_seconds(shallower)
        return _states(layout, values, seconds)

    def _on_disk(
        self,
        model: FineTuner,
        name: str,
        item: WantedStates,
        shape: BatchShape,
        keep: Collection[str],
    ) -> PrefixStates:
        layout, file = item.layout, item.file(self._root)
        if file.is_only_readable():
            if file.missing_blocks(self._tell):
                raise OSError(
                    errno.EACCES, "states there are unfinished or damaged, and cannot be written"
                )
            return _states(layout, file.open(), file.fill_seconds)
        with file.one_writer(self._tell):
            missing = file.missing_blocks(self._tell)
            if missing:
                shallower = self._shallower(item)  # before room is made: mapped, it stays readable
                self._make_disk_room(item, keep)
                compute = partial(compute_block, model, layout, shape, shallower)
                texts = sum(len(layout.block(index)) for index in missing)
                try:
                    with fill_progress(self._console, name, texts) as advance:
                        before = _fill_seconds(shallower)
                        file.fill(missing, compute, advance, seconds_before=before)
                except OSError as error:
                    if is_disk_full(error):
                        file.remove()  # others need the disk more, such as checkpoints
                    raise
            return _states(layout, file.open(), file.fill_seconds)

    def _shallower(self, item: WantedStates) -> PrefixStates | None:
        """The same split's states at the greatest smaller depth that is kept."""
        for other in item.shallower():
            if other.key in self._kept:
                return self._kept[other.key]
            file = other.file(self._root)
            # Not the one writer here: what is damaged, unfinished or just removed is passed over.
            with suppress(OSError):
                if file.folder.is_dir() and not file.missing_blocks(lambda line: None):
                    found = _states(other.layout, file.open(), file.fill_seconds)
                    self._kept[other.key] = found  # so that it is checked once
                    return found
        return None

    def _make_memory_room(
        self, needed: int, keep: Collection[str], wanted: Iterable[WantedStates]
    ) -> None:
        """Drops what was not used for longest; last what the wanted ones would begin with."""
        beginnings = {other.key for item in wanted for other in item.shallower()}
        others = [k for k, s in self._kept.items() if s.own_bytes and k not in keep]
        for key in sorted(others, key=beginnings.__contains__):
            if self.memory_bytes + needed <= self._memory_budget:
                break
            del self._kept[key]

    def _make_disk_room(self, item: WantedStates, keep: Collection[str]) -> None:
        own, needed = item.file(self._root).folder, item.layout.bytes
        budget = self._disk_budget
        room = make_room(self._root, own, needed, budget, keep=keep, removed=self._forget)
        if room < needed:
            raise OSError(f"there is room for {show_bytes(max(room, 0))}")

    def _forget(self, key: str) -> None:
        self._kept.pop(key, None)

    def _tell(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)


def _why_no_prefix(model: FineTuner) -> str:
    frozen = model.classifier.plan.embeddings_frozen
    return "no layer is frozen" if frozen else "the embeddings train"


def _fill_seconds(states: PrefixStates | None) -> float:
    return 0.0 if states is None else states.fill_seconds


def _states(layout: Layout, values: np.ndarray, fill_seconds: float) -> PrefixStates:
    return PrefixStates(
        values, layout.starts, layout.lengths, layout.depth, layout.reads_only, fill_seconds
    )
