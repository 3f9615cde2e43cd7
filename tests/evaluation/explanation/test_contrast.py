"""What decided for a choice is what its words and those of the others add to its lead."""

import numpy as np
import pytest

from tf_finetune.data.batch import text_rows
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.encoders.tokenizers import whole_texts
from tf_finetune.evaluation.explanation.contrast import (
    contrast_weights,
    contrasted,
    contrasted_words,
)
from tf_finetune.evaluation.explanation.explainer import Explainer
from tf_finetune.evaluation.explanation.gradients import Contributions
from tf_finetune.evaluation.explanation.precision import Precision
from tf_finetune.evaluation.explanation.tokens import place_tokens
from tf_finetune.models.building import build
from tf_finetune.models.rounding import logit_rounding
from tf_finetune.models.weights import Pretrained
from tf_finetune.sources.records import Record
from tf_finetune.tasks.choices import Choices

LABELS = Choices(("0", "1", "2"))
FINE = Precision(steps=64, most_steps=1024, tolerance=0.001)
RECORD = Record(
    1, "The film was Unwatchable", "the plot", None, choices=("was bad", "Is good!", "never")
)
LENGTH = 60


def test_the_others_count_as_their_mean():
    assert contrast_weights(1, 3).tolist() == [-0.5, 1.0, -0.5]
    with pytest.raises(ValueError, match="1 texts; one of two or more is chosen"):
        contrast_weights(0, 1)


def test_contributions_are_those_of_the_weighted_sum():
    one = Contributions(np.array([1.0, 2.0]), 5.0, 2.0, 8, 0.1)
    other = Contributions(np.array([4.0]), 7.0, 3.0, 16, 0.2)

    found = contrasted([one, other], np.array([1.0, -1.0]))

    assert found.by_token.tolist() == [1.0, 2.0, -4.0]
    assert (found.output, found.baseline, found.steps) == (-2.0, -1.0, 16)
    assert found.rounding == pytest.approx(0.3)
    assert found.gap == pytest.approx(0.0)


def test_texts_are_read_as_in_the_row_of_their_example(tiny_tokenizer):
    long = Record(2, "the film was " * 9, "the plot", None, choices=("bad", "good " * 20, "never"))
    for record in (RECORD, long):
        backend = whole_texts(tiny_tokenizer.backend_tokenizer)
        (row,) = LABELS.rows([record], backend, LENGTH)
        texts = LABELS.read_texts(record, LENGTH)

        tokens = [
            place_tokens(tiny_tokenizer, one.text, one.text_pair, one.max_length) for one in texts
        ]

        assert [t for one in tokens for t in one.token_ids.tolist()] == list(row.ids)
        assert [t for one in tokens for t in one.token_type_ids.tolist()] == list(row.types)
        assert np.cumsum([0, *[len(one.token_ids) for one in tokens]])[:-1].tolist() == row.reads


def test_words_that_all_texts_share_are_told_once_and_others_where_they_were_written(
    tiny_tokenizer,
):
    texts = LABELS.read_texts(RECORD, LENGTH)
    tokens = [
        place_tokens(tiny_tokenizer, one.text, one.text_pair, one.max_length) for one in texts
    ]
    count = sum(len(one.token_ids) for one in tokens)

    found = contrasted_words(texts, tokens, np.ones(count))

    assert [(w.text, w.attribution) for w in found.shared] == [
        *(("The", 3), ("film", 3), ("was", 3), ("Unwatchable", 9))
    ]
    assert [p.attribution for p in found.shared[-1].pieces] == [3, 3, 3]
    assert [(w.text, w.attribution) for w in found.shared_pair] == [("the", 3), ("plot", 3)]
    assert [[w.text for w in own] for own in found.own] == [
        *(["was", "bad"], ["Is", "good", "!"], ["never"])
    ]
    for choice, words in zip(RECORD.choices, found.own, strict=True):
        assert [choice[w.start : w.end] for w in words] == [w.text for w in words]


def test_a_word_that_is_cut_in_some_texts_is_added_up_piece_by_piece(tiny_tokenizer):
    whole, cut = "good unwatchable", "good unwatch"
    (text, _) = LABELS.read_texts(Record(1, whole, None, None, choices=("bad", "fine")), 60)
    tokens = [place_tokens(tiny_tokenizer, one, "bad", 60) for one in (cut, whole)]
    count = sum(len(one.token_ids) for one in tokens)

    found = contrasted_words([text, text], tokens, np.ones(count))

    word = found.shared[-1]
    assert (word.text, word.attribution) == ("unwatchable", 5)
    assert [(p.token, p.attribution) for p in word.pieces] == [
        *(("un", 2), ("##watch", 2), ("##able", 1))
    ]


@pytest.mark.numeric
def test_contributions_add_up_to_the_lead_of_the_choice(tiny_encoder, tiny_tokenizer, spec_for):
    files = EncoderFiles("tiny", tiny_encoder).read_by(LABELS.pooling)
    model = build(spec_for(files, LABELS, freeze={"depth": 2}), Pretrained())
    head = next(v for v in model.variables if v.shape.as_list() == [32, 1])
    head.assign(np.random.default_rng(3).normal(size=head.shape).astype(np.float32))

    found = Explainer(model, tiny_tokenizer, LABELS, LENGTH).explain(RECORD, 1, FINE)

    logits = []
    for choice in RECORD.choices:
        tokens = tiny_tokenizer(
            [RECORD.text], [f"{RECORD.text_pair} {choice}"], return_tensors="np"
        )
        names = ("input_ids", "token_type_ids", "attention_mask")
        rows = text_rows(*(tokens[name].astype(np.int32) for name in names))
        logits.append(float(model(rows, training=False).numpy()[0, 0]))
    rounding = 2 * float(logit_rounding(model, 20)[0])
    lead = logits[1] - (logits[0] + logits[2]) / 2
    assert found.output == pytest.approx(lead, abs=rounding)
    magnitudes = sum(abs(word.attribution) for word in found.all_words())
    assert abs(found.total) > rounding
    assert found.total == pytest.approx(
        found.output - found.baseline, abs=0.002 * magnitudes + rounding
    )
    assert found.converged and found.label == "1"
    assert [len(words) for words in found.choice_words] == [2, 3, 1]
