"""Scores of relations between two marked entities: the official one of SemEval-2010 task 8."""

import re
from collections.abc import Sequence

import numpy as np

from tf_finetune.tasks.class_scores import Counts, OneClassScored
from tf_finetune.tasks.scored import ratio

RELATION_METRICS = ("relation_f1", "accuracy", "macro_f1", "micro_f1", "mcc", "loss")
# What data call it when two entities have no relation, or none of those that are asked for: of
# several such names in one set of data, the first here.
_NEGATIVE = ("norelation", "na", "none", "other")
_NO_LETTER = re.compile(r"[\W_]+")
_DIRECTED = re.compile(r"(?P<relation>.*\S)\s*\((?:e1\s*,\s*e2|e2\s*,\s*e1)\)", re.DOTALL)


class RelationScored(OneClassScored):
    """Answers that are one relation each, most of which have a direction.

    `relation_f1` is the official score of SemEval-2010 task 8 (I. Hendrickx et al., 2010): the
    mean over the relations that occur among the targets of F1, in percent there. Both directions
    of a relation are one relation, and only an answer with the right direction is right: with
    the wrong one it is a false positive and a false negative of that relation. What says that
    there is no relation is none, but whoever is taken for one is a false positive.
    """

    def __init__(
        self, targets: np.ndarray, answers: np.ndarray, names: Sequence[str], losses: np.ndarray
    ) -> None:
        """Keeps the answers.

        Args:
            targets: Class of each example, int [n].
            answers: Class it was given, int [n].
            names: The classes, such as `Cause-Effect(e1,e2)`.
            losses: Loss of each example, float64 [n].
        """
        super().__init__(targets, answers, len(names), losses)
        of_class = relations_of(names)
        self._members = (of_class[:, None] == np.arange(of_class.max() + 1)).astype(np.float64)

    def _scores(self, weights: np.ndarray, counts: Counts) -> dict[str, np.ndarray]:
        by_relation = Counts(*(counted @ self._members for counted in counts))
        occurs = by_relation.true > 0
        found = super()._scores(weights, counts)
        # One that does not occur adds nothing, as nothing is right of it.
        found["relation_f1"] = ratio(by_relation.f1.sum(axis=1), occurs.sum(axis=1))
        return {name: found[name] for name in RELATION_METRICS}


def relations_of(names: Sequence[str]) -> np.ndarray:
    """The relation of each of C classes, int64 [C]: the same for both directions, -1 for none."""
    negative = negative_class(names)
    places: dict[str, int] = {}
    found = []
    for name in names:
        directed = _DIRECTED.fullmatch(name.strip())
        relation = directed["relation"] if directed else name
        found.append(-1 if name == negative else places.setdefault(relation, len(places)))
    return np.array(found, np.int64)


def negative_class(names: Sequence[str]) -> str | None:
    """The class that says that there is no relation, by its name; None where there is none."""
    by_look = {_NO_LETTER.sub("", name).casefold(): name for name in reversed(names)}
    return next((by_look[look] for look in _NEGATIVE if look in by_look), None)
