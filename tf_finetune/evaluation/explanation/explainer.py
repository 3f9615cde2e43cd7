"""Explains single outputs of a trained model."""

from dataclasses import replace
from functools import cached_property
from typing import Any

from tf_finetune.encoders.tokenizers import whole_texts
from tf_finetune.evaluation.attributions import Explanation, Word
from tf_finetune.evaluation.explanation.contrast import (
    contrast_weights,
    contrasted,
    contrasted_words,
)
from tf_finetune.evaluation.explanation.gradients import Contributions, IntegratedGradients
from tf_finetune.evaluation.explanation.precision import Precision
from tf_finetune.evaluation.explanation.tokens import (
    PlacedTokens,
    merge_words,
    place_row,
    place_tokens,
)
from tf_finetune.models.classifier import Classifier
from tf_finetune.sources.records import Record
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.wrong_answers import Part


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

    def explain_part(self, record: Record, part: Part, precision: Precision) -> Explanation | None:
        """Explains what is said of a part of a text, by the mean of its words' outputs.

        Args:
            record: The text with its words.
            part: A part as the task names it, of which it has a question.
            precision: How exactly.

        Returns:
            The explanation, by the words of the window that answers the part's first word; None
            if the model reads nothing of the part.

        Raises:
            UserError: An output or a gradient is NaN or infinite.
        """
        question = self._labels.question(record, part)
        first, after = question.words
        row = next(
            row
            for row in self._labels.rows([record], self._backend, self._max_length)
            if row.words[0] <= first < row.words[1]
        )
        reads = row.reads[first - row.words[0] : after - row.words[0]]
        asked = [(read, to) for read, to in zip(reads, question.outputs, strict=False) if read >= 0]
        if not asked:
            return None
        tokens = place_row(self._tokenizer, self._backend, record.text, row)
        places, outputs = zip(*asked, strict=True)
        found = self._gradients.of(
            tokens.token_ids, tokens.baseline_ids, tokens.token_type_ids, outputs, precision, places
        )
        words = merge_words(tokens, found.by_token.tolist(), 0, record.text)
        explanation = _explanation(found, question.label, precision, words)
        return replace(explanation, asked=(part.start, part.end))

    @cached_property
    def _backend(self) -> Any:
        return whole_texts(self._tokenizer.backend_tokenizer)

    def explain(self, record: Record, output: int, precision: Precision) -> Explanation:
        """Explains one output for one example; of several texts, why it was this one.

        Args:
            record: The text or pair, or the texts that are chosen from.
            output: Index of the class, or of the text; 0 in a regression.
            precision: How exactly.

        Raises:
            UserError: An output or a gradient is NaN or infinite.
        """
        label = self._labels.names[output] if self._labels.names else None
        if self._labels.several_texts:
            return self._explain_chosen(record, output, label, precision)
        text, text_pair = record.text, record.text_pair
        tokens = place_tokens(self._tokenizer, text, text_pair, self._max_length)
        found = self._of_output(tokens, output, precision)
        by_token = found.by_token.tolist()
        words = merge_words(tokens, by_token, 0, text)
        pair_words = () if text_pair is None else merge_words(tokens, by_token, 1, text_pair)
        return _explanation(found, label, precision, words, pair_words)

    def _of_output(self, tokens: PlacedTokens, output: int, precision: Precision) -> Contributions:
        return self._gradients.of(
            tokens.token_ids, tokens.baseline_ids, tokens.token_type_ids, (output,), precision
        )

    def _explain_chosen(
        self, record: Record, chosen: int, label: str | None, precision: Precision
    ) -> Explanation:
        texts = self._labels.read_texts(record, self._max_length)
        tokens = [
            place_tokens(self._tokenizer, one.text, one.text_pair, one.max_length) for one in texts
        ]
        each = [self._of_output(one, 0, precision) for one in tokens]
        found = contrasted(each, contrast_weights(chosen, len(texts)))
        words = contrasted_words(texts, tokens, found.by_token)
        explanation = _explanation(found, label, precision, words.shared, words.shared_pair)
        return replace(explanation, choice_words=words.own)


def _explanation(
    found: Contributions,
    label: str | None,
    precision: Precision,
    words: tuple[Word, ...],
    pair_words: tuple[Word, ...] = (),
) -> Explanation:
    return Explanation(
        label=label,
        output=found.output,
        baseline=found.baseline,
        gap=found.gap,
        steps=found.steps,
        converged=found.within(precision.tolerance),
        words=words,
        pair_words=pair_words,
    )
