"""Scores of tagged words: of the entities that the tags mark, and of the words."""

import numpy as np
from scipy import sparse

from tf_finetune.tasks.class_scores import Counts
from tf_finetune.tasks.scored import Scored, ratio
from tf_finetune.tasks.tags.entities import Entities, Rule, find_entities
from tf_finetune.tasks.tags.tag_set import TagSet

TAG_METRICS = (
    "strict_f1",
    "strict_precision",
    "strict_recall",
    "macro_f1",
    "lenient_f1",
    "word_accuracy",
    "loss",
)


class TagScored(Scored):
    """Tags of the words of d documents, which are the examples.

    An entity is right if one of the same kind has the same first and the same last word. All but
    `lenient_f1` is of the strict rule; `macro_f1` is the mean over the kinds that occur, and the
    other scores of entities are counted over all kinds together. `loss` and `word_accuracy` are
    means over the words, not over the documents.
    """

    def __init__(
        self,
        gold: np.ndarray,
        given: np.ndarray,
        offsets: np.ndarray,
        tags: TagSet,
        losses: np.ndarray,
    ) -> None:
        """Counts the answers of each document.

        Args:
            gold: Right tag of each word of all documents, one after the other, int [m].
            given: Tag it was given, int [m].
            offsets: First word of each document, and m, int [d + 1].
            tags: What the numbers of the tags mean.
            losses: Loss of each word, float [m].
        """
        self.num_examples = len(offsets) - 1
        self.kinds = tags.kinds
        self._words = np.diff(offsets).astype(np.float64)
        self._right = _sums(gold == given, offsets)
        self._losses = _sums(losses, offsets)
        rules: tuple[Rule, ...] = ("strict", "lenient")
        self._entities = {rule: _counted(gold, given, offsets, tags, rule) for rule in rules}

    def counts(self, weights: np.ndarray, rule: Rule = "strict") -> Counts:
        """Counts the entities of each of `kinds` in documents weighted [draws, d].

        Precision, recall and F1 of each kind are properties of the result.
        """
        return Counts(*(weights @ counted for counted in self._entities[rule]))

    def scores(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        """See `Scored.scores`."""
        strict = self.counts(weights)
        hits, true, given = (counted.sum(axis=1) for counted in strict)
        loose = [counted.sum(axis=1) for counted in self.counts(weights, "lenient")]
        words = weights @ self._words
        found = {
            "strict_f1": ratio(2 * hits, true + given),
            "strict_precision": ratio(hits, given),
            "strict_recall": ratio(hits, true),
            "macro_f1": ratio(strict.f1.sum(axis=1), (strict.true + strict.given > 0).sum(axis=1)),
            "lenient_f1": ratio(2 * loose[0], loose[1] + loose[2]),
            "word_accuracy": ratio(weights @ self._right, words),
            "loss": ratio(weights @ self._losses, words),
        }
        return {name: found[name] for name in TAG_METRICS}

    @property
    def shares(self) -> frozenset[str]:
        """None: a document has many words and entities; see `Scored.shares`."""
        return frozenset()


def _sums(values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Sums of [m] values over the words of each document, float64 [d]."""
    running = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    return running[offsets[1:]] - running[offsets[:-1]]


def _counted(
    gold: np.ndarray, given: np.ndarray, offsets: np.ndarray, tags: TagSet, rule: Rule
) -> tuple[sparse.csr_array, ...]:
    """Right, gold and given entities by document and kind, [d, K] each."""
    true, answered = (find_entities(words, offsets, tags, rule) for words in (gold, given))
    shape = len(offsets) - 1, len(tags.kinds)
    hits = Entities(*(column[found_in(true, answered, offsets)] for column in true))
    return tuple(
        # Entries at the same place are added up.
        sparse.csr_array((np.ones(len(of.kind)), (of.document, of.kind)), shape=shape)
        for of in (hits, true, answered)
    )


def found_in(entities: Entities, others: Entities, offsets: np.ndarray) -> np.ndarray:
    """Which entities [e] are also among others of the same documents, bool [e]."""
    # At a word begins one entity at most.
    end, kind = np.full((2, int(offsets[-1])), -1, np.int64)
    there = offsets[others.document] + others.start
    end[there], kind[there] = others.end, others.kind
    here = offsets[entities.document] + entities.start
    same: np.ndarray = (end[here] == entities.end) & (kind[here] == entities.kind)
    return same
