"""Entities by conlleval's rule and by that of IOB2, as seqeval finds them too."""

import numpy as np
import pytest
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import IOB2, Entities

from tf_finetune.tasks.tags.entities import Entity, find_entities
from tf_finetune.tasks.tags.tag_set import TagSet

TAGS = TagSet.of_kinds(("LOC", "PER"))
LOC, PER = 0, 1


def split(*documents, tags=TAGS):
    """Documents, written as tags with spaces between them, as words and offsets."""
    words = [tags.names.index(tag) for document in documents for tag in document.split()]
    lengths = [len(document.split()) for document in documents]
    return np.array(words, np.int32), np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def found(*documents, rule, tags=TAGS):
    """The entities of each document."""
    entities = find_entities(*split(*documents, tags=tags), tags, rule)
    return [entities.of_document(number) for number in range(len(documents))]


# What conlleval 2004's startOfChunk and endOfChunk say of these, worked out by hand.
CASES = {
    "O O": ([], []),
    "B-PER I-PER O B-LOC": ([Entity(0, 2, PER), Entity(3, 4, LOC)],) * 2,
    "B-PER B-PER": ([Entity(0, 1, PER), Entity(1, 2, PER)],) * 2,
    "I-PER I-PER": ([Entity(0, 2, PER)], []),
    "O I-LOC O": ([Entity(1, 2, LOC)], []),
    "I-PER B-PER": ([Entity(0, 1, PER), Entity(1, 2, PER)], [Entity(1, 2, PER)]),
    "B-PER I-LOC": ([Entity(0, 1, PER), Entity(1, 2, LOC)], [Entity(0, 1, PER)]),
    "B-PER I-LOC I-PER": (
        [Entity(0, 1, PER), Entity(1, 2, LOC), Entity(2, 3, PER)],
        [Entity(0, 1, PER)],
    ),
    "B-PER O I-PER I-PER": ([Entity(0, 1, PER), Entity(2, 4, PER)], [Entity(0, 1, PER)]),
    "I-PER I-LOC B-LOC I-LOC": (
        [Entity(0, 1, PER), Entity(1, 2, LOC), Entity(2, 4, LOC)],
        [Entity(2, 4, LOC)],
    ),
}


@pytest.mark.parametrize("document", CASES)
def test_both_rules_find_what_is_worked_out_by_hand(document):
    lenient, strict = CASES[document]

    assert found(document, rule="lenient") == [lenient]
    assert found(document, rule="strict") == [strict]


@pytest.mark.parametrize("rule", ["strict", "lenient"])
def test_no_entity_goes_on_in_the_next_document(rule):
    documents = ["O B-PER", "I-PER O", "", "B-LOC", "I-LOC"]

    assert found(*documents, rule=rule) == [found(one, rule=rule)[0] for one in documents]
    assert found("", "B-LOC I-LOC", "", rule=rule) == [[], [Entity(0, 2, LOC)], []]


@pytest.mark.parametrize("rule", ["strict", "lenient"])
def test_documents_without_words_have_no_entities(rule):
    assert found(rule=rule) == []
    assert found("", "", rule=rule) == [[], []]


def test_numbers_of_tags_are_those_of_the_names_whatever_their_order():
    tags = TagSet(("I-LOC", "B-PER", "O", "B-LOC"))

    assert tags.kinds == ("LOC", "PER")
    assert found("B-LOC I-LOC B-PER", rule="strict", tags=tags) == [
        [Entity(0, 2, LOC), Entity(2, 3, PER)]
    ]


@pytest.mark.parametrize("name", ["X-PER", "B-", "B", "PER", "o", ""])
def test_a_name_that_is_no_tag_is_refused(name):
    with pytest.raises(ValueError, match=f"'{name}' is no tag of IOB2"):
        TagSet(("O", name))
    with pytest.raises(ValueError, match="stands twice"):
        TagSet(("O", "O"))


def test_a_kind_may_hold_hyphens():
    assert TagSet(("O", "B-of-a", "I-of-a")).kinds == ("of-a",)


def random_documents(count, tags=TAGS, seed=0):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, 12, size=count)
    names = np.array(tags.names)
    return [" ".join(names[rng.integers(len(names), size=length)]) for length in lengths]


def test_ten_thousand_random_documents_have_the_entities_that_seqeval_finds():
    documents = random_documents(10_000)
    lenient, strict = found(*documents, rule="lenient"), found(*documents, rule="strict")

    for document, loose, close in zip(documents, lenient, strict, strict=True):
        tags = document.split()
        # seqeval gives the last word, not the one after it.
        expected = [(start, end + 1, kind) for kind, start, end in get_entities(tags)]
        assert [(start, end, TAGS.kinds[kind]) for start, end, kind in loose] == expected
        named = [(one.start, one.end, one.tag) for one in Entities([tags], IOB2).entities[0]]
        assert [(start, end, TAGS.kinds[kind]) for start, end, kind in close] == named
