"""The entities of tagged texts that were missed, invented, taken for others or cut otherwise."""

import numpy as np

from tf_finetune.sources.records import Record
from tf_finetune.tasks.tags.border_errors import Finding, compare_entities
from tf_finetune.tasks.tags.entities import Entity, find_entities
from tf_finetune.tasks.tags.tag_set import TagSet
from tf_finetune.tasks.tags.word_layout import WordTargets
from tf_finetune.tasks.wrong_answers import Part, RecordsOf, WrongAnswer, WrongPart


def wrong_entities(
    words: WordTargets,
    given: np.ndarray,
    chances: np.ndarray,
    tags: TagSet,
    records_of: RecordsOf,
    most: int,
) -> list[WrongAnswer]:
    """The texts with the surest wrong entities, worst first.

    Args:
        words: The right tags of the words of n rows, m words in all.
        given: The tag that each word was given, int [m].
        chances: What the model gave that tag, float [m].
        tags: What the numbers of the tags mean.
        records_of: Gives the texts of rows.
        most: Texts at most.
    """
    gold, offsets = words.words, words.offsets
    different = np.add.reduceat(np.append(gold != given, False), offsets[:-1])
    true, found = (find_entities(of, offsets, tags, "lenient") for of in (gold, given))
    by_severity: list[tuple[float, int, list[tuple[Finding, float]]]] = []
    for example in np.flatnonzero(different).tolist():
        own = chances[offsets[example] : offsets[example + 1]]
        wrong = [
            (finding, _chance(finding, own))
            for finding in compare_entities(true.of_document(example), found.of_document(example))
            if finding.verdict != "right"
        ]
        if wrong:
            by_severity.append((-max(chance for _, chance in wrong), example, wrong))
    worst = sorted(by_severity, key=lambda one: one[:2])[:most]
    if not worst:
        return []
    first_rows = np.flatnonzero(~words.goes_on)[[example for _, example, _ in worst]]
    return [
        _answer(int(row), record, wrong, tags)
        for row, record, (_, _, wrong) in zip(
            first_rows, records_of(first_rows), worst, strict=True
        )
    ]


def _chance(finding: Finding, chances: np.ndarray) -> float:
    """The mean probability of the wrong answer's words."""
    entity = finding.given or finding.gold
    assert entity is not None
    return float(chances[entity.start : entity.end].mean())


def _answer(
    row: int, record: Record, wrong: list[tuple[Finding, float]], tags: TagSet
) -> WrongAnswer:
    parts = []
    for finding, chance in wrong:
        assert finding.verdict != "right"
        gold, given = (_part(record, entity, tags) for entity in finding[:2])
        parts.append(WrongPart(finding.verdict, gold, given, chance))
    return WrongAnswer(
        row=row,
        record=record,
        label=[part.gold.words for part in parts if part.gold],
        predicted=[part.given.words for part in parts if part.given],
        probability=max(part.probability for part in parts),
        parts=tuple(parts),
    )


def _part(record: Record, entity: Entity | None, tags: TagSet) -> Part | None:
    if entity is None:
        return None
    start, end = record.spans[entity.start][0], record.spans[entity.end - 1][1]
    return Part(start, end, tags.kinds[entity.kind], record.text[start:end])
