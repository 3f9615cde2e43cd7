"""The highest scores of a stream, a bounded number of texts in memory."""

import hashlib
import heapq
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tf_finetune.runs.outputs import Outputs
from tf_finetune.sources.records import Record

_KEY_BYTES = 16


def text_key(record: Record) -> bytes:
    """Names what is read of an example: equal texts have the same key, 16 bytes."""
    digest = hashlib.blake2b(digest_size=_KEY_BYTES)
    for text in (record.text, record.text_pair or "", *record.choices):
        content = text.encode()
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.digest()


def drawn(record: Record, seed: int) -> float:
    """A number from 0 to 1 that depends on the text and the seed alone.

    Those with the greatest are an even sample of the different texts.
    """
    digest = hashlib.blake2b(text_key(record), digest_size=8, key=seed.to_bytes(8, "big"))
    return int.from_bytes(digest.digest(), "big") / 2**64


@dataclass(frozen=True, eq=False)
class Candidate:
    """A text that may be chosen.

    Attributes:
        place: Its number in the stream, by which equal scores are told apart.
        score: The greater, the sooner it is chosen.
        group: The class that is predicted, where these are balanced; else 0.
        outputs: What the model answers it, of it alone.
    """

    place: int
    score: float
    group: int
    outputs: Outputs

    @property
    def record(self) -> Record:
        """The text."""
        return self.outputs.records[0]


class Pool:
    """The candidates of a stream with the highest scores, each text once.

    Args:
        kept: How many of each group.
    """

    def __init__(self, kept: int):
        self._kept = kept
        self._groups: dict[int, _Highest] = {}
        self._seen = 0

    def offer(self, outputs: Outputs, scores: np.ndarray, groups: np.ndarray) -> None:
        """Takes what is higher than what is there.

        Of two equal texts the later one has the same score, so that it has to be held against
        those that are kept alone.

        Args:
            outputs: Of the next n examples of the stream.
            scores: float [n].
            groups: int [n].
        """
        for one, score, group in zip(outputs.apart(), scores, groups, strict=True):
            highest = self._groups.setdefault(int(group), _Highest(self._kept))
            if highest.takes(float(score)):
                # A part of the outputs of many texts would keep them all.
                alone = replace(one, logits=one.logits.copy())
                highest.add(Candidate(self._seen, float(score), int(group), alone))
            self._seen += 1

    def groups(self) -> dict[int, list[Candidate]]:
        """The candidates of each group, in the order of the groups, highest first."""
        return {group: self._groups[group].ordered() for group in sorted(self._groups)}


class _Highest:
    """The highest of one group."""

    def __init__(self, kept: int):
        self._kept = kept
        self._heap: list[tuple[float, int, Candidate]] = []
        self._keys: set[bytes] = set()

    def takes(self, score: float) -> bool:
        """Whether one that comes next, with this score, would be kept; equal ones are not."""
        return len(self._heap) < self._kept or score > self._heap[0][0]

    def add(self, candidate: Candidate) -> None:
        key = text_key(candidate.record)
        if key in self._keys:
            return
        self._keys.add(key)
        entry = (candidate.score, -candidate.place, candidate)
        if len(self._heap) < self._kept:
            heapq.heappush(self._heap, entry)
        else:
            *_, out = heapq.heapreplace(self._heap, entry)
            self._keys.discard(text_key(out.record))

    def ordered(self) -> list[Candidate]:
        return [one for _, _, one in sorted(self._heap, key=lambda entry: entry[:2], reverse=True)]


def shares_of(there: Sequence[int], count: int) -> list[int]:
    """How many of each group, as equal as they have them, together `count` at most.

    Args:
        there: How many each group has.
        count: How many of all.
    """
    shares = [0] * len(there)
    left = min(count, sum(there))
    while left:
        open_groups = [place for place, most in enumerate(there) if shares[place] < most]
        each = max(1, left // len(open_groups))
        for place in open_groups:
            taken = min(each, there[place] - shares[place], left)
            shares[place] += taken
            left -= taken
    return shares
