"""Processes of one cluster on this machine: started together, ended together."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "local_workers"
RANK = 'import json, os; rank = json.loads(os.environ["TF_CONFIG"])["task"]["index"]; '


def run(number, program):
    return subprocess.run(
        [TOOL, number, "--", sys.executable, "-c", RANK + program],
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_each_process_gets_its_place_and_its_lines_their_number():
    done = run("3", 'print(os.environ["TF_CONFIG"])')

    assert done.returncode == 0
    told = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert sorted(told) == ["[0]", "[1]", "[2]"]
    configurations = [json.loads(told[f"[{rank}]"]) for rank in range(3)]
    assert [c["task"] for c in configurations] == [
        {"type": "worker", "index": index} for index in range(3)
    ]
    (workers,) = {tuple(c["cluster"]["worker"]) for c in configurations}
    assert len(set(workers)) == 3
    assert all(address.startswith("127.0.0.1:") for address in workers)


def test_others_are_ended_when_one_fails_and_its_code_is_given():
    done = run("2", "import sys, time; sys.exit(7) if rank else time.sleep(60)")

    assert done.returncode == 7


def test_killed_process_gives_the_code_of_a_shell():
    done = run("2", "import time; os.kill(os.getpid(), 9) if rank == 0 else time.sleep(60)")

    assert done.returncode == 128 + 9


def test_signal_is_passed_on_to_all():
    program = (
        "import signal, sys, time; signal.signal(15, lambda *_: (print('saved'), sys.exit(143))); "
        "print('ready'); time.sleep(60)"
    )
    process = subprocess.Popen(
        [TOOL, "2", "--", sys.executable, "-c", RANK + program], stdout=subprocess.PIPE, text=True
    )
    assert {process.stdout.readline() for _ in range(2)} == {"[0] ready\n", "[1] ready\n"}

    os.kill(process.pid, signal.SIGTERM)
    rest, _ = process.communicate(timeout=30)

    assert sorted(rest.splitlines()) == ["[0] saved", "[1] saved"]
    assert process.returncode == 143


@pytest.mark.parametrize("arguments", [["0", "true"], ["2"], ["2", "--", "/no/such/program"]])
def test_wrong_use_ends_with_code_two(arguments):
    done = subprocess.run([TOOL, *arguments], capture_output=True, text=True, timeout=30)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr
