"""The tiny task of tests/training, caches of its states, and what they say and compute."""

import functools
from collections.abc import Callable, Mapping
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console

from tests.training.conftest import *  # noqa: F403
from tf_finetune.data.batch import text_rows
from tf_finetune.data.loading import Splits
from tf_finetune.data.splits import Split
from tf_finetune.data.states import PrefixStates
from tf_finetune.options.cache import CacheConfig
from tf_finetune.prefix.cache import PrefixCache
from tf_finetune.prefix.filling import compute_block
from tf_finetune.prefix.layout import Layout
from tf_finetune.training.fine_tuner import FineTuner
from tf_finetune.training.pipeline import BatchShape

BATCHES_OF_EIGHT = BatchShape(8)


@pytest.fixture(scope="session")
def model_at(
    build: Callable[..., FineTuner], splits: Splits, training: Callable[..., Any]
) -> Callable[[int], FineTuner]:
    """The model of a depth; shared, because tracing takes seconds."""
    return functools.cache(lambda depth: build(splits, training(), depth))


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of ten rows: the 36 training examples make four."""
    monkeypatch.setattr("tf_finetune.prefix.layout.BLOCK_ROWS", 10)


@pytest.fixture(scope="session")
def split_of() -> Callable[..., Split]:
    """A split of texts of the given lengths; nothing but their places can be asked for."""

    def make(lengths: list[int], key: str = "store", rows: Any = None, texts: Any = None) -> Split:
        numbers = np.arange(len(lengths))
        store: Any = SimpleNamespace(
            key=key,
            lengths=np.array(lengths, np.int32),
            text_hashes=np.array(numbers if texts is None else texts, np.uint64),
            reads=lambda rows: np.zeros((len(rows), 1), np.int32),
        )
        rows = numbers if rows is None else np.array(rows)
        return Split("train", store, rows, np.zeros(len(rows), np.int32))

    return make


@pytest.fixture(scope="session")
def layout_of(split_of: Callable[..., Split]) -> Callable[..., Layout]:
    """Layout of float32 states of width 2 at depth 1 of such a split."""

    def make(lengths: list[int], **options: Any) -> Layout:
        values = {"depth": 1, "hidden": 2, "dtype": np.dtype("float32"), "reads_only": False}
        return Layout(split_of(lengths), **values | options)  # type: ignore[arg-type]

    return make


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where the caches of a test keep their files."""
    return tmp_path / "prefix"


@pytest.fixture
def console() -> Console:
    return Console(file=StringIO(), width=80)


@pytest.fixture
def said(console: Console) -> Callable[[], list[str]]:
    """The lines since the last call."""

    def lines() -> list[str]:
        text = console.file.getvalue()
        console.file.seek(0)
        console.file.truncate()
        return text.splitlines()

    return lines


@pytest.fixture
def new_cache(root: Path, console: Console) -> Callable[..., PrefixCache]:
    """A cache as another process would have it."""

    def make(mode: str = "memory", *, shared: bool = False, **options: Any) -> PrefixCache:
        config = CacheConfig.model_validate({"mode": mode} | options)
        return PrefixCache(config, root, shared=shared, console=console)

    return make


@pytest.fixture
def states_of(splits: Splits) -> Callable[..., dict[str, PrefixStates]]:
    """Ask a cache for the states of the training and the validation split."""

    def ask(
        cache: PrefixCache,
        model: FineTuner,
        data: Splits = splits,
        shape: BatchShape = BATCHES_OF_EIGHT,
        passes: int = 1000,
    ) -> dict[str, PrefixStates]:
        wanted = {"train": data.train, "validation": data.validation}
        return cache.states(model, wanted, shape, passes)  # type: ignore[arg-type]

    return ask


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int | None]]:
    """Split, block and depth begun with of every block that is computed; None: the tokens."""
    calls: list[tuple[str, int, int | None]] = []

    def count(
        model: FineTuner,
        layout: Layout,
        shape: BatchShape,
        shallower: PrefixStates | None,
        index: int,
    ) -> np.ndarray:
        calls.append((layout.split.name, index, None if shallower is None else shallower.depth))
        return compute_block(model, layout, shape, shallower, index)

    monkeypatch.setattr("tf_finetune.prefix.cache.compute_block", count)
    return calls


@pytest.fixture(scope="session")
def one_by_one() -> Callable[..., list[np.ndarray]]:
    """States of every example computed alone, without pipeline and cache."""

    def compute(model: FineTuner, split: Split) -> list[np.ndarray]:
        found = []
        for index in range(len(split)):
            tokens = split.gather(np.array([index]))
            inputs = text_rows(tokens.token_ids, tokens.token_type_ids, tokens.attention_mask)
            states = model.classifier.boundary_states(inputs)
            found.append(tf.cast(states, tf.float32).numpy()[0])
        return found

    return compute


@pytest.fixture(scope="session")
def assert_states() -> Callable[..., None]:
    """Compare kept states with what `one_by_one` gives."""

    def compare(
        found: Mapping[str, PrefixStates],
        expected: Mapping[str, list[np.ndarray]],
        atol: float = 1e-5,
    ) -> None:
        assert found.keys() == expected.keys()
        for name, states in found.items():
            assert len(states.starts) == len(expected[name])
            for index, values in enumerate(expected[name]):
                kept = states.gather(np.array([index]), pad_to=len(values))[0]
                assert states.lengths[index] == len(values)
                np.testing.assert_allclose(kept.astype(np.float32), values, rtol=0, atol=atol)

    return compare
