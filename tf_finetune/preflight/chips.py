"""What the data sheets say of each TPU chip."""

import difflib
from dataclasses import dataclass

from tf_finetune.errors import UserError

GB = 10**9


@dataclass(frozen=True)
class Chip:
    """One kind of TPU chip, as its maker describes it.

    Attributes:
        name: Such as "v5e".
        hbm_bytes: Memory of the chip, GB read as 10**9.
        peak_flops: bfloat16 FLOPs a second.
        hbm_bandwidth: Bytes a second.
        source: Where the figures come from.
    """

    name: str
    hbm_bytes: int
    peak_flops: float
    hbm_bandwidth: float
    source: str

    @property
    def topology(self) -> str:
        """One chip, in the words of libtpu."""
        return f"{self.name}:1x1x1"


CHIPS = {
    chip.name: chip
    for chip in (
        Chip("v5e", 16 * GB, 197e12, 819e9, "https://cloud.google.com/tpu/docs/v5e"),
        Chip("v5p", 95 * GB, 459e12, 2765e9, "https://cloud.google.com/tpu/docs/v5p"),
        Chip("v4", 32 * GB, 275e12, 1200e9, "https://cloud.google.com/tpu/docs/v4"),
        Chip("v6e", 32 * GB, 918e12, 1638e9, "https://cloud.google.com/tpu/docs/v6e"),
    )
}


def parse_chips(text: str) -> list[Chip]:
    """The chips of a list such as "v5e,v4".

    Raises:
        UserError: A name is not one of `CHIPS`.
    """
    names = [name.strip().lower() for name in text.split(",")]
    problems = []
    for name in names:
        if name not in CHIPS:
            nearest = difflib.get_close_matches(name, CHIPS, n=1)
            hint = f"; nearest: {nearest[0]}" if nearest else ""
            problems.append(f"--chips: received {name!r}; accepted: {', '.join(CHIPS)}{hint}")
    if problems:
        raise UserError(problems)
    return [CHIPS[name] for name in dict.fromkeys(names)]
