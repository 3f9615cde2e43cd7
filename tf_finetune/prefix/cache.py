"""Gives the states of splits at a model's frozen boundary, computing them at most once."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tf_finetune.config.sections import CacheConfig
from tf_finetune.config.value_checks import size_bytes
from tf_finetune.data import Split
from tf_finetune.errors import UserError
from tf_finetune.files import DISK_FULL
from tf_finetune.memory import host_bytes
from tf_finetune.prefix.decision import (
    Decision,
    choose_dtype,
    choose_place,
    decide,
    show_bytes,
    show_seconds,
)
from tf_finetune.prefix.filling import compute_block, measure
from tf_finetune.prefix.layout import Layout, prefix_digests
from tf_finetune.prefix.state_file import StateFile, make_room
from tf_finetune.prefix.states import PrefixStates
from tf_finetune.training.fine_tuner import FineTuner
from tf_finetune.training.pipeline import BatchShape

# A quarter of the machine: training, TensorFlow and the data need the rest.
_SHARE_OF_MEMORY = 4


@dataclass(frozen=True)
class _Wanted:
    """The states of one split, and the same split's at every smaller depth."""

    layout: Layout
    digests: tuple[str, ...]

    @property
    def key(self) -> str:
        return self.layout.key(self.digests[-1])

    def file(self, root: Path) -> StateFile:
        return StateFile(root, self.layout, self.digests[-1])

    def shallower(self) -> Iterator["_Wanted"]:
        """The same split at smaller depths, the deepest first."""
        for depth in range(self.layout.depth - 1, 0, -1):
            layout = Layout(self.layout.split, depth, self.layout.hidden, self.layout.dtype, False)
            yield _Wanted(layout, self.digests[:depth])


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
        self._kept: OrderedDict[str, PrefixStates] = OrderedDict()
        self._refused: set[frozenset[str]] = set()

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
        if self._config.mode == "off" or depth == 0:
            return {}  # depth 0 also where embeddings train: there is no prefix then
        wanted = self._wanted(model, splits)
        keys = frozenset(item.key for item in wanted.values())
        if keys in self._refused:
            return {}
        if not keys <= self._kept.keys():
            decision = self._decide(model, wanted, shape, passes)
            if decision.place is not None:
                decision = self._fill_all(model, wanted, shape, decision)
            if decision.place is None:
                self._tell(f"prefix cache at depth {depth}: off; {decision.reason}")
                self._refused.add(keys)
                return {}
        for key in keys:
            self._kept.move_to_end(key)
        return {name: self._kept[item.key] for name, item in wanted.items()}

    def _wanted(self, model: FineTuner, splits: Mapping[str, Split]) -> dict[str, _Wanted]:
        classifier = model.classifier
        depth = classifier.plan.frozen_depth
        hidden = classifier.files.config["hidden_size"]
        digests = prefix_digests(classifier)
        computed = np.dtype(classifier.states_dtype.as_numpy_dtype)
        only_first = depth == classifier.num_layers

        def layout(split: Split, dtype: np.dtype) -> Layout:
            return Layout(split, depth, hidden, dtype, only_first)

        values = sum(layout(s, computed).tokens for s in splits.values()) * hidden
        dtype = choose_dtype(self._config.dtype, computed, values, self._memory_budget)
        return {name: _Wanted(layout(s, dtype), digests) for name, s in splits.items()}

    def _decide(
        self, model: FineTuner, wanted: Mapping[str, _Wanted], shape: BatchShape, passes: int
    ) -> Decision:
        mode = self._config.mode
        files = [item.file(self._root) for item in wanted.values()]
        if mode != "memory" and all(file.folder.is_dir() for file in files):
            return Decision("disk", f"on disk, as an earlier run left it in {self._root}")
        needed = sum(item.layout.bytes for item in wanted.values())
        disk_budget = size_bytes(self._config.disk_budget)
        place, where = choose_place(
            mode, needed, self._memory_budget, disk_budget, shared=self._shared
        )
        where += f" as {next(iter(wanted.values())).layout.dtype.name}"
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
        self, model: FineTuner, wanted: Mapping[str, _Wanted], shape: BatchShape, decision: Decision
    ) -> Decision:
        depth = model.classifier.plan.frozen_depth
        self._tell(f"prefix cache at depth {depth}: {decision.reason}")
        needed = sum(item.layout.bytes for item in wanted.values())
        if decision.place == "memory":
            self._make_memory_room(needed)
        try:
            for name, item in wanted.items():
                fill = self._in_memory if decision.place == "memory" else self._on_disk
                self._kept[item.key] = fill(model, name, item, shape)
        except OSError as error:
            problem = f"{self._root}: {error.strerror or error}"
            if error.errno in DISK_FULL:
                problem = f"{self._root}: the disk is full; {show_bytes(needed)} are needed"
            if self._config.mode == "disk":
                raise UserError(
                    f"cache.dir: {problem}",
                    hint="Name another folder, or set cache.mode=auto or off.",
                ) from error
            return Decision(None, problem)
        return decision

    def _in_memory(
        self, model: FineTuner, name: str, item: _Wanted, shape: BatchShape
    ) -> PrefixStates:
        layout = item.layout
        values = np.empty((layout.tokens, layout.hidden), layout.dtype)
        compute = partial(compute_block, model, layout, shape, self._shallower(item))
        with self._progress(name, len(layout.split)) as advance:
            began = time.perf_counter()
            for index in range(layout.blocks):
                values[layout.block_tokens(index)] = compute(index)
                advance(len(layout.block(index)))
        return _states(layout, values, time.perf_counter() - began)

    def _on_disk(
        self, model: FineTuner, name: str, item: _Wanted, shape: BatchShape
    ) -> PrefixStates:
        layout, file = item.layout, item.file(self._root)
        with file.one_writer():
            missing = file.missing_blocks(self._tell)
            if missing:
                budget = size_bytes(self._config.disk_budget)
                shallower = self._shallower(item)  # before room is made: mapped, it stays readable
                make_room(self._root, layout.bytes, budget, keep=file.folder)
                compute = partial(compute_block, model, layout, shape, shallower)
                texts = sum(len(layout.block(index)) for index in missing)
                with self._progress(name, texts) as advance:
                    file.fill(missing, compute, advance)
            return _states(layout, file.open(), file.fill_seconds)

    def _shallower(self, item: _Wanted) -> PrefixStates | None:
        """The same split's states at the greatest smaller depth that is kept."""
        for other in item.shallower():
            if other.key in self._kept:
                return self._kept[other.key]
            file = other.file(self._root)
            if file.folder.is_dir() and not file.missing_blocks(self._tell):
                return _states(other.layout, file.open(), file.fill_seconds)
        return None

    def _make_memory_room(self, needed: int) -> None:
        while self._kept and self.memory_bytes + needed > self._memory_budget:
            self._kept.popitem(last=False)

    def _tell(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False)

    @contextmanager
    def _progress(self, name: str, texts: int) -> Iterator[Callable[[int], None]]:
        """A bar on a terminal, and one line at the end everywhere."""
        began = time.monotonic()
        shown = self._console if self._console.is_terminal else Console(quiet=True)
        bar = Progress(
            TextColumn("Frozen layers of {task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=shown,
            transient=True,
        )
        with bar:
            task = bar.add_task(name, total=texts)
            yield lambda rows: bar.advance(task, rows)
        seconds = show_seconds(time.monotonic() - began)
        self._tell(f"prefix cache: {texts:,} {name} texts in {seconds}")


def _states(layout: Layout, values: np.ndarray, fill_seconds: float) -> PrefixStates:
    return PrefixStates(values, layout.starts, layout.lengths, layout.depth, fill_seconds)
