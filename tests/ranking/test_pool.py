"""A stream of any length leaves the highest scores, each text once."""

import numpy as np
import pytest

from tf_finetune.ranking.pool import Pool, drawn, shares_of, text_key
from tf_finetune.runs.outputs import Outputs
from tf_finetune.sources.records import Record


def outputs_of(*texts):
    records = [Record(number, text, None, None) for number, text in enumerate(texts, 1)]
    return Outputs(records, (), np.arange(len(texts), dtype=np.float32)[:, None])


def offered(kept, *chunks):
    """What is left of chunks of (text, score) or (text, score, group)."""
    pool = Pool(kept)
    for chunk in chunks:
        scores = np.array([one[1] for one in chunk])
        groups = np.array([one[2] if len(one) > 2 else 0 for one in chunk])
        pool.offer(outputs_of(*(one[0] for one in chunk)), scores, groups)
    return {
        group: [(one.record.text, one.score) for one in found]
        for group, found in pool.groups().items()
    }


def test_the_highest_of_all_chunks_are_left_and_of_equal_ones_the_first():
    chunks = [[("a", 0.1), ("b", 0.9), ("c", 0.5)], [("d", 0.5), ("e", 0.7), ("f", 0.2)]]

    assert offered(3, *chunks) == {0: [("b", 0.9), ("e", 0.7), ("c", 0.5)]}
    assert offered(9, *chunks)[0][-1] == ("a", 0.1)


def test_a_copy_is_left_out_and_with_the_same_score_does_not_come_back():
    assert offered(2, [("a", 0.5), ("a", 0.5)], [("a", 0.5)]) == {0: [("a", 0.5)]}
    pushed = offered(1, [("a", 0.5), ("b", 0.9), ("a", 0.5)])
    assert pushed == {0: [("b", 0.9)]}
    # What was pushed out is forgotten.
    assert offered(1, [("a", 0.5), ("b", 0.9), ("a", 0.95)]) == {0: [("a", 0.95)]}


def test_each_group_has_its_own():
    found = offered(1, [("a", 0.1, 1), ("b", 0.9, 0), ("c", 0.8, 0), ("d", 0.2, 1)])

    assert found == {0: [("b", 0.9)], 1: [("d", 0.2)]}


def test_what_is_left_keeps_its_own_outputs_and_no_others():
    pool = Pool(1)
    pool.offer(outputs_of("a", "b"), np.array([0.1, 0.2]), np.zeros(2, int))
    ((left,),) = pool.groups().values()

    assert left.outputs.logits.tolist() == [[1.0]]
    assert left.outputs.logits.base is None
    assert left.place == 1


def test_keys_tell_texts_pairs_and_choices_apart():
    records = [
        Record(1, "ab", None, None),
        Record(1, "a", "b", None),
        Record(1, "a", None, None, (), ("b",)),
        Record(1, "a", None, None),
    ]

    assert len({text_key(record) for record in records}) == 4
    assert text_key(records[0]) == text_key(Record(7, "ab", None, "pos"))


def test_draws_depend_on_text_and_seed_and_are_even():
    texts = [Record(1, f"text {number}", None, None) for number in range(400)]
    draws = [drawn(record, 0) for record in texts]

    assert draws == [drawn(record, 0) for record in texts]
    assert draws != [drawn(record, 1) for record in texts]
    assert 0.4 < np.mean(draws) < 0.6
    assert np.histogram(draws, 4, (0, 1))[0].min() > 70


@pytest.mark.parametrize(
    ("there", "count", "shares"),
    [
        ([10, 10], 6, [3, 3]),
        ([10, 1], 6, [5, 1]),
        ([1, 10, 2], 9, [1, 6, 2]),
        ([5, 5, 5], 4, [2, 1, 1]),
        ([2, 2], 9, [2, 2]),
        ([], 3, []),
    ],
)
def test_shares_are_as_equal_as_the_groups_allow(there, count, shares):
    assert shares_of(there, count) == shares
