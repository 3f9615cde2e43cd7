"""What a trial is worth: by how much it is likely to lower the chance of a wrong answer.

One step is looked ahead, as the knowledge gradient does (P. Frazier, W. Powell and S. Dayanik,
INFORMS Journal on Computing 2009, for scores that depend on each other), but not at the expected
score of the answer: at the chance that it is more than the tolerance below the best (L. Yang, S.
Gao and C. P. Ho, "Improving the Knowledge Gradient Algorithm", NeurIPS 2023, for good enough
arms). While a single trial cannot change the answer it leaves that chance as it is on average,
however much it tells. So the root of the chance is averaged over the outcomes, which sinks with
everything that is learnt.
"""

import numpy as np

from tf_finetune.searches.leading.race.posterior import Posterior

_OUTCOMES = 8
# Of an untried cell the outcomes lie far apart; draws within this part of their spread are alike.
_COARSEST = 0.15


def values(
    found: Posterior, wrong: np.ndarray, answers: np.ndarray, options: np.ndarray
) -> np.ndarray:
    """The root of the chance of a wrong answer now, less what it will be on average.

    Args:
        found: What may be true.
        wrong: Whether each candidate is a wrong answer, of `is_wrong`.
        answers: Candidates that can be the answer, those that were tried, int.
        options: Candidates of which a further trial is looked at, int.

    Returns:
        float64 [options].
    """
    now = np.sqrt(wrong[:, answers].mean(axis=0).min())
    mixed = np.random.default_rng(0).permutation(len(wrong))
    found_values = []
    for option in options:
        here = found.here[:, option]
        judged = wrong[:, np.union1d(answers, [option])]
        # Few draws are alike, and the least of several chances is the lower for it: as much as
        # where an outcome tells nothing.
        for_nothing = _ahead(here[mixed], found.seed_variance, judged)
        ahead = _ahead(here, found.seed_variance, judged)
        found_values.append(min(now, for_nothing) - ahead)
    return np.array(found_values)


def _ahead(here: np.ndarray, variance: float, judged: np.ndarray) -> float:
    """The mean root of the chance of a wrong answer after a trial.

    Args:
        here: What the trial measures, [draws].
        variance: Its chance in training.
        judged: Whether each possible answer is wrong, [draws, answers].
    """
    noise = np.sqrt(variance)
    ranks = (np.arange(_OUTCOMES) + 0.5) / _OUTCOMES
    # What it may score: the spread of the truth and of the trial around it.
    spread = np.hypot(here.std(), noise) / max(here.std(), 1e-12)
    outcomes = here.mean() + (np.quantile(here, ranks) - here.mean()) * spread
    width = max(noise, _COARSEST * float(here.std()), 1e-12)
    weights = np.exp(-0.5 * ((outcomes[:, None] - here[None]) / width) ** 2)
    weights /= weights.sum(axis=1, keepdims=True)
    return float(np.sqrt((weights @ judged).min(axis=1)).mean())
