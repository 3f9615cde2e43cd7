"""The likeliest spans of contexts that a model has read in overlapping windows.

A span scores what its first token scores as a start plus what its last token scores as an end (J.
Devlin et al., NAACL 2019, section 4.2). One that lies in several windows is one span, whose score
is the highest it has in any of them. That there is no answer scores the sum at the first token
of the window, and of several windows the lowest: the answer only has to be in one of them.
"""

from typing import NamedTuple

import numpy as np
from scipy import special


class WindowScores(NamedTuple):
    """Scores of the context tokens in r windows of n examples.

    Attributes:
        example: The example of each window, ascending from 0, int [r].
        first: Its first token, counted in the whole context of the example, int [r].
        offsets: Where its scores begin in `start` and `end`, and their length m, int [r + 1].
        start: How likely a token begins the answer, float [m].
        end: How likely a token is its last, float [m].
        null: How likely the window holds no answer, float [r]; None where every question has one.
    """

    example: np.ndarray
    first: np.ndarray
    offsets: np.ndarray
    start: np.ndarray
    end: np.ndarray
    null: np.ndarray | None = None


class BestSpans(NamedTuple):
    """The k likeliest spans of n examples, the likeliest first.

    Probabilities are a softmax over all spans of an example that could be answers, and over that
    there is none.

    Attributes:
        start: First token in the context of the example, int64 [n, k]; -1 where there are fewer.
        end: The token after the last one, int64 [n, k]; -1 where there are fewer.
        score: float64 [n, k]; -inf where there are fewer.
        probability: float64 [n, k].
        null_score: That there is no answer, float64 [n]; -inf where every question has one.
        null_probability: float64 [n].
    """

    start: np.ndarray
    end: np.ndarray
    score: np.ndarray
    probability: np.ndarray
    null_score: np.ndarray
    null_probability: np.ndarray

    @property
    def null_margin(self) -> np.ndarray:
        """By how much no answer beats the best span, float64 [n]."""
        return self.null_score - self.score[:, 0]

    def chosen(self, threshold: float = 0.0) -> np.ndarray:
        """First token and the one after the last of each answer, int64 [n, 2]; -1 for none.

        Args:
            threshold: There is no answer where that beats the best span by more.
        """
        spans = np.stack([self.start[:, 0], self.end[:, 0]], axis=1)
        return np.where((self.null_margin > threshold)[:, None], -1, spans)


def best_spans(windows: WindowScores, count: int, most_tokens: int) -> BestSpans:
    """Finds the likeliest spans of each example.

    Args:
        windows: What a model says of the tokens; a window has at least one.
        count: k, how many spans of each example.
        most_tokens: The most tokens that an answer has.

    Raises:
        ValueError: An example has no window, or a window no token.
    """
    examples = int(windows.example[-1]) + 1 if len(windows.example) else 0
    borders = np.searchsorted(windows.example, np.arange(examples + 1))
    if not np.all(np.diff(borders)) or not np.all(np.diff(windows.offsets)):
        raise ValueError("every example needs a window, and every window a token")
    found = BestSpans(
        np.full((examples, count), -1),
        np.full((examples, count), -1),
        np.full((examples, count), -np.inf),
        np.zeros((examples, count)),
        np.full(examples, -np.inf),
        np.zeros(examples),
    )
    for number in range(examples):
        here = range(borders[number], borders[number + 1])
        if windows.null is not None:
            found.null_score[number] = windows.null[here.start : here.stop].min()
        scores = _span_scores(windows, here, most_tokens)
        _keep_best(found, number, scores)
    return found


def span_log_probabilities(windows: WindowScores, number: int, most_tokens: int) -> np.ndarray:
    """Of all spans of an example, by first token and further tokens, float64 [tokens, longest].

    They are -inf of spans that no window shows whole.

    Args:
        windows: What a model says of the tokens.
        number: The example.
        most_tokens: The most tokens that an answer has.
    """
    begin, end = np.searchsorted(windows.example, [number, number + 1])
    scores = _span_scores(windows, range(begin, end), most_tokens)
    null = -np.inf if windows.null is None else windows.null[begin:end].min()
    logarithms: np.ndarray = scores - np.logaddexp(special.logsumexp(scores), null)
    return logarithms


def _span_scores(windows: WindowScores, here: range, most_tokens: int) -> np.ndarray:
    """Scores of all spans of one example by first token and further tokens, [tokens, longest]."""
    sizes = np.diff(windows.offsets[here.start : here.stop + 1])
    tokens = int((windows.first[here.start : here.stop] + sizes).max())
    longest = min(most_tokens, int(sizes.max()))
    best = np.full((tokens, longest), -np.inf)
    for window, size in zip(here, sizes.tolist(), strict=True):
        of_window = slice(windows.offsets[window], windows.offsets[window + 1])
        start = windows.start[of_window].astype(np.float64)
        # What lies beyond the window is no end.
        ends = np.concatenate([windows.end[of_window], np.full(longest - 1, -np.inf)])
        spans = start[:, None] + np.lib.stride_tricks.sliding_window_view(ends, longest)
        rows = best[windows.first[window] :][:size]
        np.maximum(rows, spans, out=rows)
    return best


def _keep_best(found: BestSpans, number: int, scores: np.ndarray) -> None:
    flat = scores.ravel()
    kept = min(found.score.shape[1], int(np.isfinite(flat).sum()))
    # Of equal spans the first comes first, then the shorter, whatever the partition did.
    least = -np.partition(-flat, kept - 1)[kept - 1]
    candidates = np.flatnonzero(flat >= least)
    best = candidates[np.argsort(-flat[candidates], kind="stable")][:kept]
    start, further = np.divmod(best, scores.shape[1])
    null = found.null_score[number]
    highest = flat[best[0]]  # scipy's logsumexp takes as long as all the rest
    total = np.logaddexp(highest + np.log(np.exp(flat - highest).sum()), null)
    found.start[number, :kept] = start
    found.end[number, :kept] = start + further + 1
    found.score[number, :kept] = flat[best]
    found.probability[number, :kept] = np.exp(flat[best] - total)
    found.null_probability[number] = np.exp(null - total)
