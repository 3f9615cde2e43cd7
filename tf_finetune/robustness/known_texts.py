"""Texts whose answer is known: written out, or made of templates and lists of words."""

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tf_finetune.robustness.check_fields import FieldError
from tf_finetune.robustness.word_lists import WordList

MOST_TEXTS = 500  # of one template
_PLACE = re.compile(r"\{(\w+)\}")

TextAndSecond = tuple[str, str | None]


def texts_of(fields: Mapping[str, Any], lists: Mapping[str, WordList]) -> tuple[TextAndSecond, ...]:
    """The texts of a minimum function.

    Each is a text or a list of two. `{name}` stands for each word of the list of that name, in
    both texts the same; of a mapping of words, for each word that it begins with. Of more than
    `MOST_TEXTS` texts of one template those are taken that are spread evenly over them.

    Args:
        fields: The check; `texts` holds them.
        lists: The lists by their names.

    Raises:
        FieldError: There are none, one is blank, or there is no such list.
    """
    written = fields.get("texts")
    if not isinstance(written, list) or not written:
        raise FieldError("texts", written, "a list of at least one text")
    found: dict[TextAndSecond, None] = {}
    for one in written:
        both = one if isinstance(one, list) else [one]
        if len(both) > 2 or not all(isinstance(text, str) and text.strip() for text in both):
            raise FieldError("texts", one, "texts, or lists of a text and a second text")
        found |= dict.fromkeys(_filled(both, lists))
    return tuple(found)


def _filled(texts: list[str], lists: Mapping[str, WordList]) -> Iterator[TextAndSecond]:
    names = list(dict.fromkeys(name for text in texts for name in _PLACE.findall(text)))
    for name in names:
        if name not in lists:
            raise FieldError("texts", f"{{{name}}}", f"a list: {', '.join(lists)}")
    choices = [lists[name].words or tuple(lists[name].pairs or ()) for name in names]
    count = 1
    for words in choices:
        count *= len(words)
    step = -(-count // MOST_TEXTS)
    for words in itertools.islice(itertools.product(*choices), 0, None, step):
        values = dict(zip(names, words, strict=True))
        first, *second = (_with_values(text, values) for text in texts)
        yield first, second[0] if second else None


def _with_values(text: str, values: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda found: values[found[1]], text)
