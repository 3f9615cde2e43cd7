"""A small trained model, its tokenizer in a graph, and what several forms are made of."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

MAX_LENGTH = 32


@pytest.fixture(scope="session")
def build_trained(tiny_encoder: Path, spec_for: Callable) -> Callable[..., Any]:
    """Build a classifier whose head is no longer that of the start."""
    from tf_finetune.models.building import build
    from tf_finetune.models.weights import Pretrained

    def build_one(num_labels: Any = 3, **sections: Any) -> Any:
        spec = spec_for(tiny_encoder, num_labels, freeze={"depth": 1}, **sections)
        model = build(spec, Pretrained())
        generator = np.random.default_rng(3)
        for variable in model.trainable_weights:
            variable.assign_add(generator.normal(0, 0.1, variable.shape).astype(np.float32))
        return model

    return build_one


@pytest.fixture(scope="session")
def graph_tokenizer(tiny_tokenizer: Any) -> Any:
    """The tiny tokenizer as a graph, at most `MAX_LENGTH` tokens."""
    from tf_finetune.export.graph_tokenizer import GraphTokenizer
    from tf_finetune.export.tokenizer_recipe import read_recipe

    return GraphTokenizer(read_recipe(tiny_tokenizer), MAX_LENGTH)
