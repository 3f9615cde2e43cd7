"""When two answers are the same in words: the definitions of SQuAD.

They are those of the official script of SQuAD 2.0 (P. Rajpurkar, R. Jia and P. Liang, ACL 2018),
which are those of 1.1 wherever a gold answer holds more than articles and punctuation. For texts
that are written without spaces they are those of MLQA (P. Lewis et al., ACL 2020): each Chinese
or Japanese character is a token, punctuation is that of Unicode, and there are no articles.
"""

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
# Han with its extensions and compatibility forms, the iteration mark, and Japanese syllables.
_CHARACTERS = (
    "\u3005\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U000323af"
)
_CHARACTER = re.compile(f"[{_CHARACTERS}]")
_TOKEN = re.compile(rf"[{_CHARACTERS}]|[^\s{_CHARACTERS}]+")


class Agreement(NamedTuple):
    """How far an answer is the gold one.

    Attributes:
        exact: 1 if both are the same once normalised, else 0.
        f1: Harmonic mean of the shares of tokens that each has in common with the other.
    """

    exact: float
    f1: float


def is_written_in_characters(text: str) -> bool:
    """Whether a text has more Chinese or Japanese characters than words of other letters."""
    characters = len(_CHARACTER.findall(text))
    others = sum(any(map(str.isalpha, word)) for word in _CHARACTER.sub(" ", text).split())
    return characters > others


def answer_tokens(answer: str, *, by_characters: bool = False) -> list[str]:
    """The tokens of an answer that count, in small letters.

    Args:
        answer: The words of an answer; "" says that there is none.
        by_characters: Whether its text is written without spaces.
    """
    lowered = answer.lower()
    if by_characters:
        return _TOKEN.findall("".join(filter(_is_no_punctuation, lowered)))
    return _ARTICLES.sub(" ", lowered.translate(_PUNCTUATION)).split()


def _is_no_punctuation(character: str) -> bool:
    return character not in string.punctuation and unicodedata.category(character)[0] != "P"


def agreement(given: str, gold: Sequence[str], *, by_characters: bool = False) -> Agreement:
    """Compares an answer with the gold answer that is best for it.

    Args:
        given: What was answered; "" is that there is no answer.
        gold: The gold answers; none of them, or none with a token, if there is no answer.
        by_characters: Whether the text is written without spaces.
    """
    wanted = [answer_tokens(one, by_characters=by_characters) for one in gold]
    wanted = [tokens for tokens in wanted if tokens] or [[]]
    tokens = answer_tokens(given, by_characters=by_characters)
    return Agreement(
        float(any(tokens == one for one in wanted)), max(_f1(tokens, one) for one in wanted)
    )


def _f1(tokens: list[str], wanted: list[str]) -> float:
    if not tokens or not wanted:
        return float(tokens == wanted)
    common = sum((Counter(tokens) & Counter(wanted)).values())
    return 2 * common / (len(tokens) + len(wanted))
