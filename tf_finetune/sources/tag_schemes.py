"""The schemes in which entities are written as tags, told apart and brought into IOB2.

A tag is `O`, or a letter, a hyphen and the name of a kind. IOB2 begins each entity with B; IOB1
only where an entity of the same kind ends right before it; IOBES (BIOES), BMES and BILOU (BIOUL)
also mark the last word of an entity and an entity of one word. See Ramshaw and Marcus 1995, Tjong
Kim Sang and Veenstra 1999, and Ratinov and Roth 2009.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tf_finetune.sources.problems import show

OUTSIDE = "O"
_TAG = re.compile(r"([BIMELSU])-(.*\S.*)", re.DOTALL)
_FORMS = "O, or a letter, a hyphen and a kind, as B-PER and I-PER"


@dataclass(frozen=True)
class Scheme:
    """Which letter marks which word of an entity; "" where the scheme has none.

    Attributes:
        name: As in messages.
        begin: The first word of several; in IOB2 of one word too.
        inside: A word between first and last.
        end: The last of several words.
        single: The only word.
    """

    name: str
    begin: str = "B"
    inside: str = "I"
    end: str = ""
    single: str = ""

    @property
    def letters(self) -> str:
        """All letters."""
        return self.begin + self.inside + self.end + self.single


IOB1 = Scheme("IOB1")
IOB2 = Scheme("IOB2")
_WITH_ENDS = (
    Scheme("IOBES", end="E", single="S"),
    Scheme("BILOU", end="L", single="U"),
    Scheme("BMES", inside="M", end="E", single="S"),
)


class TagFault(NamedTuple):
    """What is wrong with the tag of a word, counted from 0."""

    word: int
    fault: str


class Converted(NamedTuple):
    """Tags in IOB2; the faults found in them; how many entities lack the tag of an end."""

    tags: tuple[str, ...]
    faults: list[TagFault]
    unended: int


def is_tag(value: object) -> bool:
    """Whether a value is a tag of any of the schemes."""
    return isinstance(value, str) and (value == OUTSIDE or _TAG.fullmatch(value) is not None)


@dataclass
class SchemeEvidence:
    """What the tags of a whole source show about their scheme; the texts are shown one by one."""

    _letters: set[str] = field(default_factory=set)
    _begun_inside: int = 0
    _needless_begins: int = 0

    def add(self, tags: Sequence[object]) -> None:
        """Looks at the tags of a text; what is no tag is left to `to_iob2`."""
        before = ""
        for tag in tags:
            match = _TAG.fullmatch(tag) if isinstance(tag, str) else None
            if match is None:
                before = ""
                continue
            letter, kind = match.groups()
            self._letters.add(letter)
            if letter == "I" and kind != before:
                self._begun_inside += 1
            elif letter == "B" and kind != before:
                self._needless_begins += 1
            before = kind

    def scheme(self) -> Scheme:
        """The scheme in which most of the tags are right."""
        if self._letters <= {"B", "I"}:
            # IOB1 begins entities with I, IOB2 never does; IOB1 has B only right behind an entity.
            return IOB1 if self._begun_inside > self._needless_begins else IOB2
        return max(_WITH_ENDS, key=lambda scheme: len(self._letters & set(scheme.letters)))


def to_iob2(tags: Sequence[object], scheme: Scheme) -> Converted:
    """Brings the tags of a text into IOB2, and says which of them are not right in their scheme."""
    found: list[str] = []
    faults: list[TagFault] = []
    before, unended = "", 0  # the kind of an entity that may go on
    for index, tag in enumerate(tags):
        match = _TAG.fullmatch(tag) if isinstance(tag, str) else None
        letter, kind = match.groups() if match else ("", "")
        goes_on = bool(before) and kind == before and letter in (scheme.inside, scheme.end)
        fault = "" if tag == OUTSIDE else _fault(tag, letter, kind, before, goes_on, scheme)
        if fault:
            faults.append(TagFault(index, fault))
        if before and scheme.end and not goes_on:
            unended += 1
        found.append(f"{'I' if goes_on else 'B'}-{kind}" if letter else OUTSIDE)
        before = kind if letter not in (scheme.end, scheme.single) else ""
    unended += bool(before and scheme.end)
    return Converted(tuple(found), faults, unended)


def _fault(tag: object, letter: str, kind: str, before: str, goes_on: bool, scheme: Scheme) -> str:
    """What is wrong with a tag other than O, or ""."""
    if not letter:
        return f"names no kind; accepted: {_FORMS}"
    if letter not in scheme.letters:
        return (
            f"is no tag of {scheme.name}, in which the other tags of the source are written; "
            "accepted: one scheme"
        )
    if scheme is IOB1 and letter == "B" and kind != before:
        return (
            "follows no entity of its kind, where IOB1, in which the other tags of the source are "
            f"written, has {show(f'I-{kind}')}; accepted: one scheme"
        )
    if scheme is not IOB1 and letter in (scheme.inside, scheme.end) and not goes_on:
        begins = " or ".join(
            show(f"{mark}-{kind}") for mark in (scheme.begin, scheme.single) if mark
        )
        return (
            f"continues nothing, as no {kind} goes on from the word before; accepted: {begins} "
            f"({scheme.name})"
        )
    return ""
