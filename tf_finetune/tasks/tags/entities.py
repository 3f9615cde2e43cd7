"""Entities of tagged words, by the two rules that are in use.

The rules differ where an `I-` tag continues nothing: it stands after `O`, after another kind, or
first in its document.

- lenient: it begins an entity. It is the rule of conlleval (the scorer of CoNLL-2000 and later
  years, E. F. Tjong Kim Sang) and of seqeval where no mode is given.
- strict: it is part of none, and neither are the words that continue it. It is IOB2 taken at its
  word, and seqeval's mode `strict` with the scheme `IOB2`.

So an entity of the strict rule is one of the lenient rule that begins with a `B-` tag.
"""

from typing import Literal, NamedTuple

import numpy as np

from tf_finetune.tasks.tags.tag_set import TagSet

Rule = Literal["strict", "lenient"]


class Entity(NamedTuple):
    """An entity of one document.

    Attributes:
        start: Its first word.
        end: The word after its last one.
        kind: Number of its kind.
    """

    start: int
    end: int
    kind: int


class Entities(NamedTuple):
    """Entities of many documents, in the order of the text, int64 [e] each.

    Attributes:
        document: The document that holds it.
        start: Its first word, counted from the beginning of the document.
        end: The word after its last one.
        kind: Its kind, a place in `TagSet.kinds`.
    """

    document: np.ndarray
    start: np.ndarray
    end: np.ndarray
    kind: np.ndarray

    def of_document(self, document: int) -> list[Entity]:
        """The entities of one document."""
        first, last = np.searchsorted(self.document, (document, document + 1))
        columns = (column[first:last].tolist() for column in self[1:])
        return [Entity(*row) for row in zip(*columns, strict=True)]


def find_entities(
    words: np.ndarray, offsets: np.ndarray, tags: TagSet, rule: Rule = "strict"
) -> Entities:
    """The entities that tags mark.

    Args:
        words: Tag of each word of all documents, one document after the other, int [m].
        offsets: First word of each document, and m, int [d + 1]; a document may have no words.
        tags: What the numbers of the tags mean.
        rule: What becomes of an `I-` tag that continues nothing.
    """
    kinds, begins = tags.kind_of[words], tags.begins[words]
    before = np.concatenate([np.full(min(1, len(words)), -1, kinds.dtype), kinds[:-1]])
    before[offsets[:-1][np.diff(offsets) > 0]] = -1  # nothing goes on from the document before
    inside = kinds >= 0
    starting = inside & (begins | (before != kinds))
    start = np.flatnonzero(starting)
    # An entity ends at the next one or at the next word outside, and the first word of the next
    # document is one of the two.
    borders = np.flatnonzero(np.append(starting | ~inside, True))
    end = borders[np.searchsorted(borders, start, side="right")]
    if rule == "strict":
        kept = begins[start]
        start, end = start[kept], end[kept]
    document = np.searchsorted(offsets, start, side="right") - 1
    first = offsets[document]
    return Entities(document, start - first, end - first, kinds[start].astype(np.int64))
