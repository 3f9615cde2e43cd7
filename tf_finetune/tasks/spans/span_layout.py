"""What is known of rows that ask for a span, as one array.

Scores compare texts: what the tokens of a span say, whatever their number, with each of several
gold answers, over all windows of an example. Scoring gets arrays alone, of any selection of rows,
perhaps joined with others. So each row's line holds all that its part of a score needs, its
window's text among it, and nothing outside the array has to be kept beside it: it is selected,
joined and written like the targets of every other task. A window of 350 tokens takes about 5 kB.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np

# Columns of a line. Behind them stand two offsets for each token, and then the window's text and
# the gold answers, as UTF-8 in whole words of four bytes.
START, END, READS, GOES_ON, FIRST, TEXT_BYTES, ANSWER_BYTES, ANSWERS = range(8)
HEAD = 8
_BETWEEN = "\0"


class SpanTargets:
    """Targets of n rows.

    Args:
        lines: int32 [n, width], from `span_targets`.
    """

    def __init__(self, lines: np.ndarray):
        self.lines = lines

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def start(self) -> np.ndarray:
        """The read where the answer begins, int32 [n]; 0 where the window holds none."""
        return self.lines[:, START]

    @property
    def end(self) -> np.ndarray:
        """The read where it ends, int32 [n]."""
        return self.lines[:, END]

    @property
    def reads(self) -> np.ndarray:
        """How many reads a row has, int32 [n]: the first token, and those of its context."""
        return self.lines[:, READS]

    @property
    def first(self) -> np.ndarray:
        """The first token of the window, counted in the whole context, int32 [n]."""
        return self.lines[:, FIRST]

    @cached_property
    def goes_on(self) -> np.ndarray:
        """Whether a row goes on with the example of the row before, bool [n]."""
        found = self.lines[:, GOES_ON] > 0
        found[:1] = False
        return found

    @cached_property
    def examples(self) -> np.ndarray:
        """Which example each row is of, counted from 0, int64 [n]."""
        return np.cumsum(~self.goes_on) - 1

    @property
    def num_examples(self) -> int:
        """Examples that the rows are of."""
        return int((~self.goes_on).sum())

    @property
    def has_answer(self) -> np.ndarray:
        """Whether the example of each row has an answer, bool [n]."""
        found: np.ndarray = self.lines[:, ANSWERS] > 0
        return found

    def text(self, row: int) -> str:
        """What a row's window shows of the context."""
        return self._bytes(row, 0, TEXT_BYTES).decode()

    def answers(self, row: int) -> tuple[str, ...]:
        """The gold answers of a row's example, whichever windows they are in."""
        line = self.lines[row]
        if not line[ANSWERS]:
            return ()
        behind = -(-int(line[TEXT_BYTES]) // 4)
        return tuple(self._bytes(row, behind, ANSWER_BYTES).decode().split(_BETWEEN))

    def said(self, row: int, start: int, end: int) -> str:
        """What some tokens of a window say, without the spaces around.

        Args:
            row: The row.
            start: First token of its window.
            end: The token after the last.
        """
        first, last = HEAD + 2 * start, HEAD + 2 * end - 1
        line = self.lines[row]
        return self.text(row)[int(line[first]) : int(line[last])].strip()

    def _bytes(self, row: int, words_behind: int, column: int) -> bytes:
        line = self.lines[row]
        begin = HEAD + 2 * (int(line[READS]) - 1) + words_behind
        count = int(line[column])
        return line[begin : begin + -(-count // 4)].tobytes()[:count]


def span_line(
    target: tuple[int, int, int],
    spans: np.ndarray,
    text: str,
    answers: Sequence[str],
    *,
    goes_on: bool,
) -> np.ndarray:
    """The line of a row, int32 [width].

    Args:
        target: Reads where the answer begins and ends, and the first token in the context.
        spans: Characters of each token, counted in the text, int [tokens, 2].
        text: What the row shows of its context.
        answers: The gold answers.
        goes_on: Whether it goes on with the example of the row before.
    """
    shown, gold = text.encode(), _BETWEEN.join(answers).encode()
    start, end, first = target
    sizes = len(shown), len(gold), len(answers)
    head = np.array([start, end, len(spans) + 1, goes_on, first, *sizes], np.int32)
    return np.concatenate([head, spans.ravel().astype(np.int32), _words(shown), _words(gold)])


def span_targets(lines: Iterable[np.ndarray]) -> np.ndarray:
    """Lines of any width as one array, int32 [n, width]; zeros behind them."""
    kept = list(lines)
    found = np.zeros((len(kept), max(map(len, kept), default=HEAD)), np.int32)
    for to, line in zip(found, kept, strict=True):
        to[: len(line)] = line
    return found


def joined_lines(*targets: np.ndarray) -> np.ndarray:
    """Targets of several splits, one after the other, as wide as the widest."""
    width = max(one.shape[1] for one in targets)
    parts = [np.pad(one, ((0, 0), (0, width - one.shape[1]))) for one in targets]
    for part in parts:
        part[:1, GOES_ON] = 0
    return np.concatenate(parts)


def _words(content: bytes) -> np.ndarray:
    return np.frombuffer(content + b"\0" * (-len(content) % 4), np.int32)
