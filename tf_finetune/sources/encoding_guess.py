"""In which encodings bytes can be text, likeliest first.

Every candidate has to decode all of the bytes. The likeliest is the one under which the
letters that are no ASCII have the highest probability by a simple model: frequent letters of
the languages that are written in it are likely and rare characters are not; capitals stand
seldom inside words; letters of two scripts, or letters and digits, seldom touch. As the bytes
are the same for all, the sums of logarithms can be compared (the shortest description,
Rissanen 1978).
"""

import codecs
import math
import re
from collections.abc import Callable
from dataclasses import dataclass

# Small letters from the most frequent on, roughly as Zipf's law has them.
_WESTERN = "éàèüöäóáíñçãêßúåøæîôûâœïëìòùõÿý"
_CENTRAL = "éáíóąęłżśřšěčžýůőöüăćńúťďňűźľäôîâşţĺŕßç"
_CYRILLIC = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфёъіїєґў"
_GREEK = "αοιετνσηςυρπκλμίόάδέγθχωήφβύώζξψϊΐϋΰ"
_TURKISH = "ıüşçöğâîû"
_BALTIC = "āėūšžąēčįęīļņģķųõäöüåæø"
_HEBREW = "יוהלאשרתבמםנעחדקפכצגטסןזךףץ"
_ARABIC = "اليمونرتبةعدسفهكقحجشطصخزءذثغضظىأإآئؤ،؟ک"
_THAI = "านร่อกเ้งมยีลัวดทสตะปบิคหแจุพ็ืชขูใไโ์ผซถธณศภฟฝำญษฉ๊ๆฤฮฬฐฎฏฆฑฌ๋ฯฒ"
# Each with how much rarer than the first it is, in powers of e.
_ALPHABETS = {
    "cp1252": (_WESTERN, 0.0),
    "cp1251": (_CYRILLIC, 0.5),
    "cp1250": (_CENTRAL, 1.5),
    "koi8-r": (_CYRILLIC, 2.0),
    "koi8-u": (_CYRILLIC, 3.0),
    "cp866": (_CYRILLIC, 3.0),
    "iso8859-5": (_CYRILLIC, 4.0),
    "iso8859-2": (_CENTRAL, 2.5),
    "cp1253": (_GREEK, 1.5),
    "cp1254": (_TURKISH, 1.5),
    "cp1255": (_HEBREW, 1.5),
    "cp1256": (_ARABIC, 1.5),
    "cp1257": (_BALTIC, 2.0),
    "cp874": (_THAI, 2.0),
    "mac-roman": (_WESTERN, 3.0),
    "cp850": (_WESTERN, 3.0),
}
_IDEOGRAPHIC = {"gb18030": 0.5, "cp932": 1.0, "euc_jp": 2.0, "cp949": 1.0, "big5": 1.0}
_PUNCTUATION = frozenset("’‘“”„‚–—…€£¥«»°§©®™·•¡¿´№\xa0،؟。，、！？：；「」『』（）《》“”・ー")
_SHOWN = 3
_CLOSE_NATS, _CLOSE_SHARE = 4.0, 0.03
# Log-probabilities of kinds of characters; what is left over is shared by thousands.
_RARE = math.log(0.01 / 5000)
_CAPITAL = math.log(0.1)
_INSIDE_WORD, _TOUCHING, _DOUBLED = math.log(0.01), math.log(0.02), math.log(0.15)
_HIGH = re.compile(r"[^\x00-\x7f]")


@dataclass(frozen=True)
class Candidate:
    """An encoding and the bytes as text in it."""

    encoding: str
    text: str


def likely_encodings(data: bytes, *, final: bool) -> list[Candidate]:
    """The encodings that fit best, likeliest first; [] if none fits.

    Args:
        data: Bytes that are not UTF-8, from the start of a line (for UTF-16: of the file).
        final: Whether the file ends with them; if not, a last character may be cut.

    Returns:
        One, or up to three whose likelihood is close. Of those that read the same, the first.
    """
    wide = wide_encoding(data)
    if wide:
        text = _decoded(data, wide, final)
        return [] if text is None else [Candidate(wide, text)]
    scored: dict[str, tuple[float, str]] = {}
    for encoding in (*_ALPHABETS, *_IDEOGRAPHIC):
        text = _decoded(data, encoding, final)
        if text is not None and text not in scored:
            scored[text] = (_log_likelihood(text, encoding), encoding)
    ranked = sorted(scored.items(), key=lambda item: -item[1][0])
    if not ranked:
        return []
    best = ranked[0][1][0]
    close = best - max(_CLOSE_NATS, -best * _CLOSE_SHARE)
    return [
        Candidate(encoding, text) for text, (score, encoding) in ranked[:_SHOWN] if score >= close
    ]


