"""Numbers drawn by a hash: functions of the seed and of what they are drawn for alone.

They do not depend on what was drawn before, so the same word gets the same replacement in both
texts of a pair, and a check gives the same texts whichever others are run.
"""

import hashlib


def drawn(below: int, seed: str, *what: str) -> int:
    """A number from 0 to `below` - 1.

    Args:
        below: At least 1.
        seed: Of the text.
        what: What it is drawn for, such as the word.
    """
    named = "\x1f".join((seed, *what)).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(named, digest_size=8).digest(), "big") % below
