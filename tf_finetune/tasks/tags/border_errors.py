"""What is wrong with the entities that were found in one document."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from tf_finetune.tasks.tags.entities import Entity

Verdict = Literal["right", "missed", "invented", "wrong_kind", "wrong_border"]


class Finding(NamedTuple):
    """A gold entity and what was found in its place.

    Attributes:
        gold: What is there; None if nothing is.
        given: What was found; None if nothing was.
        verdict: right; missed: nothing was found; invented: nothing is there; wrong_border: of
            the same kind, with other words; wrong_kind: of another kind, perhaps with other
            words too, as the two entities tell.
    """

    gold: Entity | None
    given: Entity | None
    verdict: Verdict


def compare_entities(gold: Sequence[Entity], given: Sequence[Entity]) -> list[Finding]:
    """Pairs gold entities with those that were found.

    Two are a pair if they share words. Every entity is in one finding: pairs are formed from the
    best one on, and the same kind counts before more words in common.

    Args:
        gold: Entities of a document, none of which share words.
        given: Those found in it, of which the same holds.

    Returns:
        Findings in the order of the text.
    """
    left_gold, left_given = dict.fromkeys(gold), dict.fromkeys(given)
    findings = []
    for one, other in sorted(_overlapping(gold, given), key=lambda pair: _badness(*pair)):
        if one in left_gold and other in left_given:
            del left_gold[one], left_given[other]
            findings.append(Finding(one, other, _verdict(one, other)))
    findings += [Finding(one, None, "missed") for one in left_gold]
    findings += [Finding(None, other, "invented") for other in left_given]
    return sorted(findings, key=lambda finding: min(entity for entity in finding[:2] if entity))


def _overlapping(gold: Sequence[Entity], given: Sequence[Entity]) -> list[tuple[Entity, Entity]]:
    """Pairs that share words, found by going through both once."""
    pairs = []
    ordered, first = sorted(given), 0
    for one in sorted(gold):
        while first < len(ordered) and ordered[first].end <= one.start:
            first += 1
        at = first
        while at < len(ordered) and ordered[at].start < one.end:
            pairs.append((one, ordered[at]))
            at += 1
    return pairs


def _badness(one: Entity, other: Entity) -> tuple[bool, int, Entity]:
    shared = min(one.end, other.end) - max(one.start, other.start)
    return one.kind != other.kind, -shared, one


def _verdict(one: Entity, other: Entity) -> Verdict:
    if one.kind != other.kind:
        return "wrong_kind"
    return "right" if one == other else "wrong_border"
