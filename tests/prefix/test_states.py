"""States stand one text after the other, and come out padded."""

import numpy as np
import pytest

from tf_finetune.data.states import PrefixStates


@pytest.fixture
def states():
    """Three texts of 2, 1 and 3 tokens, stored as the third, the first, the second."""
    values = np.arange(12, dtype=np.float32).reshape(6, 2)
    return PrefixStates(values, np.array([3, 5, 0]), np.array([2, 1, 3]), depth=1)


def test_gathered_states_are_padded_with_zeros(states):
    found = states.gather(np.array([1, 2]), pad_to=4)

    assert found.dtype == np.float32
    assert found.tolist() == [
        [[10, 11], [0, 0], [0, 0], [0, 0]],
        [[0, 1], [2, 3], [4, 5], [0, 0]],
    ]


def test_selected_examples_are_counted_anew(states):
    part = states.select(np.array([2, 0]))

    assert part.gather(np.array([1]), pad_to=2).tolist() == [[[6, 7], [8, 9]]]
    assert (part.depth, part.lengths.tolist()) == (1, [3, 2])


def test_states_of_reads_stand_one_after_the_other():
    states = PrefixStates(np.zeros((6, 2)), np.array([4, 2, 0]), np.array([2, 2, 2]), 3, True)

    assert states.places_of_reads(np.array([2, 0]), 2).tolist() == [[0, 1], [0, 1]]
    assert states.select(np.array([1])).reads_only


def test_states_of_a_part_are_numbered_as_in_the_whole():
    own, values = np.array([False, True, True]), np.zeros((4, 2))
    of_tokens = PrefixStates(values, np.array([1, 0]), np.array([3, 1]), depth=1)
    of_reads = PrefixStates(values, np.array([1, 0]), np.array([1, 1]), 3, reads_only=True)

    assert of_tokens.among(own, np.array([5, 3, 1]), np.array([1, 1, 1])).lengths.tolist() == [
        5,
        3,
        1,
    ]
    assert of_reads.among(own, np.array([5, 3, 1]), np.array([1, 1, 1])).lengths.tolist() == [
        1,
        1,
        1,
    ]
    assert of_reads.among(own, np.array([5, 3, 1]), np.array([1, 1, 1])).starts.tolist() == [
        -1,
        1,
        0,
    ]


def test_mapped_file_takes_no_memory_of_its_own(states, tmp_path):
    (tmp_path / "states.bin").write_bytes(states.values.tobytes())
    mapped = np.memmap(tmp_path / "states.bin", np.float32, "r", shape=(6, 2))

    assert states.own_bytes == 48
    assert PrefixStates(mapped, states.starts, states.lengths, 1).own_bytes == 0
