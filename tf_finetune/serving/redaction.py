"""Takes out of texts what tells a person, before they are logged.

It finds e-mail addresses, phone numbers and long runs of digits (cards, accounts, passports).
Names and addresses of streets it does not find: logged texts stay personal data.
"""

import re

# Only from where a word begins: from within it, a long one would be tried at every letter.
_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
# Digits in groups, with the usual marks between them, seven or more in all.
_NUMBER = re.compile(r"\+?\(?\d(?:[ \t./()\u00a0\u2010-\u2015-]{0,3}\d){6,}")
_LONG_DIGITS = 9  # without a mark between them, no longer a phone number to be sure of


def redact(text: str) -> str:
    """Replaces addresses and numbers by `[email]`, `[phone]` and `[digits]`."""
    return _NUMBER.sub(_name_number, _EMAIL.sub("[email]", text))


def _name_number(match: re.Match[str]) -> str:
    found = match[0]
    grouped = found.startswith(("+", "(")) or not found.isdecimal()
    digits = sum(character.isdecimal() for character in found)
    if grouped and digits <= 15:  # the most that a phone number has (ITU-T E.164)
        return "[phone]"
    return "[digits]" if digits >= _LONG_DIGITS or grouped else "[phone]"
