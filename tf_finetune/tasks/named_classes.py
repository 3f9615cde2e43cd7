"""What one class a text and several have in common: their labels have names."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special
from typing_extensions import Self  # of typing since Python 3.11

from tf_finetune.sources.numbers import as_flag, as_integer, canonical
from tf_finetune.sources.problems import Problems, show
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.raw_labels import RawLabels

if TYPE_CHECKING:
    import tensorflow as tf

_NAMES_SHOWN = 10
_DIGITS = 6  # float32 logits carry no more
# Strong shrinkage: hundreds of features, and perhaps only hundreds of texts.
INVERSE_PENALTY = 0.01


@dataclass(frozen=True)
class NamedClasses(LabelSpace):
    """A label is a name, or an integer that indexes into the names.

    Where a name is itself an integer, labels are always names: with `("1", "2", "3")`, "1" is the
    first class. Lists of one length that hold only zeros and ones say by their places which names
    are meant.

    Attributes:
        temperature: What the logits of training were divided by to become those of the model.
    """

    temperature: float = field(default=1.0, compare=False, kw_only=True)

    def calibrated_at(self, temperature: float) -> Self:
        """See `Certainty.calibrated_at`."""
        return replace(self, temperature=temperature)

    def values_of(self, labels: list[str]) -> list[float | None]:
        """See `LabelSpace.values_of`."""
        places: dict[str, int] = {name: index for index, name in enumerate(self.names)}
        if not self._has_integer_names():
            places = {str(index): index for index in range(len(self.names))} | places
        return [places.get(label, places.get(self._plain(label))) for label in labels]

    def _plain(self, label: str) -> str:
        if set(self.names) == {"0", "1"} and (flag := as_flag(label)) is not None:
            return str(int(flag))
        return canonical(label, self.decimal_mark)

    def _has_integer_names(self) -> bool:
        return any(as_integer(name) is not None for name in self.names)

    def accepted(self) -> str:
        """See `LabelSpace.accepted`."""
        shown = self._shown()
        if not self._has_integer_names():
            shown += f", or their index 0 to {len(self.names) - 1}"
        return f"the labels of the training examples, or of data.label_names: {shown}"

    def _shown(self) -> str:
        shown = ", ".join(map(show, self.names[:_NAMES_SHOWN]))
        more = len(self.names) - _NAMES_SHOWN
        return f"{shown} and {more} more" if more > 0 else shown

    def check_lists(self, raw: RawLabels, problems: Problems) -> None:
        """See `LabelSpace.check_lists`."""
        if raw.width is not None and raw.width != len(self.names):
            problems.add(
                f"{raw.source}, row {raw.rows[0]}: received lists of {raw.width} zeros and ones; "
                f"accepted: {len(self.names)}, one for each label: {self._shown()}"
            )
        elif raw.width is None and raw.hold_flags() and raw.repeat_in_lists():
            usual = int(np.bincount(raw.lengths).argmax())
            add_rows(raw, raw.lengths != usual, f"lists of {usual} zeros and ones", problems)
        else:
            self._check_counts(raw, problems)

    def _check_counts(self, raw: RawLabels, problems: Problems) -> None:
        """Notes lists with a number of labels that no text may have."""

    def answers(self, logits: np.ndarray, top_k: int | None = None) -> Iterator[dict[str, Any]]:
        """See `LabelSpace.answers`; with `probabilities` by name."""
        chances = self.probabilities(logits)
        for answer, row in zip(super().answers(logits), chances, strict=True):
            # Stable, so that of equal probabilities the first label comes first, as in argmax.
            order = range(len(row)) if top_k is None else np.argsort(-row, kind="stable")[:top_k]
            by_name = {self.names[i]: round(float(row[i]), _DIGITS) for i in order}
            yield answer | {"probabilities": by_name}

    def named_outputs(
        self, logits: "tf.Tensor", probabilities: "tf.Tensor"
    ) -> dict[str, "tf.Tensor"]:
        """`probabilities` float32 [n, C], and `label_names` string [n, C]."""
        import tensorflow as tf

        names = tf.constant(self.names)
        # Servers cut answers into rows, so the names stand in each.
        rows = tf.repeat(names[None, :], tf.shape(logits)[0], axis=0)
        return {"probabilities": probabilities, "label_names": rows}


def add_rows(raw: RawLabels, wrong: np.ndarray, accepted: str, problems: Problems) -> None:
    """Notes the rows whose list is not as the others are."""
    for index in np.flatnonzero(wrong):
        labels = raw.values[int(index)].as_py()
        problems.add(
            f"{raw.source}, row {raw.rows[index]}: received the list {show(labels)}; accepted: "
            f"{accepted}"
        )


def log_mean(logarithms: np.ndarray) -> np.ndarray:
    """Logarithms of the means over the first axis."""
    sums: np.ndarray = special.logsumexp(logarithms, axis=0)
    return sums - np.log(len(logarithms))


def logistic_regression() -> Any:
    """A probe for one class, not yet fitted."""
    from sklearn.linear_model import LogisticRegression  # takes a second to load

    return LogisticRegression(C=INVERSE_PENALTY, max_iter=1000)
