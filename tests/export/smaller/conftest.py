"""A small model folder with a head, texts for it, and what is read from both."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console

from tf_finetune.data.loading import Splits, load_splits
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.encoders.tokenizers import load_tokenizer
from tf_finetune.export.model_folder import check_model_folder, write_model_folder
from tf_finetune.models.classifier import build_classifier
from tf_finetune.options.data import DataConfig
from tf_finetune.options.freeze import FreezeConfig
from tf_finetune.plans.freezing import plan_freezing
from tf_finetune.tasks.labels import LabelSpace

LABELS = LabelSpace("single_label", ("neg", "pos"))


@pytest.fixture(scope="session")
def trained_files(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> EncoderFiles:
    """A checked model folder of three layers and two labels."""
    files = EncoderFiles("tiny", tiny_encoder)
    plan = plan_freezing(FreezeConfig(), files.family.variables(files.config, 2))
    model, _ = build_classifier(files, plan, 2, seed=0)
    kernel = np.random.default_rng(5).normal(0, 0.5, (32, 2)).astype(np.float32)
    model.by_path["classifier/kernel"].assign(kernel)
    folder = tmp_path_factory.mktemp("trained") / "model"
    write_model_folder(folder, model, load_tokenizer(files), LABELS, max_length=32)
    return check_model_folder(folder)


@pytest.fixture(scope="session")
def load() -> Any:
    """Load a model folder."""

    def read(files: EncoderFiles) -> Any:
        plan = plan_freezing(FreezeConfig(), files.family.variables(files.config, 2))
        return build_classifier(files, plan, 2, seed=0, head_required=True)[0]

    return read


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
def batch() -> dict[str, tf.Tensor]:
    """Three texts, one of them padded."""
    mask = np.ones((3, 6), np.int32)
    mask[1, 4:] = 0
    return {
        "token_ids": tf.constant(np.random.default_rng(1).integers(5, 60, (3, 6)), tf.int32),
        "token_type_ids": tf.zeros((3, 6), tf.int32),
        "attention_mask": tf.constant(mask),
    }


@pytest.fixture(scope="session")
def quiet_console() -> Console:
    """A console that prints nothing."""
    return Console(quiet=True)
