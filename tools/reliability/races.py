"""Two writers at one place: the second is told who the first is, and nothing is lost.

Pairs of processes start within 0.3 s of each other. At a run's or a search's folder one of the
two has to end within a second, naming host and process of the other; the other is killed some
time later, the next pair takes its lock over, and what is finished in the end has to be what an
undisturbed run finishes. At a cache the second waits, says for whom, and computes nothing; if
the first is killed, it computes only what is missing. In a journal both write, and every record
whose writing came to its end has to be there once.
"""

import random
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.reliability.options import harness_options
from tools.reliability.race_of_commands import CommandRaces
from tools.reliability.race_of_files import race_for_cache, race_for_journal

_KINDS = ("run", "search", "cache", "journal")


def main(argv: Sequence[str]) -> int:
    """Races and checks; 0 if all held."""
    parser = harness_options("races", __doc__)
    parser.add_argument("--races", type=int, default=25, help="of each kind (default: 25)")
    parser.add_argument("--seed", type=int, default=0, help="draws the moments (default: 0)")
    parser.add_argument(
        "--kinds", nargs="+", choices=_KINDS, default=_KINDS, help="what to race for (default: all)"
    )
    parser.add_argument(
        "--within", type=float, default=1.0, help="seconds for the second to end (default: 1)"
    )
    arguments = parser.parse_args(argv)
    faults = 0
    for kind in arguments.kinds:
        draws = random.Random(arguments.seed)
        folder = arguments.folder / kind
        folder.mkdir()
        faults += _race(kind, folder, arguments.races, arguments.within, draws)
    return 1 if faults else 0


def _race(kind: str, folder: Path, races: int, within: float, draws: random.Random) -> int:
    """Races of a kind; prints what went wrong and the sum, and gives the number of faults."""
    commands = CommandRaces(folder, kind) if kind in ("run", "search") else None
    files = {"cache": race_for_cache, "journal": race_for_journal}
    faults, slowest = 0, 0.0
    for number in range(races):
        if commands is not None:
            found = commands.race(draws)
        else:
            (folder / str(number)).mkdir()
            found = files[kind](folder / str(number), draws, kill=bool(number % 2))
        slowest = max(slowest, found.seconds)
        if found.seconds > within:
            found.problems.append(f"{found.seconds:.2f} s until the second knew")
        faults += bool(found.problems)
        for problem in found.problems:
            print(f"{kind}, race {number}: {problem}", flush=True)
    print(
        f"{kind}: {races} races, {faults} faults; the second knew of the first after "
        f"{slowest:.2f} s at most"
        + (f"; {commands.finished} came to their end" if commands is not None else ""),
        flush=True,
    )
    return faults


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
