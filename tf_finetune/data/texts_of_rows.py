"""Where several texts of one example stand in its row, one after the other."""

from typing import NamedTuple

import numpy as np


class TextsOfRows(NamedTuple):
    """Which text each token is of.

    Attributes:
        numbers: Number of each token's text in its row, from 1; 0 for padding. int32 [n, t].
        positions: Position of each token in its text, int32 [n, t].
    """

    numbers: np.ndarray
    positions: np.ndarray


def texts_of_rows(starts: np.ndarray, lengths: np.ndarray, width: int) -> TextsOfRows:
    """Numbers the texts of rows.

    Args:
        starts: Where each text begins, int [n, s], ascending from 0.
        lengths: Tokens of each row, int [n].
        width: Tokens of a row with its padding.
    """
    places = np.arange(width, dtype=np.int32)
    numbers = (places[None, :, None] >= starts[:, None, :]).sum(axis=2, dtype=np.int32)
    begins = np.take_along_axis(starts, np.maximum(numbers - 1, 0), axis=1)
    is_token = places < lengths[:, None]
    positions = np.where(is_token, places - begins, 0).astype(np.int32)
    return TextsOfRows(np.where(is_token, numbers, 0), positions)
