"""Explanations of a real encoder add up, and their words are those of the text."""

import numpy as np
import pytest

from tf_finetune.evaluation.explanation.explained_mistakes import explain_mistakes
from tf_finetune.evaluation.explanation.precision import Precision
from tf_finetune.evaluation.explanation.tokens import place_tokens
from tf_finetune.evaluation.report import EvaluationReport, Mistake
from tf_finetune.models.rounding import logit_rounding
from tf_finetune.sources.records import Record

pytestmark = pytest.mark.numeric

FINE = Precision(steps=64, most_steps=1024, tolerance=0.001)


@pytest.mark.parametrize("pair", [None, "Never DULL!"])
@pytest.mark.parametrize("output", [0, 2])
def test_contributions_add_up_to_the_difference_from_the_baseline(
    explainer, classifier, tiny_tokenizer, logits_of, output, pair
):
    text = "The film was Unwatchable, and bad."
    tokens = place_tokens(tiny_tokenizer, text, pair, 24)

    found = explainer.explain(Record(1, text, pair, None), output, FINE)

    logits = logits_of(tokens.token_ids, tokens.token_type_ids)
    baseline = logits_of(tokens.baseline_ids, tokens.token_type_ids)
    rounding = logit_rounding(classifier, len(tokens.token_ids))[output]
    assert found.output == pytest.approx(logits[output], abs=rounding)
    assert found.baseline == pytest.approx(baseline[output], abs=rounding)
    magnitudes = sum(abs(word.attribution) for word in found.all_words())
    assert magnitudes > 0.1
    accepted = 0.001 * magnitudes + rounding
    assert found.total == pytest.approx(found.output - found.baseline, abs=accepted)
    assert found.converged and found.gap <= accepted < 0.002 * magnitudes
    assert found.label == ("a", "b", "c")[output]
    for word in found.all_words():
        pieces = sum(piece.attribution for piece in word.pieces)
        assert word.attribution == pytest.approx(pieces)


def test_words_are_cut_out_of_the_text_as_it_was_written(explainer):
    text = "  Ünwatchable FILM,\tgood"

    found = explainer.explain(Record(1, text, "not bad", None), 0, Precision(1, 1))

    assert [word.text for word in found.words] == ["Ünwatchable", "FILM", ",", "good"]
    assert [text[word.start : word.end] for word in found.words] == [
        word.text for word in found.words
    ]
    assert [p.token for p in found.words[0].pieces] == ["un", "##watch", "##able"]
    assert [word.text for word in found.pair_words] == ["not", "bad"]


def test_a_long_text_ends_where_the_model_stops_reading(explainer):
    found = explainer.explain(Record(1, "good " * 40, None, None), 0, Precision(1, 1))

    assert len(found.words) == 22  # of 24 tokens, two are [CLS] and [SEP]


def test_the_baseline_keeps_what_the_tokenizer_adds(tiny_tokenizer):
    tokens = place_tokens(tiny_tokenizer, "good [SEP] film", "bad", 24)
    ids = tiny_tokenizer.convert_tokens_to_ids

    # The [SEP] that somebody wrote is a word of the text.
    assert tokens.tokens == ["[CLS]", "good", "[SEP]", "film", "[SEP]", "bad", "[SEP]"]
    kept = [True, False, False, False, True, False, True]
    expected = np.where(kept, ids(tokens.tokens), ids("[PAD]"))
    assert tokens.baseline_ids.tolist() == expected.tolist()
    assert tokens.token_type_ids.tolist() == [0, 0, 0, 0, 0, 1, 1]


def test_a_text_without_words_has_nothing_to_explain(explainer, classifier):
    found = explainer.explain(Record(1, "\u200b", None, None), 1, FINE)

    assert found.words == () and found.converged
    rounding = logit_rounding(classifier, length=2)[1]  # [CLS] and [SEP]
    assert found.output == pytest.approx(found.baseline, abs=rounding)


def test_the_worst_mistakes_of_every_report_are_explained(explainer):
    mistakes = tuple(
        Mistake(i, i, f"the film {i} was bad", None, ["a"], ["b"], 0.9, output=1) for i in range(3)
    )
    report = EvaluationReport("test", "multi_label", 3, 0.95, {}, {}, (), None, mistakes)
    records = {"test": lambda rows: [Record(1, mistakes[row].text, None, None) for row in rows]}

    found = explain_mistakes(explainer, {"test": report}, records, limit=2)["test"].mistakes

    assert [mistake.explanation is None for mistake in found] == [False, False, True]
    assert {mistake.explanation.label for mistake in found[:2]} == {"b"}
    assert [word.text for word in found[1].explanation.words] == ["the", "film", "1", "was", "bad"]
    assert found[1].text == mistakes[1].text
