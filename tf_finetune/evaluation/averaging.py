"""The answer of several models as one: averaged probabilities, or averaged numbers.

Probabilities are averaged and not logits (B. Lakshminarayanan et al., "Simple and Scalable
Predictive Uncertainty Estimation using Deep Ensembles", 2017, section 2.4): a model that is
sure then counts no more than its share.
"""

from collections.abc import Sequence

import numpy as np

from tf_finetune.tasks.labels import LabelSpace

_FINITE = np.finfo(np.float32)


def averaged_logits(labels: LabelSpace, logits: Sequence[np.ndarray]) -> np.ndarray:
    """Logits whose probabilities are the mean of the models' probabilities.

    So whatever reads a model's logits (scores, thresholds, answers) reads these likewise. All is
    computed from logarithms: a probability that rounds to 0 or 1 has a finite logit.

    Args:
        labels: What the outputs are, C of them.
        logits: Of each model, float [n, C]; NaN in any gives NaN.

    Returns:
        float32 [n, C]: log p of a single label (softmax gives p), log p / (1 - p) of several
        (sigmoid gives p), the mean of a regression.
    """
    stacked = np.stack([np.asarray(one, np.float64) for one in logits])
    return np.clip(labels.averaged(stacked), _FINITE.min, _FINITE.max).astype(np.float32)
