"""One run and one search from Python, which several tests look at."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import tf_finetune as tft
from tests.untraced import untraced


@pytest.fixture(scope="session")
def reviews(tiny_csv: Path) -> pd.DataFrame:
    """60 short reviews with the labels neg and pos."""
    return pd.read_csv(tiny_csv)


@pytest.fixture(scope="session")
def quick(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Options of a quick call, but for its folder."""
    return {
        "encoder": str(tiny_encoder),
        "cache_dir": str(tmp_path_factory.mktemp("token_cache")),
        "max_length": 32,
        "validation_fraction": 0.2,
        "test_fraction": 0.2,
        "epochs": 2,
        "batch_size": 16,
        "evaluation": {"bootstrap_resamples": 100, "explained_mistakes": 0},
        "progress": False,
    }


@pytest.fixture(scope="session")
def run(
    reviews: pd.DataFrame, quick: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> tft.Run:
    """A run; nobody may change its folder but by evaluating."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    with untraced():
        return tft.fine_tune(reviews, depth=2, learning_rate=0.01, folder=folder, **quick)


@pytest.fixture(scope="session")
def answer(
    tiny_csv: Path, quick: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> tft.Answer:
    """A search of one cell beside the heads; nobody may change its folder."""
    folder = tmp_path_factory.mktemp("runs") / "answer"
    with untraced():
        return tft.search(
            tiny_csv,
            folder=folder,
            depths=[2],
            learning_rates=[1e-2],
            widen_edges=False,
            seeds=0,
            **quick,
        )


@pytest.fixture(scope="session")
def flat_encoder(
    make_encoder: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> str:
    """Folder of an encoder with one layer, for what does not depend on how many there are."""
    folder = tmp_path_factory.mktemp("flat_encoder")
    return str(make_encoder(folder / "flat", sizes={"num_hidden_layers": 1}))
