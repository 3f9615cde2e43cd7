"""AdaLoRA: the change of a matrix in the form of singular values, ranks given out by importance."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from tf_finetune.encoders.family import Product
from tf_finetune.encoders.variables import Variable, added_variable
from tf_finetune.methods.low_rank import LowRank
from tf_finetune.methods.method import Trained, rows_of
from tf_finetune.methods.peft_adapter import PeftAdapter
from tf_finetune.methods.targets import is_target
from tf_finetune.options.values import Fraction

if TYPE_CHECKING:
    import numpy as np

    from tf_finetune.encoders.affine import Affine, Drop, Values

_A, _E, _B = "lora_a", "lora_e", "lora_b"
# Of both averages, as in the authors' experiments.
_SMOOTHING = 0.85


class AdaLora(LowRank):
    """A matrix W above the depth becomes W + s A diag(e) B; of all e the most important stay.

    Each e has a column of A and a row of B. Its importance is the sum of its own and the means of
    theirs; that of a value is a smoothed |value x gradient| times how much this varies. After the
    warm-up ever fewer e are kept, the most important of all matrices together; others become 0, and
    may come back until the final steps, in which the choice stays as it is. A's columns and B's
    rows are held near right angles and length 1 by a penalty.

    Source: Q. Zhang et al. 2023, "Adaptive Budget Allocation for Parameter-Efficient
    Fine-Tuning". The penalty is a mean over all A and B, as in the authors' code, and squared.
    """

    name: Literal["adalora"] = "adalora"
    rank: int = Field(default=4, ge=1, description="kept rank of a matrix in the end, on average")
    initial_rank: int = Field(default=6, ge=1, description="columns of A and rows of B")
    alpha: float = Field(
        default=16.0, gt=0, description="A diag(e) B is multiplied with alpha / initial_rank"
    )
    warmup_share: Fraction = Field(
        default=0.1, description="share of a run's steps before the first e is dropped"
    )
    final_share: Fraction = Field(
        default=0.3, description="share of a run's steps, the last, in which the same e are kept"
    )
    interval: int = Field(default=10, ge=1, description="steps from one choice of e to the next")
    orthogonality: float = Field(
        default=0.1, gt=0, description="weight of the penalty, beside a loss of weight 1"
    )
    columns_option: ClassVar[str] = "initial_rank"
    averages: ClassVar[int] = 2
    by_unit: ClassVar[frozenset[str]] = frozenset((_B,))

    @property
    def words(self) -> str:
        """With its rank."""
        return f"AdaLoRA of rank {self.rank} on average"

    @property
    def scale(self) -> float:
        """What A diag(e) B is multiplied with."""
        return self.alpha / self.initial_rank

    def problems(self, variables: Sequence[Variable]) -> list[str]:
        """As for any small rank, and what does not go together."""
        problems = super().problems(variables)
        if self.rank > self.initial_rank:
            problems.append(
                f"method.rank: received {self.rank}; accepted: up to {self.initial_rank}, "
                "method.initial_rank"
            )
        if self.warmup_share + self.final_share >= 1:
            problems.append(
                f"method.final_share: received {self.final_share}; accepted: less than 1 together "
                f"with method.warmup_share={self.warmup_share}"
            )
        return problems

    def added(self, matrix: Variable) -> tuple[Variable, ...]:
        """A and B with random values and e with zeros, so that training begins at W."""
        if not is_target(matrix, self.targets):
            return ()
        (width, units), rank = matrix.shape, self.initial_rank
        return (
            added_variable(matrix, _A, "lora_A.weight", (width, rank), "normal"),
            added_variable(matrix, _E, "lora_E", (rank,), "zeros"),
            added_variable(matrix, _B, "lora_B.weight", (rank, units), "normal"),
        )

    def product(self, affine: "Affine", x: Any, values: "Values", drop: "Drop") -> Any:
        """W x and A diag(e) B x are computed apart."""
        from tf_finetune.encoders.affine import product

        inside = product(values[_A], None, drop(x), affine.dtype) * values[_E]
        return affine(x) + self.scale * product(values[_B], None, inside, affine.dtype)

    def penalty(self, added: Sequence["Values"]) -> Any:
        """How far columns of A and rows of B are from right angles and length 1."""
        import tensorflow as tf

        parts = []
        for values in added:
            for crossed in (
                tf.matmul(values[_A], values[_A], transpose_a=True),
                tf.matmul(values[_B], values[_B], transpose_b=True),
            ):
                parts.append(tf.reduce_sum(tf.square(crossed - tf.eye(self.initial_rank))))
        return self.orthogonality / len(parts) * tf.add_n(parts)

    def penalty_flops(self, matrix: Variable) -> int:
        """All columns of A with each other, and all rows of B."""
        return 2 * self.initial_rank**2 * sum(matrix.shape)

    def after_update(
        self, added: Sequence[Mapping[str, Trained]], step: Any, total_steps: Any
    ) -> list[dict[str, Trained]]:
        """Smooths what importance comes from, and now and then drops what is least important."""
        import tensorflow as tf

        # Averages that stay as they are choose the same again and again.
        is_final = step >= self._first_final(total_steps)
        found = [
            {name: _smoothed(trained, still=is_final) for name, trained in one.items()}
            for one in added
        ]
        scores = tf.stack([_importance(one) for one in found])
        order = tf.argsort(tf.reshape(scores, [-1]), direction="DESCENDING", stable=True)
        places = tf.reshape(tf.argsort(order), scores.shape)
        is_kept = places < self._budget(len(found), step, total_steps)
        is_kept |= ~(is_final | (tf.math.floormod(step, float(self.interval)) == 0))
        for one, kept in zip(found, tf.unstack(is_kept), strict=True):
            one[_E] = one[_E]._replace(value=tf.where(kept, one[_E].value, 0.0))
        return found

    def _budget(self, matrices: int, step: Any, total_steps: Any) -> Any:
        """How many e are kept, [] int32; Zhang et al. 2023, equation 12."""
        import tensorflow as tf

        first, last = matrices * self.initial_rank, matrices * self.rank
        warmup, final = self.warmup_share * total_steps, self._first_final(total_steps)
        done = tf.clip_by_value((step - warmup) / tf.maximum(final - warmup, 1.0), 0.0, 1.0)
        # A fall of less than a step has no end of its own.
        done = tf.where(step >= final, 1.0, done)
        return tf.cast(tf.round(last + (first - last) * (1 - done) ** 3), tf.int32)

    def _first_final(self, total_steps: Any) -> Any:
        return total_steps * (1 - self.final_share)

    def merged(
        self, kernel: "np.ndarray", bias: "np.ndarray", values: "dict[str, np.ndarray]"
    ) -> "tuple[np.ndarray, np.ndarray]":
        """W + s A diag(e) B."""
        from tf_finetune.encoders.low_rank import merged_low_rank  # loads NumPy

        return merged_low_rank(kernel, values[_A] * values[_E], values[_B], self.scale), bias

    def peft_adapter(self, added: "Mapping[Variable, Mapping[str, np.ndarray]]") -> PeftAdapter:
        """PEFT's LoRA with a rank for each matrix; one that kept nothing has a rank of zeros."""
        tensors, ranks = {}, {}
        for matrix, values in added.items():
            kept = [k for k, e in enumerate(values[_E]) if e] or [0]
            ranks[matrix] = len(kept)
            tensors[matrix] = {
                "lora_A.weight": (values[_A] * values[_E])[:, kept].T,
                "lora_B.weight": values[_B][kept].T,
            }
        alphas = {matrix: self.scale * rank for matrix, rank in ranks.items()}
        return PeftAdapter(
            self.peft_config,
            tensors,
            patterns={"rank_pattern": ranks, "alpha_pattern": alphas},
        )

    def kept(self, product: Product, beside: Mapping[str, Variable], *, dropout: bool) -> float:
        """What A gives also after it was multiplied with e."""
        matrix = beside.get(product.name)
        more = 0.0 if matrix is None else rows_of(product, matrix) * self.initial_rank
        return super().kept(product, beside, dropout=dropout) + more


def _smoothed(trained: Trained, *, still: Any) -> Trained:
    """Averages with one more step in them, unless they stay as they are.

    Zhang et al. 2023, equations 9 and 10: the sensitivity of the loss, and how far that of a step
    is from it.
    """
    import tensorflow as tf

    def averaged(average: Any, now: Any) -> Any:
        return tf.where(still, average, _SMOOTHING * average + (1 - _SMOOTHING) * now)

    now = tf.abs(trained.value * trained.gradient)
    sensitivity = averaged(trained.averages[0], now)
    uncertainty = averaged(trained.averages[1], tf.abs(now - sensitivity))
    return trained._replace(averages=(sensitivity, uncertainty))


def _importance(one: Mapping[str, Trained]) -> Any:
    """Of each e of a matrix, with its column of A and its row of B, [rank] float32."""
    import tensorflow as tf

    scores = {name: tf.multiply(*trained.averages) for name, trained in one.items()}
    return scores[_E] + tf.reduce_mean(scores[_A], axis=0) + tf.reduce_mean(scores[_B], axis=1)
