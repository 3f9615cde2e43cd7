"""Labels beside marks."""

import pytest

from tf_finetune.reports import figures
from tf_finetune.reports.page.label_placing import Label, place_labels

CROWD = [(0.5 + 0.01 * (i % 5), 0.5 + 0.01 * (i // 5)) for i in range(25)]


@pytest.fixture
def room():
    figure, axes = figures.blank_figure(3.0, 3.0)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    return figure, axes


def test_labels_with_room_stand_to_the_right_of_their_marks(room):
    marks = [(0.2, 0.2), (0.2, 0.8)]
    left_out = place_labels(*room, [Label(f"mark {i}", at) for i, at in enumerate(marks)], marks)

    assert left_out == []
    for text, at in zip(room[1].texts, marks, strict=True):
        box = text.get_window_extent().transformed(room[1].transData.inverted())
        assert box.x0 > at[0] and box.y0 < at[1] < box.y1


def test_in_a_crowd_no_label_covers_another_and_those_without_room_are_told(room):
    labels = [Label(f"mark {i}", at) for i, at in enumerate(CROWD)]
    left_out = place_labels(*room, labels, CROWD)

    boxes = [text.get_window_extent() for text in room[1].texts]
    assert not [1 for i, box in enumerate(boxes) for other in boxes[:i] if box.overlaps(other)]
    assert {text.get_text() for text in room[1].texts} == {x.text for x in labels} - set(left_out)
    assert 0 < len(left_out) < len(labels)


def test_what_is_needed_is_written_even_there(room):
    labels = [Label(f"mark {i}", at, is_needed=i == 12) for i, at in enumerate(CROWD)]

    assert "mark 12" not in place_labels(*room, labels, CROWD)


def test_a_label_at_the_edge_stays_inside(room):
    place_labels(*room, [Label("a longer name", (0.98, 0.02))], [(0.98, 0.02)])

    (text,) = room[1].texts
    inside, box = room[1].get_window_extent(), text.get_window_extent()
    assert inside.x0 <= box.x0 and box.x1 <= inside.x1 and inside.y0 <= box.y0
