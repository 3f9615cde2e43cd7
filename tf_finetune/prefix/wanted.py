"""Which states are wanted of a model and some splits, and by which keys they are found."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from tf_finetune.data.splits import Split
from tf_finetune.models.classifier import Classifier
from tf_finetune.prefix.decision import choose_dtype
from tf_finetune.prefix.layout import Layout, prefix_digests
from tf_finetune.prefix.state_file import StateFile


@dataclass(frozen=True)
class WantedStates:
    """The states of one split at one depth.

    Attributes:
        layout: Where they stand.
        digests: Hashes of the prefixes of depth 1 to the layout's; see `prefix_digests`.
        exact: Whether they are stored as they are computed.
    """

    layout: Layout
    digests: tuple[str, ...]
    exact: bool

    @property
    def key(self) -> str:
        """Hash of all that decides them, hex."""
        return self.layout.key(self.digests[-1])

    def file(self, root: Path) -> StateFile:
        """Their file below the folder of all states."""
        return StateFile(root, self.layout, self.digests[-1])

    def shallower(self) -> Iterator["WantedStates"]:
        """The same split at smaller depths, from which these may be computed, the deepest first.

        None of those that are rounded: it would add up, and what is stored would depend on what
        was stored before.
        """
        for depth in range(self.layout.depth - 1, 0, -1) if self.exact else ():
            layout = replace(self.layout, depth=depth, reads_only=False)
            yield WantedStates(layout, self.digests[:depth], self.exact)


def wanted_states(
    classifier: Classifier,
    splits: Mapping[str, Split],
    dtype: Literal["auto", "float32", "float16", "bfloat16"],
    budget: int,
) -> dict[str, WantedStates]:
    """States of some splits at a classifier's frozen boundary.

    Args:
        classifier: At least one of its layers is frozen.
        splits: The splits by name.
        dtype: `cache.dtype`.
        budget: Bytes that they may take in the roomiest place that counts.
    """
    depth = classifier.plan.frozen_depth
    hidden = classifier.files.sizes.hidden
    computed = np.dtype(classifier.states_dtype.as_numpy_dtype)
    layouts = {
        name: Layout(split, depth, hidden, computed, depth == classifier.num_layers)
        for name, split in splits.items()
    }
    values = sum(layout.tokens for layout in layouts.values()) * hidden
    stored = choose_dtype(dtype, computed, values, budget)
    digests = prefix_digests(classifier)
    return {
        name: WantedStates(replace(layout, dtype=stored), digests, stored == computed)
        for name, layout in layouts.items()
    }
