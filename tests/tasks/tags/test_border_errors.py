"""Every entity of a document, there or found, is in one finding."""

import numpy as np

from tf_finetune.tasks.tags.border_errors import Finding, compare_entities
from tf_finetune.tasks.tags.entities import Entity, find_entities
from tf_finetune.tasks.tags.tag_set import TagSet

LOC, PER = 0, 1


def test_each_mistake_has_its_name_in_the_order_of_the_text():
    right, missed, longer = Entity(0, 2, PER), Entity(3, 4, LOC), Entity(5, 7, LOC)
    other_kind, both = Entity(9, 11, PER), Entity(12, 13, PER)

    findings = compare_entities(
        [right, missed, longer, other_kind, both],
        [right, Entity(5, 8, LOC), Entity(9, 11, LOC), Entity(11, 13, LOC), Entity(14, 15, PER)],
    )

    assert findings == [
        Finding(right, right, "right"),
        Finding(missed, None, "missed"),
        Finding(longer, Entity(5, 8, LOC), "wrong_border"),
        Finding(other_kind, Entity(9, 11, LOC), "wrong_kind"),
        Finding(both, Entity(11, 13, LOC), "wrong_kind"),
        Finding(None, Entity(14, 15, PER), "invented"),
    ]


def test_of_several_that_overlap_the_one_of_the_same_kind_is_the_pair():
    gold = Entity(0, 4, PER)

    assert compare_entities([gold], [Entity(0, 2, LOC), Entity(2, 4, PER)]) == [
        Finding(None, Entity(0, 2, LOC), "invented"),
        Finding(gold, Entity(2, 4, PER), "wrong_border"),
    ]


def test_of_several_of_the_same_kind_the_one_with_most_words_is_the_pair():
    given = Entity(0, 6, PER)

    assert compare_entities([Entity(0, 1, PER), Entity(1, 5, PER)], [given]) == [
        Finding(Entity(0, 1, PER), None, "missed"),
        Finding(Entity(1, 5, PER), given, "wrong_border"),
    ]


def test_neighbours_share_no_words():
    assert compare_entities([Entity(0, 2, PER)], [Entity(2, 3, PER)]) == [
        Finding(Entity(0, 2, PER), None, "missed"),
        Finding(None, Entity(2, 3, PER), "invented"),
    ]
    assert compare_entities([Entity(2, 3, PER)], [Entity(0, 2, PER)]) == [
        Finding(None, Entity(0, 2, PER), "invented"),
        Finding(Entity(2, 3, PER), None, "missed"),
    ]


def test_an_empty_document_has_no_findings():
    assert compare_entities([], []) == []


def test_in_random_documents_every_entity_is_found_once_and_right_ones_are_the_equal_ones():
    rng = np.random.default_rng(3)
    tags = TagSet.of_kinds(("LOC", "PER"))
    for _ in range(300):
        size = int(rng.integers(1, 15))
        gold, given = (
            find_entities(
                rng.integers(len(tags.names), size=size), np.array([0, size]), tags, "lenient"
            ).of_document(0)
            for _ in range(2)
        )
        findings = compare_entities(gold, given)
        assert sorted(one.gold for one in findings if one.gold) == gold
        assert sorted(one.given for one in findings if one.given) == given
        right = {one.gold for one in findings if one.verdict == "right"}
        assert right == set(gold) & set(given)
        # What was missed shares words only with what was paired with something else.
        free = [one.given for one in findings if one.verdict == "invented"]
        for missed in (one.gold for one in findings if one.verdict == "missed"):
            assert not any(one.start < missed.end and missed.start < one.end for one in free)
