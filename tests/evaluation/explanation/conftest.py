"""An explainer of a tiny model whose layers are partly frozen."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tf_finetune.data.batch import text_rows
from tf_finetune.models.building import build
from tf_finetune.models.weights import Pretrained
from tf_finetune.tasks.several_classes import SeveralClasses


@pytest.fixture(scope="package")
def classifier(tiny_encoder: Path, spec_for: Callable) -> Any:
    """Three layers of which two are frozen, and three outputs."""
    model = build(spec_for(tiny_encoder, 3, freeze={"depth": 2}), Pretrained())
    generator = np.random.default_rng(3)
    for path in ("classifier/kernel", "classifier/bias"):  # that of the start is all but 0
        head = model.by_path[path]
        head.assign(generator.normal(size=head.shape).astype(np.float32))
    return model


@pytest.fixture(scope="package")
def explainer(classifier: Any, tiny_tokenizer: Any) -> Any:
    from tf_finetune.evaluation.explanation.explainer import Explainer

    return Explainer(classifier, tiny_tokenizer, SeveralClasses(("a", "b", "c")), 24)


@pytest.fixture
def logits_of(classifier: Any) -> Callable[..., np.ndarray]:
    """Logits of token ids by the model's own forward pass."""
    import tensorflow as tf

    def compute(token_ids: np.ndarray, token_type_ids: np.ndarray) -> np.ndarray:
        mask = tf.ones([1, len(token_ids)], tf.int32)
        inputs = text_rows(tf.constant(token_ids[None]), tf.constant(token_type_ids[None]), mask)
        return classifier(inputs, training=False).numpy()[0]

    return compute