def wide_encoding(data: bytes) -> str:
    """UTF-16 or UTF-32, told by a byte order mark or by where zero bytes stand, else ""."""
    for mark, name in (
        (codecs.BOM_UTF32_LE, "utf-32"),
        (codecs.BOM_UTF32_BE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            return name
    # Of ASCII, and of the line ends and spaces of any script, one byte of two is zero.
    zeros = [data[place::2].count(0) for place in (0, 1)]
    if max(zeros) < 2 or max(zeros) < len(data) / 40:
        return ""
    if min(zeros) * 10 > max(zeros):
        quarters = [data[place::4].count(0) for place in range(4)]
        if min(quarters[2:]) > 10 * quarters[0]:
            return "utf-32-le"
        return "utf-32-be" if min(quarters[:2]) > 10 * quarters[3] else ""
    return "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"


def _decoded(data: bytes, encoding: str, final: bool) -> str | None:
    try:
        return codecs.getincrementaldecoder(encoding)().decode(data, final)
    except UnicodeError:
        return None


def _log_likelihood(text: str, encoding: str) -> float:
    alphabet, rarity = _ALPHABETS.get(encoding) or ("", _IDEOGRAPHIC[encoding])
    of_character = _alphabetic(alphabet) if alphabet else _ideographic(encoding)
    latin = alphabet in (_WESTERN, _CENTRAL, _TURKISH, _BALTIC)
    known: dict[str, float] = {}
    total = -rarity
    for match in _HIGH.finditer(text):
        character, place = match[0], match.start()
        if character not in known:
            known[character] = of_character(character)
        total += known[character]
        if not alphabet or not character.isalpha():
            continue
        before = text[place - 1 : place]
        after = text[place + 1 : place + 2]
        if character.isupper() and before.islower():
            total += _INSIDE_WORD
        if before.isdecimal() or after.isdecimal():
            total += _TOUCHING
        if latin:
            total += _DOUBLED if _HIGH.match(before) and before.isalpha() else 0.0
        elif any(near.isascii() and near.isalpha() for near in (before, after)):
            total += _TOUCHING
    return total


def _alphabetic(alphabet: str) -> Callable[[str], float]:
    weights = [1 / (rank + 3) for rank in range(len(alphabet))]
    small = {
        letter: math.log(0.8 * weight / sum(weights))
        for letter, weight in zip(alphabet, weights, strict=True)
    }
    sign = math.log(0.1 / len(_PUNCTUATION))

    def of_character(character: str) -> float:
        if character in small:
            return small[character]
        if character in _PUNCTUATION:
            return sign
        capital = small.get(character.lower())
        return _RARE if capital is None else capital + _CAPITAL

    return of_character


def _ideographic(encoding: str) -> Callable[[str], float]:
    """By the rows of the character sets, whose first levels hold the frequent characters."""
    # Of each: the base set, its rows of frequent characters, their number and probability.
    base, rows, size, share = {
        "gb18030": ("gb2312", range(0xB0, 0xD8), 3755, 0.88),
        "big5": ("big5", range(0xA4, 0xC7), 5401, 0.88),
        "cp949": ("euc_kr", range(0xB0, 0xC9), 2350, 0.94),
        "cp932": ("euc_jp", range(0xB0, 0xD0), 2965, 0.37),
        "euc_jp": ("euc_jp", range(0xB0, 0xD0), 2965, 0.37),
    }[encoding]
    frequent = math.log(share / size)
    kana = math.log(0.55 / 170) if base == "euc_jp" else math.log(0.001 / 170)
    sign = math.log(0.06 / len(_PUNCTUATION))

    def of_character(character: str) -> float:
        if character in _PUNCTUATION:
            return sign
        if "\u3041" <= character <= "\u30fe":
            return kana
        try:
            lead = character.encode(base)[0]
        except UnicodeEncodeError:
            return 1.5 * _RARE
        return frequent if lead in rows else _RARE

    return of_character
