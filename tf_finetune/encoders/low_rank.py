"""A matrix with the product of two small ones added: LoRA, and DoRA with lengths of its own."""

import numpy as np


def merged_low_rank(
    kernel: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    scale: float,
    lengths: np.ndarray | None = None,
) -> np.ndarray:
    """W + s A B, of DoRA with the lengths of its columns, [width, units] float32.

    Args:
        kernel: W, [width, units].
        a: [width, rank].
        b: [rank, units].
        scale: s.
        lengths: Of the columns, [units]; None: as they turn out.
    """
    whole = kernel + scale * (a.astype(np.float64) @ b.astype(np.float64))
    if lengths is not None:
        whole *= lengths / np.linalg.norm(whole, axis=0)
    return whole.astype(np.float32)
