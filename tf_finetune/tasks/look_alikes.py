"""Labels that differ in what nobody sees: the way they are encoded, invisible marks, case."""

import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence

from tf_finetune.sources.numbers import canonical

# Small letters of Cyrillic and Greek that are drawn as Latin ones (Unicode's confusables.txt).
_DRAWN_ALIKE = str.maketrans("аеорсухіјѕһк\u03bf", "aeopcyxijshko")
_JOINED = str.maketrans("_", " ")


def groups_of_look_alikes(names: Sequence[str]) -> list[list[str]]:
    """Names that look alike, each group in the order of the names.

    Args:
        names: Distinct names of classes.
    """
    groups = defaultdict(list)
    for name in names:
        groups[look(name)].append(name)
    return [group for group in groups.values() if len(group) > 1]


def shown_apart(names: Sequence[str]) -> list[str]:
    """Names in quotes, with escapes for what makes them differ and is not seen.

    Args:
        names: Distinct names that look alike.
    """
    drawn = len({name.translate(_DRAWN_ALIKE) for name in names}) < len(names)
    foreign = _DRAWN_ALIKE if drawn else {}
    return ["'" + "".join(_shown(character, foreign) for character in name) + "'" for name in names]


def look(name: str) -> str:
    """What a reader makes of a name: equal for names that look alike.

    Compatibility forms, case, invisible marks, white space and underscores, and the ways to
    write a number do not count.
    """
    seen = "".join(c for c in unicodedata.normalize("NFKC", name) if _is_drawn(c))
    words = seen.casefold().translate(_DRAWN_ALIKE).translate(_JOINED).split()
    return canonical(" ".join(words))


def _shown(character: str, foreign: Mapping[int, int]) -> str:
    """The character, or an escape for other spaces, accents by themselves and foreign letters."""
    accent = "\u0300" <= character <= "\u036f"
    space = character != " " and unicodedata.category(character) == "Zs"
    if character.isprintable() and not accent and not space and ord(character) not in foreign:
        return character
    return character.encode("unicode_escape").decode()


def _is_drawn(character: str) -> bool:
    # Format characters, and variation selectors, which are marks (Mn) without a look.
    return unicodedata.category(character) != "Cf" and not "\ufe00" <= character <= "\ufe0f"
