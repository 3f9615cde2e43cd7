"""How many rows a step has on a device."""

from tf_finetune.preflight.step_shapes import StepShape, step_shape


def test_a_text_a_row_unless_packed():
    assert step_shape(64, 8, 4, 31, "max", mean_tokens=5) == StepShape(16, 32)


def test_texts_that_fill_a_row_each_have_one():
    assert step_shape(8, 1, 1, 32, "packed", mean_tokens=32) == StepShape(8, 32, texts_a_row=4)


def test_short_texts_share_rows():
    # 1 to 15 tokens, 96 in all.
    shape = step_shape(12, 1, 1, 32, "packed", mean_tokens=8)

    assert shape.rows == 3
    assert 4 <= shape.texts_a_row <= 12


def test_packed_rows_divide_into_all_pieces():
    # Three rows would do: two devices with two micro-batches each need four.
    assert step_shape(12, 4, 2, 32, "packed", mean_tokens=8).rows == 2
