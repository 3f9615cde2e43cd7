"""Candidates of a stream are chosen by their scores, or so that they stand for the others."""

import numpy as np
import pytest

from tf_finetune.ranking.choosing import choose
from tf_finetune.ranking.pool import Candidate
from tf_finetune.ranking.request import Request
from tf_finetune.runs.outputs import Outputs
from tf_finetune.sources.records import Record


def group(*scores, first=0):
    """Candidates with these scores; where one stands in the stream is its text, too."""
    return [
        Candidate(place, score, 0, Outputs([Record(1, str(place), None, None)], (), np.zeros(1)))
        for place, score in enumerate(scores, first)
    ]


def chosen(groups, count, by="margin", *, weighed=True):
    def vectors_of(candidates):
        """Of those below place 2 one direction, of the others another."""
        return np.eye(2, dtype=np.float32)[[int(one.place < 2) for one in candidates]]

    request = Request(count, by, balanced=len(groups) > 1, seed=0)
    found = choose(dict(enumerate(groups)), request, vectors_of, weighed=weighed)
    return [(one.candidate.place, round(one.score, 6), one.stands_for) for one in found]


def test_groups_share_and_are_merged_by_score():
    groups = [group(0.9, 0.8, 0.7), group(0.85, first=3)]

    assert chosen(groups, 3) == [(0, 0.9, None), (3, 0.85, None), (1, 0.8, None)]


@pytest.mark.parametrize(
    ("weighed", "expected"),
    [
        (True, [(0, 0.9, (2, 5)), (2, 0.1, (3, 5))]),
        (False, [(2, 0.6, (3, 5)), (0, 0.4, (2, 5))]),
    ],
)
def test_coverage_weighs_by_doubt_where_there_is_one(weighed, expected):
    groups = [group(0.9, 0.9, 0.1, 0.05, 0.05)]

    assert chosen(groups, 2, "coverage", weighed=weighed) == expected


def test_a_group_without_a_share_is_not_looked_at():
    groups = [group(0.9, 0.8), group(0.5, first=2)]

    assert [place for place, *_ in chosen(groups, 1, "coverage")] == [0]
