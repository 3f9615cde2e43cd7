"""Explains single outputs of a trained model."""

from typing import Any

from tf_finetune.evaluation.attributions import Explanation
from tf_finetune.evaluation.explanation.gradients import IntegratedGradients
from tf_finetune.evaluation.explanation.precision import Precision
from tf_finetune.evaluation.explanation.tokens import merge_words, place_tokens
from tf_finetune.models.classifier import Classifier
from tf_finetune.tasks.labels import LabelSpace


class Explainer:
    """Says what each word of a text contributed to an output.

    Args:
        classifier: The model.
        tokenizer: Its tokenizer.
        labels: What its outputs mean.
        max_length: Longest text in tokens.
    """

    def __init__(self, classifier: Classifier, tokenizer: Any, labels: LabelSpace, max_length: int):
        self._gradients = IntegratedGradients(classifier)
        self._tokenizer = tokenizer
        self._labels = labels
        self._max_length = max_length

    def explain(
        self, text: str, text_pair: str | None, output: int, precision: Precision
    ) -> Explanation:
        """Explains one output for one text or pair.

        Args:
            text: The text.
            text_pair: The second text of a pair.
            output: Index of the class; 0 in a regression.
            precision: How exactly.

        Raises:
            UserError: An output or a gradient is NaN or infinite.
        """
        tokens = place_tokens(self._tokenizer, text, text_pair, self._max_length)
        found = self._gradients.of(
            tokens.token_ids, tokens.baseline_ids, tokens.token_type_ids, output, precision
        )
        by_token = found.by_token.tolist()
        return Explanation(
            label=self._labels.names[output] if self._labels.names else None,
            output=found.output,
            baseline=found.baseline,
            gap=found.gap,
            steps=found.steps,
            converged=found.within(precision.tolerance),
            words=merge_words(tokens, by_token, 0, text),
            pair_words=() if text_pair is None else merge_words(tokens, by_token, 1, text_pair),
        )
