"""Lists of words that stand for each other, found in a text and replaced there.

Words of scripts with spaces are found as whole words, others (Chinese, Japanese, Thai) wherever
they stand. Case follows the text. An apostrophe is also found as ’, and with a space before it, as
tokenised texts have it: `do n't`, `it 's`.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tf_finetune.robustness.draws import drawn

_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "BOPOMOFO", "THAI", "LAO", "KHMER", "MYANMAR")


@dataclass(frozen=True)
class WordList:
    """Words that stand for each other, or of which each has one that stands for it.

    Attributes:
        words: Any of them may take the place of any other; empty where there are `pairs`.
        pairs: What each word becomes.
    """

    words: tuple[str, ...] = ()
    pairs: Mapping[str, str] | None = None

    def replaced(self, text: str, seed: str, most: int | None = None) -> str:
        """The text with its words of this list replaced.

        Of `words`, all of a text move on by the same number of places in the list, so that
        different ones stay different, and none stays as it is.

        Args:
            text: The text.
            seed: Of the text, which draws that number.
            most: How many places are replaced at most, from the first; None: all.
        """
        instead = self._instead(seed)

        def replacement(found: re.Match[str]) -> str:
            word = instead(_key(found[0]))
            return found[0] if word is None else in_case_of(found[0], word)

        return self._pattern.sub(replacement, text, count=most or 0)

    def _instead(self, seed: str) -> Callable[[str], str | None]:
        if self.pairs is not None:
            pairs = {_key(word): other for word, other in self.pairs.items()}
            return pairs.get
        step = 1 + drawn(len(self.words) - 1, seed, "step")
        places = {_key(word): place for place, word in enumerate(self.words)}
        moved = {key: self.words[(place + step) % len(places)] for key, place in places.items()}
        return moved.get

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        words = sorted(self.words if self.pairs is None else self.pairs, key=len, reverse=True)
        return re.compile("|".join(map(_found_as, words)), re.IGNORECASE)


def words_in_rotation(words: Sequence[str]) -> WordList:
    """A list whose words stand for each other; of those that differ in case alone the first."""
    return WordList(words=tuple({_key(word): word for word in reversed(words)}.values())[::-1])


def _key(word: str) -> str:
    """What a word is known by, however it is written."""
    alike = " ".join(word.casefold().replace("’", "'").split())
    return re.sub(r" (?=n't\b|')", "", alike)


def _found_as(word: str) -> str:
    written = r"\s+".join(re.escape(part) for part in word.split())
    written = re.sub(r"(?<=\w)n't", r"\\s?n['’]t", written)
    written = re.sub(r"(?<!\[)'", r"\\s?['’]", written)
    before = r"(?<!\w)" if _is_spaced(word[0]) else ""
    after = r"(?!\w)" if _is_spaced(word[-1]) else ""
    return f"{before}{written}{after}"


def _is_spaced(character: str) -> bool:
    """Whether a word of this script ends at a space and not anywhere."""
    return not unicodedata.name(character, "").startswith(_UNSPACED)


def in_case_of(found: str, word: str) -> str:
    """A word as it stands in place of another: in capitals, with a capital, or in lower case."""
    letters = [character for character in found if character.isalpha()]
    if len(letters) > 1 and found.isupper():
        return word.upper()
    if letters and found.islower():
        return word.lower()
    if letters and letters[0].isupper():
        return word[:1].upper() + word[1:]
    return word
