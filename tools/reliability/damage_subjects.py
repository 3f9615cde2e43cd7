"""The kinds of files that the project leaves, each with the way it is opened again."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from rich.console import Console

from tf_finetune.data.token_store_cache import open_store
from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.prefix import layout as layouts
from tf_finetune.prefix.layout import Layout
from tf_finetune.prefix.state_file import StateFile
from tf_finetune.searches.running.records import TrialJournal
from tf_finetune.training.checkpoints import RunCheckpoints
from tf_finetune.verification import verify_run


@dataclass(frozen=True)
class Subject:
    """Files of one kind.

    Attributes:
        name: What they are.
        files: The files that get damaged.
        folder: All that opening may change; it is put back after each damage.
        open_again: Opens them as the product does. Gives what was said, and whether all that
            was opened is right: an earlier state, or the same one computed anew. None where
            nothing was opened to be compared: it was refused, or only held against checksums.
        share: How many tries it gets where a kind that is only verified gets one.
    """

    name: str
    files: list[Path]
    folder: Path
    open_again: Callable[[], tuple[str, bool | None]]
    share: int = 1


def finished_run(name: str, run: Path) -> Iterator[Subject]:
    """Every file of a finished run or search, a kind a part; `verify` has to name each."""

    def verify() -> tuple[str, None]:
        return "\n".join(verify_run(run).problems), None

    said, _ = verify()
    if said:
        raise RuntimeError(f"{run} is damaged before anything was done to it: {said}")
    kinds: dict[str, list[Path]] = {}
    for path in sorted(run.rglob("*")):
        inside = path.relative_to(run)
        # Locks are empty; of trials only what the journal vouches for is used again.
        if not path.is_file() or path.stat().st_size == 0:
            continue
        if inside.parts[0] == "trials" and path.name != "validation.npz":
            continue
        kind = "/".join(inside.parts[:2]) if inside.parts[0] == "export" else inside.parts[0]
        kinds.setdefault(kind, []).append(path)
    for kind, files in kinds.items():
        yield Subject(f"{name}: {kind}", files, run, verify)


def token_store(folder: Path, source: Path, tokenizer: Any) -> Subject:
    """A token store: the next job has to fill it again."""
    config = DataConfig.model_validate(
        {"text_column": "text", "label_column": "label", "cache_dir": str(folder)}
    )
    whole = open_store(config, str(source), tokenizer)
    expected = whole.gather(np.arange(len(whole))).token_ids

    def open_again() -> tuple[str, bool]:
        said = StringIO()
        store = open_store(config, str(source), tokenizer, console=Console(file=said, width=500))
        found = store.gather(np.arange(len(store))).token_ids
        return said.getvalue(), np.array_equal(found, expected)

    return Subject("token store", _files(whole.path), folder, open_again, 8)


def prefix_states(folder: Path) -> Subject:
    """States of a frozen prefix: damaged blocks have to be computed again."""
    layouts.BLOCK_ROWS = 8
    lengths = np.random.default_rng(0).integers(3, 16, 40).astype(np.int32)
    numbers = np.arange(len(lengths))
    store = SimpleNamespace(key="store", lengths=lengths, text_hashes=numbers.astype(np.uint64))
    split: Any = _SplitOf(store, numbers)
    layout = Layout(split, depth=1, hidden=8, dtype=np.dtype("float16"), reads_only=False)
    values = np.random.default_rng(1).normal(size=(layout.tokens, 8)).astype(np.float16)

    def open_again() -> tuple[str, bool]:
        said: list[str] = []
        file = StateFile(folder, layout, "prefix")
        with file.one_writer(said.append):
            missing = file.missing_blocks(said.append)
            if missing:
                file.fill(missing, lambda i: values[layout.block_tokens(i)], lambda rows: None)
        return "\n".join(said), np.array_equal(file.open(), values)

    open_again()
    files = _files(StateFile(folder, layout, "prefix").folder)
    return Subject("prefix cache", files, folder, open_again, 8)


class _SplitOf:
    """As much of a split as a layout reads."""

    def __init__(self, store: Any, rows: np.ndarray):
        self.name, self.store, self.rows = "train", store, rows

    @property
    def lengths(self) -> np.ndarray:
        return self.store.lengths[self.rows]

    def __len__(self) -> int:
        return len(self.rows)


def checkpoints(folder: Path, model: Any) -> Subject:
    """Two checkpoints of which the newer gets damaged: the older has to be used."""
    for step in (1, 2):
        for variable in model.classifier.trainable_weights:
            variable.assign(np.full(variable.shape, step, np.float32))
        best = {"best": np.full(4, step, np.float32)}
        RunCheckpoints(folder, model, "identity").save({"step": step, "history": []}, best)

    def open_again() -> tuple[str, bool]:
        restored, said = RunCheckpoints(folder, model, "identity").restore_latest()
        values = [variable.numpy() for variable in model.classifier.trainable_weights]
        right = restored is not None and restored.state["step"] == 1
        return "\n".join(said), right and all((value == 1).all() for value in values)

    return Subject("checkpoint", _files(folder / "step-000000002"), folder, open_again, 8)


def journal(search: Path) -> Subject:
    """The record of a search: only the trials of damaged lines may be run again."""
    path = search / "journal.jsonl"
    first = json.loads(path.read_text(encoding="utf-8").split("\n", 1)[0])
    identity = first["record"]["identity"]
    expected = TrialJournal(path, search / "trials", identity).records

    def open_again() -> tuple[str, bool | None]:
        try:
            found = TrialJournal(path, search / "trials", identity)
        except UserError as error:
            return str(error), None
        kept = all(expected.get(key) == record for key, record in found.records.items())
        return "\n".join(found.notices), kept

    files = [path, *sorted((search / "trials").rglob("validation.npz"))]
    return Subject("journal and trials, resumed", files, search, open_again, 8)


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file() and p.stat().st_size)
