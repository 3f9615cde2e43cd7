"""A small trained model, its tokenizer in a graph, and what several forms are made of."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.options.freeze import FreezeConfig
from tf_finetune.plans.freezing import plan_freezing

MAX_LENGTH = 32


@pytest.fixture(scope="session")
def build_trained(tiny_encoder: Path) -> Callable[..., Any]:
    """Build a classifier whose head is no longer that of the start."""
    from tf_finetune.models.classifier import build_classifier

    def build(num_labels: int = 3) -> Any:
        files = EncoderFiles("tiny", tiny_encoder)
        variables = files.family.variables(files.config, num_labels)
        plan = plan_freezing(FreezeConfig(depth=1), variables)
        model, _ = build_classifier(files, plan, num_labels, seed=0)
        generator = np.random.default_rng(3)
        for variable in model.trainable_weights:
            variable.assign_add(generator.normal(0, 0.1, variable.shape).astype(np.float32))
        return model

    return build


@pytest.fixture(scope="session")
def graph_tokenizer(tiny_tokenizer: Any) -> Any:
    """The tiny tokenizer as a graph, at most `MAX_LENGTH` tokens."""
    from tf_finetune.export.graph_tokenizer import GraphTokenizer
    from tf_finetune.export.tokenizer_recipe import read_recipe

    return GraphTokenizer(read_recipe(tiny_tokenizer), MAX_LENGTH)
