"""Finds the option that a mistyped or misplaced name may have meant."""

import difflib

from tf_finetune.config.describe import option_names

# Half of the letters of the last part, roughly; below that a hint would only puzzle.
_MIN_SIMILARITY = 1.2


def nearest_options(wrong: str) -> list[str]:
    """Finds what a name that is no option may have meant.

    Args:
        wrong: A name with or without a section, such as `data.lr` or `epoch`.

    Returns:
        Dotted names: the one that differs only in case or hyphens, else all with the same last
        part (the section was wrong), else all of which it is the initials (in its own section
        if there are any), else the most similar one, else none.
    """
    wrong = wrong.lower().replace("-", "_")
    if wrong in option_names():
        return [wrong]
    wrong_last = _last(wrong)
    same = [name for name in option_names() if _last(name) == wrong_last]
    if not same and len(wrong_last) > 1:
        same = [name for name in option_names() if _initials(_last(name)) == wrong_last]
    if same:
        section = wrong.split(".")[0]
        return [name for name in same if name.split(".")[0] == section] or same
    scores = {name: _similarity(wrong, name) for name in option_names()}
    best = max(scores, key=lambda name: scores[name])
    return [best] if scores[best] >= _MIN_SIMILARITY else []


def _similarity(wrong: str, name: str) -> float:
    """Twice the likeness of the last parts (each 0 to 1) and a tie-break by section."""
    last, wrong_last = _last(name), _last(wrong)
    likeness = difflib.SequenceMatcher(None, wrong_last, last).ratio()
    if len(wrong_last) >= 3 and last.startswith(wrong_last):
        likeness = max(likeness, 0.9)
    return 2 * likeness + 0.1 * difflib.SequenceMatcher(None, wrong, name).ratio()


def _last(name: str) -> str:
    return name.rsplit(".", 1)[-1]


def _initials(name: str) -> str:
    return "".join(word[:1] for word in name.split("_"))
