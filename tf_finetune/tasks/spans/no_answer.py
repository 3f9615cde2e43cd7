"""From which margin on a question is taken to have no answer."""

import numpy as np


def best_threshold(margins: np.ndarray, f1: np.ndarray, has_answer: np.ndarray) -> float:
    """The threshold with the best mean token F1, as the script of SQuAD 2.0 chooses it.

    A question whose margin is above the threshold is answered with nothing. That is right (1)
    where there is no answer, and wrong (0) elsewhere.

    Args:
        margins: By how much no answer beats the best span, float [n].
        f1: Token F1 of the best span, where it is the answer, float [n]; not looked at without one.
        has_answer: Whether the question has one, bool [n].

    Returns:
        Half way between the margins of the questions that it divides. If all are best answered,
        the greatest margin; if none, the next number below the least. Of thresholds that are as
        good, the lowest.

    Raises:
        ValueError: There are no questions.
    """
    if not len(margins):
        raise ValueError("without questions no threshold can be chosen")
    order = np.argsort(margins, kind="stable")
    margins = np.asarray(margins, np.float64)[order]
    # What is won and lost by answering one question more, from the least margin on.
    gains = np.where(has_answer, f1, -1.0)[order].cumsum()
    between = np.append(np.flatnonzero(np.diff(margins)), len(margins) - 1)  # equal ones together
    best = int(gains[between].argmax())
    if gains[between[best]] <= 0:
        return float(np.nextafter(margins[0], -np.inf))
    last = between[best]
    if last == len(margins) - 1:
        return float(margins[-1])
    middle = margins[last] + (margins[last + 1] - margins[last]) / 2
    return float(min(middle, np.nextafter(margins[last + 1], -np.inf)))
