"""One relation between two marked entities of a text."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import special

from tf_finetune.sources.entity_markers import FIRST, SECOND
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.encoding import Written
from tf_finetune.tasks.relation_scores import RELATION_METRICS, RelationScored
from tf_finetune.tasks.scored import Scored


@dataclass(frozen=True)
class Relations(Classes):
    """Relations that exclude each other, of which one may say that there is none.

    They are classes in all but their scores, where a name such as `Cause-Effect(e1,e2)` is a
    relation and its direction; see `relation_scores`.
    """

    task: ClassVar[str] = "relation"
    read_as: ClassVar[Written] = "relation"
    nouns: ClassVar[tuple[str, str]] = ("relation", "relations")
    answer_kind: ClassVar[str] = "one relation a text"
    metrics: ClassVar[tuple[str, ...]] = RELATION_METRICS
    headline: ClassVar[str] = "relation_f1"
    constant_words: ClassVar[str] = "the commonest relation"
    kept_words: ClassVar[tuple[str, ...]] = (FIRST, SECOND)
    writing: ClassVar[str] = (
        f"The first entity of a text, e1, stands between two `{FIRST}`, the second, e2, between "
        f"two `{SECOND}`, each sign with a space on both sides: "
        f"`The {FIRST} singer {FIRST} caused a {SECOND} commotion {SECOND} .`"
    )

    @classmethod
    def purpose(cls, num_names: int) -> str:
        """See `LabelSpace.purpose`."""
        return f"which of {num_names} relations two marked entities of a text have"

    def same_in_all(self, targets: np.ndarray) -> tuple[str, str] | None:
        """See `LabelSpace.same_in_all`."""
        found = super().same_in_all(targets)
        return found and (found[0], "at least 2 relations")

    def sole_classes(self, targets: np.ndarray) -> None:
        """None: a direction of a relation may be rare, and then stays in the training examples.

        See `LabelSpace.sole_classes`.
        """
        return

    def scored_answers(self, targets: np.ndarray, logits: np.ndarray) -> Scored:
        """See `LabelSpace.scored_answers`."""
        logarithms = special.log_softmax(np.asarray(logits, np.float64), axis=-1)
        losses = -logarithms[np.arange(len(targets)), targets]
        return RelationScored(targets, self.predicted(logits), self.names, losses)
