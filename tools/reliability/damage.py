"""Flips bits in, and cuts, every kind of file the project leaves; all must be noticed by name.

A tiny run with all its exports, a search, a token store, states of a frozen prefix and
checkpoints are made once. Then one file at a time is damaged at a random place, opened again
through what the trainers call, and put back. Counted is whether the message names the file,
and, where something was opened and not only refused, whether it is right: the earlier
checkpoint, or the cache computed anew.
"""

import contextlib
import io
import itertools
import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.reliability.damage_subjects import (
    Subject,
    checkpoints,
    finished_run,
    journal,
    prefix_states,
    token_store,
)
from tools.reliability.options import harness_options

Damage = Callable[[Path, random.Random], str]


def main(argv: Sequence[str]) -> int:
    """Damages and prints a line a kind; 0 if all was noticed."""
    parser = harness_options("damage", __doc__)
    parser.add_argument("--flips", type=int, default=1000, help="bits (default: 1000)")
    parser.add_argument("--cuts", type=int, default=100, help="truncations (default: 100)")
    parser.add_argument("--seed", type=int, default=0, help="draws the places (default: 0)")
    arguments = parser.parse_args(argv)
    began = time.monotonic()
    with contextlib.redirect_stdout(io.StringIO()):
        subjects = make_subjects(arguments.folder)
    print(f"made {sum(len(s.files) for s in subjects)} files in {time.monotonic() - began:.0f} s")
    draws = random.Random(arguments.seed)
    held = report(subjects, "flipped bits", arguments.flips, flip, draws)
    return 0 if report(subjects, "truncations", arguments.cuts, cut, draws) and held else 1


def make_subjects(folder: Path) -> list[Subject]:
    """Makes every kind of file."""
    from tf_finetune.encoders.tokenizers import load_tokenizer
    from tf_finetune.models.weights import Pretrained
    from tf_finetune.training.compiling import build_fine_tuner
    from tf_finetune.training.strategy import build_strategy
    from tools.reliability.tiny_job import make_run, make_search, tiny_spec

    run = make_run(folder, formats="huggingface,savedmodel,litert")
    search = make_search(folder)
    spec = tiny_spec(folder / "encoder", depth=2)
    model = build_fine_tuner(spec, Pretrained(), build_strategy("cpu"))
    return [
        *finished_run("run", run),
        *finished_run("search", search),
        journal(search),
        checkpoints(folder / "checkpoints", model),
        token_store(folder / "tokens", folder / "texts.csv", load_tokenizer(spec.files)),
        prefix_states(folder / "prefix"),
    ]


def report(
    subjects: list[Subject], what: str, tries: int, damage: Damage, draws: random.Random
) -> bool:
    """Damages files in turn, `tries` times in all, and prints what came of it."""
    ends = [sum(s.share for s in subjects[:index]) for index in range(len(subjects) + 1)]
    places = [tries * end // ends[-1] for end in ends]
    rounds = [end - start for start, end in itertools.pairwise(places)]
    totals: Counter[str] = Counter()
    for subject, times in zip(subjects, rounds, strict=True):
        found = try_subject(subject, times, damage, draws)
        totals += found
        print(
            f"{what:13} {subject.name:40} {_counts(found)}",
            flush=True,
        )
    print(f"{what}: {_counts(totals)}")
    return totals["named"] == totals["tries"] and totals["right"] == totals["opened"]


def _counts(found: Counter[str]) -> str:
    return (
        f"{found['tries']:5} tries, {found['named']:5} named; {found['opened']:5} opened again, "
        f"{found['right']:5} right"
    )


def try_subject(subject: Subject, times: int, damage: Damage, draws: random.Random) -> Counter[str]:
    """Damages the files of one kind in turn, each try from whole files."""
    found: Counter[str] = Counter()
    saved = {path: path.read_bytes() for path in subject.folder.rglob("*") if path.is_file()}
    for number in range(times):
        path = subject.files[number % len(subject.files)]
        place = damage(path, draws)
        said, right = subject.open_again()
        # The first line of a journal is named by file and line, a file of a store by its path.
        named = str(path) in said
        opened = right is not None
        found.update({"tries": 1, "named": named, "opened": opened, "right": bool(right)})
        if not named or right is False:
            print(f"  NOT noticed: {path}, {place}: {said!r}, right: {right}", file=sys.stderr)
        restore(subject.folder, saved)
    return found


def restore(folder: Path, saved: dict[Path, bytes]) -> None:
    """Puts a folder back."""
    shutil.rmtree(folder)
    for path, content in saved.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def flip(path: Path, draws: random.Random) -> str:
    """Flips one bit of a file."""
    content = bytearray(path.read_bytes())
    bit = draws.randrange(8 * len(content))
    content[bit // 8] ^= 1 << (bit % 8)
    path.write_bytes(content)
    return f"bit {bit}"


def cut(path: Path, draws: random.Random) -> str:
    """Cuts a file at a random length."""
    content = path.read_bytes()
    length = draws.randrange(len(content))
    path.write_bytes(content[:length])
    return f"cut to {length} bytes"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
