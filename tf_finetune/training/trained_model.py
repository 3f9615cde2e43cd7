"""A finished run's model, loaded to score and to predict."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf

from tf_finetune.config.sections import ExperimentConfig
from tf_finetune.data import LabelSpace, Record, evaluation_batches
from tf_finetune.encoders import EncoderFiles, build_classifier, load_tokenizer, plan_freezing
from tf_finetune.explanation import Explainer
from tf_finetune.training.fine_tuner import FineTuner
from tf_finetune.training.fine_tuning import compile_fine_tuner
from tf_finetune.training.strategy import ChosenStrategy


@dataclass(frozen=True)
class TrainedModel:
    """A model with all that is needed to use it.

    Attributes:
        model: Compiled, for `predict_logits`.
        tokenizer: The tokenizer it was trained with.
        labels: What its outputs mean.
        max_length: Longest text in tokens.
    """

    model: FineTuner
    tokenizer: Any
    labels: LabelSpace
    max_length: int

    @cached_property
    def _forward(self) -> Callable[[dict[str, tf.Tensor]], tf.Tensor]:
        """The traced forward pass; one trace serves batches of any size and length."""
        tokens = tf.TensorSpec([None, None], tf.int32)
        names = ("token_ids", "token_type_ids", "attention_mask")

        @tf.function(input_signature=[{name: tokens for name in names}])
        def forward(batch: dict[str, tf.Tensor]) -> tf.Tensor:
            return self.model.classifier(batch, training=False)

        return forward

    @cached_property
    def explainer(self) -> Explainer:
        """Says what words contributed to an output; its trace serves every text too."""
        return Explainer(self.model.classifier, self.tokenizer, self.labels, self.max_length)

    def logits_of(self, records: Sequence[Record], batch_size: int) -> np.ndarray:
        """Logits of some texts in their order, float32 [n, labels]."""
        pairs = [r.text_pair for r in records] if records[0].text_pair is not None else None
        tokens = self.tokenizer(
            [r.text for r in records], pairs, truncation=True, max_length=self.max_length
        )
        lengths = np.array([len(ids) for ids in tokens["input_ids"]], np.int32)
        logits = np.empty((len(records), self.labels.num_outputs), np.float32)
        for rows in evaluation_batches(lengths, batch_size):
            padded = self.tokenizer.pad(
                {name: [values[i] for i in rows] for name, values in tokens.items()},
                return_tensors="np",
            )
            batch = {
                "token_ids": padded["input_ids"],
                "token_type_ids": padded["token_type_ids"],
                "attention_mask": padded["attention_mask"],
            }
            batch = {name: tf.constant(value, tf.int32) for name, value in batch.items()}
            logits[rows] = self._forward(batch).numpy()
        return logits


def load_trained_model(
    files: EncoderFiles, labels: LabelSpace, config: ExperimentConfig, chosen: ChosenStrategy
) -> TrainedModel:
    """Loads the model folder of a run.

    Args:
        files: The checked model folder.
        labels: From its config.json.
        config: The run's configuration.
        chosen: The strategy to build under.
    """
    variables = files.family.variables(files.config, labels.num_outputs)
    plan = plan_freezing(config.freeze, variables)
    with chosen.strategy.scope():
        classifier, _ = build_classifier(
            files,
            plan,
            labels.num_outputs,
            seed=config.training.seed,
            precision=config.training.precision,
            head_required=True,
        )
        model = compile_fine_tuner(classifier, labels.task, config.training)
    return TrainedModel(model, load_tokenizer(files), labels, config.data.max_length)
