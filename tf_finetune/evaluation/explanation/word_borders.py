"""Where a reader sees the end of a word that a tokenizer does not cut at a space."""

import unicodedata

# Scripts that put no space between words (Unicode 15, blocks): there a piece of the tokenizer is
# taken for a word. Katakana is not among them: it spells whole foreign words.
_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x309F),  # Hiragana
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x323AF),
)


def is_border(text: str, place: int) -> bool:
    """Whether a word ends between two characters of a text, if a piece of the tokenizer does.

    It does beside a character of a script without spaces, and beside punctuation that does not
    stand inside a word, as in *don't* and *3.5*. It never does before an accent or vowel sign.

    Args:
        text: The text.
        place: Of the second character.
    """
    before, after = text[place - 1 : place], text[place : place + 1]
    if not before or not after or before.isspace() or unicodedata.category(after)[0] == "M":
        return False
    if _is_unspaced(before) or _is_unspaced(after):
        return True
    return _ends_words(text, place - 1) or _ends_words(text, place)


def _is_unspaced(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in _UNSPACED)


def _ends_words(text: str, place: int) -> bool:
    if unicodedata.category(text[place])[0] != "P":
        return False
    beside = text[max(place - 1, 0) : place], text[place + 1 : place + 2]
    return not all(character.isalnum() for character in beside)
