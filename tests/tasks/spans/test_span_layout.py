"""A line of targets holds all that is known of a row."""

import numpy as np

from tf_finetune.tasks.spans.span_layout import (
    SpanTargets,
    joined_lines,
    span_line,
    span_targets,
)


def line(text="Ünïcode 北京 ok", answers=("北京", "ok"), *, goes_on=False, first=0):
    spans = np.array([(0, 7), (8, 9), (9, 10), (11, 13)])
    return span_line((2, 3, first), spans, text, answers, goes_on=goes_on)


def test_a_line_gives_back_what_it_was_made_of():
    targets = SpanTargets(span_targets([line(), line("a b c d e f g h", (), first=7)]))
    assert targets.text(0) == "Ünïcode 北京 ok"
    assert targets.answers(0) == ("北京", "ok")
    assert targets.answers(1) == ()
    assert targets.said(0, 1, 3) == "北京"
    assert targets.said(0, 0, 4) == "Ünïcode 北京 ok"
    assert targets.start.tolist() == [2, 2]
    assert targets.end.tolist() == [3, 3]
    assert targets.reads.tolist() == [5, 5]
    assert targets.first.tolist() == [0, 7]
    assert targets.has_answer.tolist() == [True, False]


def test_rows_keep_their_examples_when_they_are_selected_joined_and_written(tmp_path):
    short = span_targets([line(), line(goes_on=True), line("x y", ("x",))])
    wide = span_targets([line("a long text " * 20, goes_on=True)])
    both = joined_lines(short[[0, 1]], wide, short[[2]])
    np.savez(tmp_path / "kept.npz", targets=both)
    with np.load(tmp_path / "kept.npz") as kept:
        targets = SpanTargets(kept["targets"])
    # What goes on with nothing begins an example.
    assert targets.examples.tolist() == [0, 0, 1, 2]
    assert targets.num_examples == 3
    assert targets.text(2) == "a long text " * 20
    assert targets.answers(3) == ("x",)
    assert SpanTargets(both[[1, 3]]).examples.tolist() == [0, 1]
    assert len(joined_lines(short, np.zeros((0, 900), np.int32))[0]) == 900
