"""Which top layers of a trained model are idle: what a probe reads below them is as good."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tf_finetune.evaluation.resampling import resampled_scores
from tf_finetune.options.evaluation import EvaluationConfig
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.metrics import METRICS
from tf_finetune.tasks.pseudo_examples import Kind


@dataclass(frozen=True)
class DepthChoice:
    """What the probes of a trained model say about its layers.

    Attributes:
        metric: Name of the score.
        scores: Of the probe at each depth, from 1 to the number of layers.
        standard_errors: Of each probe's difference from the top's.
        depth: Layers that stay: the fewest whose probe is not worse than the top's by more than
            one standard error of their difference.
    """

    metric: str
    scores: tuple[float, ...]
    standard_errors: tuple[float, ...]
    depth: int

    def sentence(self) -> str:
        """What was seen and what follows from it."""
        layers = len(self.scores)
        seen = ", ".join(
            f"{depth}: {value:.3f} (± {error:.3f})"
            for depth, (value, error) in enumerate(
                zip(self.scores, self.standard_errors, strict=True), start=1
            )
        )
        dropped = layers - self.depth
        verdict = "no layer is idle, none is dropped"
        if dropped:
            verdict = f"the top {dropped} of {layers} layers are idle"
            if dropped == 1:
                verdict = f"the top one of {layers} layers is idle"
        return (
            f"probes on the first token, validation {METRICS[self.metric].title} by depth (± one "
            f"standard error of the difference from the top): {seen}; {verdict}"
        )


def choose_depth(
    labels: LabelSpace,
    targets: np.ndarray,
    answers: Sequence[np.ndarray],
    evaluation: EvaluationConfig,
) -> DepthChoice:
    """Finds the shallowest depth that is not worse than the top.

    Args:
        labels: What the labels are.
        targets: Encoded labels of the examples the probes answered.
        answers: Logits [n, labels] of the probe at each depth, from 1 to the top.
        evaluation: Gives the number of resamples; they weigh the examples alike for all depths.
    """
    metric = labels.headline
    scores = tuple(float(labels.score(targets, logits)[metric]) for logits in answers)

    def resampled(logits: np.ndarray, *added: Kind) -> np.ndarray:
        resamples = evaluation.bootstrap_resamples
        return resampled_scores(labels, targets, logits, resamples, 0, added)[metric]

    # Of each two one pseudo-example is answered rightly by one alone, another by the other.
    top = resampled(answers[-1], "right", "wrong")
    below = (resampled(logits, "wrong", "right") for logits in answers[:-1])
    errors = (*(float(np.std(top - other)) for other in below), 0.0)
    good = [scores[-1] - one <= error for one, error in zip(scores, errors, strict=True)]
    return DepthChoice(metric, scores, errors, 1 + good.index(True))
