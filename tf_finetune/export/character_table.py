"""What a fast tokenizer does to each Unicode character, read off the tokenizer itself.

A BERT normaliser works character by character: it drops control characters, turns white space
into blanks, sets Chinese characters apart, decomposes, drops accents, lowers case. Which
characters are of which kind depends on the Unicode version of each library involved, so the
table is not derived from a standard but asked from the tokenizer, for all 1,112,064 characters.

One thing reaches beyond a character: decomposition puts neighbouring combining marks in
canonical order (The Unicode Standard, section 3.11). Most of them are dropped as accents; for
those that stay, and for what separates them, the table has what is needed to sort them.
"""

import functools
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from tokenizers.normalizers import NFD, BertNormalizer, Normalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

PAGE = 256
CODE_POINTS = 0x110000
# Kinds of output characters.
WORD, SPACE, ALONE, SEPARATOR = range(4)
# An output is packed as code point + KIND x kind + CLASS x combining class.
KIND, CLASS = 1 << 21, 1 << 23

# A starter without case or decomposition, which no other character becomes.
_FENCE = "\u2603"
# Combining marks that are not accents (category Mc), of classes 224 and 216.
_LATER, _EARLIER = "\u302e", "\U0001d165"
# Combining marks of the smallest class, 1, and the largest, 240.
_FIRST_MARK, _LAST_MARK = "\u0334", "\u0345"


