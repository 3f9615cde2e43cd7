"""Explains single outputs of a trained model."""

from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from tf_finetune.data.batch import text_rows
from tf_finetune.data.read_vectors import stacked
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
    types_of,
)
from tf_finetune.models.classifier import Classifier
from tf_finetune.sources.records import Record
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.questions import Asked
from tf_finetune.tasks.task_rows import TaskRow
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
        self._classifier = classifier
        self._gradients = IntegratedGradients(classifier)
        self._tokenizer = tokenizer
        self._labels = labels
        self._max_length = max_length

    def explain_part(self, record: Record, part: Part, precision: Precision) -> Explanation | None:
        """Explains what is said of a part of a text, by the mean of the outputs that say it.

        Args:
            record: The text, or texts, with its words.
            part: A part as the task names it, of which it has a question.
            precision: How exactly.

        Returns:
            The explanation, by the words of the row that says it; None if the model reads nothing
            of the part.

        Raises:
            UserError: An output or a gradient is NaN or infinite.
        """
        rows = self._rows(record)
        question = self._labels.question(record, part, rows, self._logits_of)
        if question is None:
            return None
        tokens = place_row(self._tokenizer, self._backend, record, question.row)
        found = self._gradients.of(
            tokens.token_ids,
            tokens.baseline_ids,
            tokens.token_type_ids,
            question.outputs,
            precision,
            question.reads,
        )
        words = _words(tokens, found, record)
        explanation = _explanation(found, question.label, precision, *words)
        asked = (part.start, part.end) if part.text else None
        return replace(explanation, asked=asked, asked_of_pair=record.text_pair is not None)

    def _rows(self, record: Record) -> list[TaskRow]:
        return list(self._labels.rows([record], self._backend, self._max_length))

    def _logits_of(self, row: TaskRow) -> np.ndarray:
        """What the model says of a row, float32 [r, outputs]."""
        ids, types = (
            np.array([one], np.int32) for one in (row.ids, types_of(self._tokenizer, row))
        )
        reads = np.maximum(np.array([row.reads], np.int32), 0)
        logits = self._classifier(text_rows(ids, types, np.ones_like(ids), reads), training=False)
        return np.asarray(logits)

    def explain_answer(
        self, record: Record, output: int, precision: Precision
    ) -> Explanation | None:
        """As `explain`; where the answer is a part of a text, why it is this part.

        Returns:
            The explanation; None if the model reads nothing of the part.
        """
        if not self._labels.explains_parts:
            return self.explain(record, output, precision)
        rows = self._rows(record)
        logits = stacked([self._logits_of(row).reshape(1, -1) for row in rows])
        chosen = self._labels.chosen_part(record, (rows, logits), Asked())
        return self.explain_part(record, chosen.part, precision)

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
        tokens = place_tokens(self._tokenizer, record.text, record.text_pair, self._max_length)
        found = self._of_output(tokens, output, precision)
        return _explanation(found, label, precision, *_words(tokens, found, record))

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


def _words(
    tokens: PlacedTokens, found: Contributions, record: Record
) -> tuple[tuple[Word, ...], tuple[Word, ...]]:
    """The words of a text and of its second text."""
    by_token = found.by_token.tolist()
    words = merge_words(tokens, by_token, 0, record.text)
    if record.text_pair is None:
        return words, ()
    return words, merge_words(tokens, by_token, 1, record.text_pair)


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
