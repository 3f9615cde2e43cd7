"""An encoder to fine-tune as a Keras model, with Keras' own `compile` and `fit`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tf_finetune.api.keras.keras_options import described

if TYPE_CHECKING:
    from tf_finetune.api.keras.keras_classifier import KerasClassifier


def keras_model(
    encoder: str | Path = "auto",
    *,
    depth: int = 0,
    num_labels: int | None = None,
    label_names: Sequence[str] | None = None,
    task: str = "single_label",
    method: str | Mapping[str, Any] = "full",
    targets: Any = None,
    seed: int = 0,
    **options: Any,
) -> "KerasClassifier":
    """Makes a pretrained encoder with a new head a Keras model, frozen up to a depth.

    Keras' own `compile`, `fit`, `evaluate`, `predict`, `summary`, `save_weights`, `save` to a
    name that ends in `.keras`, and callbacks work as they do on any model of `tf_keras`; made in
    the scope of a `tf.distribute` strategy, it trains on its devices. It answers with logits.

    Example:
        >>> import tf_finetune as tft
        >>> model = tft.keras_model(encoder, depth=2, num_labels=2)
        >>> model.compile("adam", model.task_loss(), metrics=["accuracy"])
        >>> texts = model.preprocess(["the film was good", "the plot was dull"])
        >>> history = model.fit(texts, np.array([1, 0]), verbose=0)
        >>> model.predict(texts, verbose=0).shape
        (2, 2)

    Args:
        encoder: `encoder.name`: a folder, `package:NAME`, a hub name, or "auto".
        depth: `freeze.depth`, how many layers are frozen, the embeddings with the first.
        num_labels: Number of outputs; None: as many as `label_names`.
        label_names: What the outputs are called, in the order of the labels' numbers. A head
            that the encoder has for labels of these names is kept.
        task: "single_label", "multi_label", "regression" or "relation", as `data.task`.
        method: `method.name`, such as "lora", or with its options a dictionary such as
            `{"name": "lora", "rank": 8}`.
        targets: Of a regression, the training targets, float [n]. Their mean and deviation become
            those of the head, which would otherwise be long on its way to large numbers.
        seed: `training.seed`, of the new weights and dropout.
        **options: Other options by their names: `pooling`, `layers`, `dropout` and `adapter` of the
            encoder; `embeddings`, `rules`; `max_length`; `precision`, `recompute`,
            `reinitialise_top`. What else `training` holds is said to `compile` and `fit`.

    Returns:
        The model, not compiled.

    Raises:
        UserError: There is no such encoder, or what is asked for does not go with it; says all.
    """
    keywords = {
        "encoder": encoder,
        "depth": depth,
        "num_labels": num_labels,
        "label_names": label_names,
        "task": task,
        "method": method,
        "targets": targets,
        "seed": seed,
        **options,
    }
    # What is wrong is told before TensorFlow is loaded.
    found = described(keywords)

    from tf_finetune.api.keras.keras_classifier import KerasClassifier

    return KerasClassifier.of(keywords, found)
