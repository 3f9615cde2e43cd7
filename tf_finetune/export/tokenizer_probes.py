"""Texts on which two tokenizers are likely to differ, if they do at all."""

import random
from collections.abc import Callable, Iterator, Sequence

_SPECIAL = ("[CLS]", "[SEP]", "[MASK]", "[PAD]", "[UNK]", "[sep]", "[SEP", "SEP]", "[[MASK]]")
_BLANKS = " \t\n\r\x0b\x0c\x85\xa0\u1680\u2003\u2028\u2029\u202f\u205f\u3000"
_FULL_WIDTH = "，。！？：；（）【】《》「」『』、…—～·“”‘’￥％＆＊＠＃｜＼／ＡＢｃ１２３ｱﾞ"
_CONTROLS = (
    "".join(map(chr, [*range(0x20), *range(0x7F, 0xA0)]))
    + "\u00ad\u200b\u200c\u200d\u200e\u202a\u202e\u2060\u2066\u2069\ufeff\ufff9\ufffd\ufffe\uffff"
    + "\ue000\uf8ff\U000e0001\U000f0000\U000f0004\U0010fffd\U0010ffff"
)
# Classes 0, 1, 9, 202, 216 (two that stay), 220, 224, 230 and 240, and what keeps runs apart.
_MARKS = (
    "\u0300\u0301\u0308\u0323\u0327\u0334\u0338\u0345\u034f\u05b0\u064b\u094d\u3099\ufe0f"
    "\u302a\u302e\u302f\U0001d165\U0001d16d\U0001d171\U0001d185\u1ac0\U00010f46\U00016ff0"
)
_BASES = "aeoAÑßİıΣςŒﬁ각한ё漢豈丽क가각\U0001d15e\U0001d160\u1e9e\u212b\u00bd\u0f73"
_EMOJI = (
    "".join(map(chr, [*range(0x1F300, 0x1F700, 7), *range(0x1F900, 0x1FB00, 5)]))
    + "\u2603\u2764\ufe0f\u200d\u20e3\U0001f1e6\U0001f1ff\U0001f3fb\U0001f3ff\U000e0067\U000e007f"
)
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_ASCII_PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


def probe_texts(count: int, seed: int, vocabulary: Sequence[str] = ()) -> Iterator[bytes]:
    """Makes texts of every Unicode page in turn, and of every kind that is known to be hard.

    The kinds: characters of one page of 256 code points, full-width punctuation, combining
    marks, emoji, control characters, odd blanks, special tokens, words around the longest
    length, pieces of the vocabulary, random bytes, and all of these mixed.

    Args:
        count: How many texts; from 17,000 on every page is among them.
        seed: Equal seeds give equal texts.
        vocabulary: Pieces to build words from.

    Returns:
        Texts in UTF-8; those of random bytes are not valid.
    """
    generator = random.Random(seed)
    pages = [page for page in range(0x1100) if not 0xD8 <= page < 0xE0]
    generator.shuffle(pages)
    makers = _makers(generator, list(vocabulary) or list(_LETTERS))
    for number in range(count):
        turn, kind = divmod(number, 4)
        if kind == 0:
            yield _of_page(generator, pages[turn % len(pages)]).encode()
        elif kind == 1 and turn % 4 == 0:
            yield generator.randbytes(generator.randint(1, 60))
        else:
            some = generator.choices(makers, k=generator.choice((1, 1, 2, 4)))
            yield generator.choice(("", " ")).join(make() for make in some).encode()


def _makers(generator: random.Random, vocabulary: list[str]) -> list[Callable[[], str]]:
    def of(characters: Sequence[str], most: int) -> str:
        return "".join(generator.choices(characters, k=generator.randint(1, most)))

    def marked() -> str:
        return "".join(of(_BASES, 2) + of(_MARKS, 4) for _ in range(generator.randint(1, 4)))

    def between_letters(characters: str) -> str:
        return "".join(of(_LETTERS, 3) + of(characters, 2) for _ in range(generator.randint(1, 6)))

    def long_word() -> str:
        letter = generator.choice("aZé漢한½\u0301_")
        return letter * generator.randint(95, 105) + of(_LETTERS, 3)

    def pieces() -> str:
        glue = generator.choice((" ", "", " ", "-"))
        chosen = generator.choices(vocabulary, k=generator.randint(1, 12))
        return glue.join(generator.choice((p, p.removeprefix("##"), p.upper())) for p in chosen)

    return [
        lambda: between_letters(_FULL_WIDTH),
        lambda: between_letters(_CONTROLS),
        lambda: between_letters(_BLANKS),
        lambda: between_letters(_ASCII_PUNCTUATION),
        lambda: of(_FULL_WIDTH, 12),
        lambda: of(_EMOJI, 8),
        lambda: of(_SPECIAL, 3),
        lambda: chr(generator.randint(0x4E00, 0x9FFF)) * generator.randint(1, 3),
        lambda: _of_page(generator, generator.randrange(0x300)),
        marked,
        long_word,
        pieces,
        pieces,
    ]


def _of_page(generator: random.Random, page: int) -> str:
    """Characters of one page of 256, some with ASCII letters and blanks among them."""
    codes = [256 * page + generator.randrange(256) for _ in range(generator.randint(1, 24))]
    characters = [chr(code) for code in codes if not 0xD800 <= code <= 0xDFFF]
    if generator.random() < 0.5:
        characters += generator.choices("aB ", k=len(characters))
        generator.shuffle(characters)
    return "".join(characters)
