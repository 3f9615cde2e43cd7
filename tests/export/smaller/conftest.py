"""A small model folder with a head, texts for it, and what is read from both."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console

from tf_finetune.data.batch import Inputs, text_rows
from tf_finetune.data.loading import Splits, load_splits
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.encoders.tokenizers import load_tokenizer
from tf_finetune.models.building import build
from tf_finetune.models.weights import OfRun, Pretrained
from tf_finetune.options.data import DataConfig
from tf_finetune.runs.model_folder import check_model_folder, write_model_folder
from tf_finetune.tasks.classes import Classes

LABELS = Classes(("neg", "pos"))


@pytest.fixture(scope="session")
def trained_files(
    tiny_encoder: Path, spec_for: Callable, tmp_path_factory: pytest.TempPathFactory
) -> EncoderFiles:
    """A checked model folder of three layers and two labels."""
    spec = spec_for(tiny_encoder, LABELS)
    model = build(spec, Pretrained())
    kernel = np.random.default_rng(5).normal(0, 0.5, (32, 2)).astype(np.float32)
    model.by_path["classifier/kernel"].assign(kernel)
    folder = tmp_path_factory.mktemp("trained") / "model"
    write_model_folder(folder, model, load_tokenizer(spec.files), LABELS, max_length=32)
    return check_model_folder(folder)


@pytest.fixture(scope="session")
def load(spec_for: Callable) -> Any:
    """Load a model folder."""
    return lambda files: build(spec_for(files, LABELS), OfRun())


@pytest.fixture(scope="session")
def tiny_splits(tiny_csv: Path, tiny_tokenizer: Any, tmp_path_factory: Any) -> Splits:
    """Train, validation and test split of sixty reviews."""
    config = DataConfig(
        train=str(tiny_csv),
        max_length=32,
        validation_fraction=0.2,
        test_fraction=0.2,
        cache_dir=str(tmp_path_factory.mktemp("cache")),
    )
    return load_splits(config, tiny_tokenizer)[0]


@pytest.fixture(scope="session")
def batch() -> Inputs:
    """Three texts, one of them padded."""
    mask = np.ones((3, 6), np.int32)
    mask[1, 4:] = 0
    ids = tf.constant(np.random.default_rng(1).integers(5, 60, (3, 6)), tf.int32)
    return text_rows(ids, tf.zeros((3, 6), tf.int32), tf.constant(mask))


@pytest.fixture(scope="session")
def quiet_console() -> Console:
    """A console that prints nothing."""
    return Console(quiet=True)