@dataclass(frozen=True, eq=False)
class CharacterTable:
    """What becomes of each character, in two levels because most pages are alike.

    Attributes:
        page_of: Page of each block of 256 code points, int32 [4352].
        pages: int32 [pages, 256]. 0: the character stays, as part of a word. Positive: it
            becomes one character, packed. Negative, -1 - i: it becomes sequence i.
        sequence_starts: Where each sequence begins in `sequence_values`, int32 [sequences + 1].
        sequence_values: Packed characters, int32.
        sorts_marks: Whether neighbouring combining marks are put in canonical order.
    """

    page_of: np.ndarray
    pages: np.ndarray
    sequence_starts: np.ndarray
    sequence_values: np.ndarray
    sorts_marks: bool

    def outputs(self, character: str) -> list[tuple[str, int]]:
        """What one character becomes: characters with their kind."""
        code = ord(character)
        entry = int(self.pages[self.page_of[code // PAGE], code % PAGE])
        if entry == 0:
            return [(character, WORD)]
        values = [entry]
        if entry < 0:
            start, end = self.sequence_starts[-1 - entry], self.sequence_starts[-entry]
            values = self.sequence_values[start:end].tolist()
        return [(chr(value % KIND), value // KIND % 4) for value in values]


def derive_character_table(normalizer: BertNormalizer) -> CharacterTable:
    """Asks a normaliser, and BERT's division into words, about every character.

    Takes a second or two; the last few tables are kept.

    Args:
        normalizer: The tokenizer's own.
    """
    options = ("clean_text", "handle_chinese_chars", "strip_accents", "lowercase")
    return _derive(*(getattr(normalizer, option) for option in options))


@functools.lru_cache(maxsize=4)
def _derive(clean: bool, chinese: bool, strip: bool | None, lowercase: bool) -> CharacterTable:
    normalizer = BertNormalizer(clean, chinese, strip, lowercase)
    changed = _changed(normalizer)
    kinds = _kinds()
    sorts_marks = normalizer.normalize_str(_LATER + _EARLIER) == _EARLIER + _LATER
    classes = _combining_classes() if sorts_marks else {}
    separators = _separators(normalizer, changed) if sorts_marks else set()
    packed = {}
    for code in {*changed, *map(ord, kinds), *map(ord, classes)}:
        text = changed.get(code, chr(code))
        outputs = [(c, kinds.get(c, WORD)) for c in text]
        if code in separators:
            outputs = [(_FENCE, SEPARATOR)]
        elif len(text) == 3 and text[0] == text[2] == " ":
            outputs = [(text[1], ALONE)]  # between blanks
        packed[code] = tuple(
            ord(c) + KIND * kind + CLASS * classes.get(c, 0) for c, kind in outputs
        )
    return _in_pages(packed, sorts_marks)


def _in_pages(packed: dict[int, tuple[int, ...]], sorts_marks: bool) -> CharacterTable:
    """Lays out what differs from "stays, as part of a word"."""
    entries = np.zeros(CODE_POINTS, np.int32)
    sequences: dict[tuple[int, ...], int] = {}
    for code, values in packed.items():
        if len(values) == 1:
            entries[code] = values[0]
        else:
            entries[code] = -1 - sequences.setdefault(values, len(sequences))
    pages, page_of = np.unique(entries.reshape(-1, PAGE), axis=0, return_inverse=True)
    lengths = [len(values) for values in sequences]
    return CharacterTable(
        page_of=page_of.reshape(-1).astype(np.int32),
        pages=pages,
        sequence_starts=np.cumsum([0, *lengths]).astype(np.int32),
        sequence_values=np.array([v for values in sequences for v in values], np.int32),
        sorts_marks=sorts_marks,
    )


def _changed(normalizer: BertNormalizer) -> dict[int, str]:
    """What each character becomes that does not stay what it is."""
    return {
        ord(character): text
        for page in _all_pages()
        for character, text in _normalized(normalizer, page)
        if text != character
    }


@functools.cache
def _all_pages() -> tuple[str, ...]:
    """All characters but the fence, 256 at a time."""
    starts = (s for s in range(0, CODE_POINTS, PAGE) if not 0xD800 <= s <= 0xDFFF)
    return tuple("".join(map(chr, range(s, s + PAGE))).replace(_FENCE, "") for s in starts)


def _normalized(normalizer: Normalizer, texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each text that may change with its normal form; most pages are passed over quickly."""
    fenced = _FENCE.join(texts)
    result = normalizer.normalize_str(fenced)
    if result != fenced:
        yield from zip(texts, result.split(_FENCE), strict=True)


def _kinds() -> dict[str, int]:
    """The characters that separate words or stand alone; all others are part of a word."""
    pre_tokenizer = BertPreTokenizer()
    kinds: dict[str, int] = {}
    for page in [*_all_pages(), _FENCE]:
        pieces = pre_tokenizer.pre_tokenize_str("x" + "x".join(page) + "x")
        if len(pieces) == 1:
            continue
        # Each between two letters: "xcx" is one piece, two, or three.
        lone = {piece for piece, _ in pieces if piece != "x" and len(piece) == 1}
        kept = set("".join(piece for piece, _ in pieces))
        kinds |= {c: ALONE if c in lone else SPACE for c in page if c in lone or c not in kept}
    return kinds


def _combining_classes() -> dict[str, int]:
    """Combining classes of the marks, as the normaliser's library knows them."""
    nfd = NFD()
    marks = set()
    for page in _all_pages():
        # A mark changes place with one of a larger class before it or a smaller one behind it.
        behind = _normalized(nfd, [_LAST_MARK + character for character in page])
        marks |= {text[1] for text, result in behind if not result.startswith(_LAST_MARK)}
        before = _normalized(nfd, [character + _FIRST_MARK for character in page])
        marks |= {text[0] for text, result in before if result.startswith(_FIRST_MARK)}
    marks = {mark for mark in marks if nfd.normalize_str(mark) == mark}
    known: dict[int, str] = {}
    for mark in sorted(marks, reverse=True):
        known[unicodedata.combining(mark)] = mark
    numbers = sorted(known)
    classes = {}
    for mark in marks:
        smaller = [n for n in numbers if nfd.normalize_str(mark + known[n])[0] != mark]
        classes[mark] = numbers[len(smaller)]
    return classes


def _separators(normalizer: BertNormalizer, changed: dict[int, str]) -> set[int]:
    """Dropped characters that keep the marks before and after them from being sorted."""
    dropped = [chr(code) for code, text in changed.items() if not text]
    found = set()
    for start in range(0, len(dropped), PAGE):
        between = [_LATER + character + _EARLIER for character in dropped[start : start + PAGE]]
        results = normalizer.normalize_str(_FENCE.join(between)).split(_FENCE)
        found |= {
            ord(t[1]) for t, r in zip(between, results, strict=True) if r == _LATER + _EARLIER
        }
    return found
