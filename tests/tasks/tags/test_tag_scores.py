"""Scores of tagged words are those of seqeval, for whole sets of documents and for resamples."""

import numpy as np
import pytest
from seqeval.metrics import accuracy_score, classification_report
from seqeval.scheme import IOB2

from tf_finetune.tasks.metrics import METRICS
from tf_finetune.tasks.tags.tag_scores import TAG_METRICS, TagScored
from tf_finetune.tasks.tags.tag_set import TagSet

TAGS = TagSet.of_kinds(("LOC", "ORG", "PER"))
near = pytest.approx


def scored(gold, given, losses=None):
    """Documents of tags, written with spaces between them."""
    words = [
        np.array([TAGS.names.index(tag) for one in documents for tag in one.split()], np.int32)
        for documents in (gold, given)
    ]
    offsets = np.concatenate([[0], np.cumsum([len(one.split()) for one in gold])])
    losses = np.zeros(len(words[0])) if losses is None else np.array(losses)
    return TagScored(words[0], words[1], offsets.astype(np.int64), TAGS, losses)


GOLD = ["B-PER I-PER O B-LOC", "O B-LOC", "B-ORG O O"]
GIVEN = ["B-PER I-PER O B-PER", "O I-LOC", "B-ORG I-ORG O"]
LOSSES = [0.0, 0.0, 0.0, 4.0, 1.0, 1.0, 0.0, 3.0, 0.0]


def test_scores_are_those_worked_out_by_hand():
    # Gold 4. Strict: PER right; PER and ORG given in vain. Lenient: the second LOC is right too.
    found = scored(GOLD, GIVEN, LOSSES).values()

    assert found == pytest.approx(
        {
            "strict_f1": 2 * 1 / (4 + 3),
            "strict_precision": 1 / 3,
            "strict_recall": 1 / 4,
            "macro_f1": (0 + 0 + 2 / 3) / 3,
            "lenient_f1": 2 * 2 / (4 + 4),
            "word_accuracy": 6 / 9,
            "loss": 9 / 9,
        }
    )
    assert tuple(found) == TAG_METRICS
    assert set(found) <= set(METRICS)


def test_counts_are_given_of_each_kind_and_by_both_rules():
    examples = scored(GOLD, GIVEN)
    strict, lenient = (examples.counts(np.ones((1, 3)), rule) for rule in ("strict", "lenient"))

    assert examples.kinds == ("LOC", "ORG", "PER")
    assert strict.true.tolist() == lenient.true.tolist() == [[2, 1, 1]]
    assert (strict.hits.tolist(), strict.given.tolist()) == ([[0, 0, 1]], [[0, 1, 2]])
    assert (lenient.hits.tolist(), lenient.given.tolist()) == ([[1, 0, 1]], [[1, 1, 2]])
    assert lenient.recall.tolist() == [[0.5, 0.0, 1.0]]


def test_a_document_without_words_changes_nothing():
    with_empty = scored([*GOLD[:2], "", GOLD[2]], [*GIVEN[:2], "", GIVEN[2]], LOSSES)

    assert with_empty.num_examples == 4
    assert with_empty.values() == scored(GOLD, GIVEN, LOSSES).values()
    assert set(scored([""], [""]).values().values()) == {0.0}


def test_where_no_entity_is_and_none_is_found_f1_is_zero():
    found = scored(["O O"], ["O O"]).values()

    assert (found["strict_f1"], found["macro_f1"], found["word_accuracy"]) == (0.0, 0.0, 1.0)


def test_weights_that_are_whole_numbers_are_copies_of_documents():
    weights = np.array([[1, 1, 1], [2, 0, 1], [0, 3, 1]], np.float64)
    found = scored(GOLD, GIVEN, LOSSES).scores(weights)

    losses = [LOSSES[:4], LOSSES[4:6], LOSSES[6:]]
    for draw, counts in enumerate(weights.astype(int)):
        copies = [number for number, count in enumerate(counts) for _ in range(count)]
        expected = scored(
            [GOLD[number] for number in copies],
            [GIVEN[number] for number in copies],
            [loss for number in copies for loss in losses[number]],
        ).values()
        assert {name: values[draw] for name, values in found.items()} == pytest.approx(expected)


def random_tags(rng, lengths, right=None):
    tags = rng.integers(len(TAGS.names), size=lengths.sum())
    if right is not None:
        tags = np.where(rng.random(len(tags)) < 0.7, right, tags)
    return tags.astype(np.int32)


@pytest.mark.parametrize("rule", ["strict", "lenient"])
def test_ten_thousand_random_documents_score_as_seqeval_says(rule):
    rng = np.random.default_rng(7)
    lengths = rng.integers(0, 9, size=10_000)
    gold = random_tags(rng, lengths)
    given = random_tags(rng, lengths, gold)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    examples = TagScored(gold, given, offsets, TAGS, np.zeros(len(gold)))

    names = np.array(TAGS.names)
    true, answered = (
        [one.tolist() for one in np.split(names[tags], offsets[1:-1])] for tags in (gold, given)
    )
    options = {"mode": "strict", "scheme": IOB2} if rule == "strict" else {}
    report = classification_report(true, answered, output_dict=True, **options)

    found = examples.values()
    if rule == "strict":
        assert found["strict_f1"] == near(report["micro avg"]["f1-score"])
        assert found["strict_precision"] == near(report["micro avg"]["precision"])
        assert found["strict_recall"] == near(report["micro avg"]["recall"])
        assert found["macro_f1"] == near(report["macro avg"]["f1-score"])
        assert found["word_accuracy"] == near(accuracy_score(true, answered))
    else:
        assert found["lenient_f1"] == near(report["micro avg"]["f1-score"])
    counts = examples.counts(np.ones((1, 10_000)), rule)
    for place, kind in enumerate(TAGS.kinds):
        assert counts.precision[0, place] == near(report[kind]["precision"])
        assert counts.recall[0, place] == near(report[kind]["recall"])
        assert counts.f1[0, place] == near(report[kind]["f1-score"])
        assert counts.true[0, place] == report[kind]["support"]
