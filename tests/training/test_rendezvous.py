"""Processes meet before TensorFlow connects them, or each says in time what is wrong."""

import socket
import threading
import time

import pytest

from tf_finetune.errors import UserError
from tf_finetune.machine.cluster import Cluster
from tf_finetune.training.rendezvous import meet

SOON = 0.5


@pytest.fixture
def address():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{one.getsockname()[1]}"


@pytest.fixture
def members(address):
    """The processes of a cluster of some size; only the chief's address is ever used."""

    def make(size):
        jobs = {"worker": (address, *(f"127.0.0.1:{port}" for port in range(1, size)))}
        return [Cluster(jobs, "worker", index) for index in range(size)]

    return make


def meet_all(members, jobs, seconds=10.0):
    """What each process says, None where it may go on."""
    said = [None] * len(members)

    def run(index):
        try:
            meet(members[index], jobs[index], seconds)
        except UserError as error:
            said[index] = str(error)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(members))]
    for thread in reversed(threads):  # the others try until the chief is there
        thread.start()
        time.sleep(0.05)
    for thread in threads:
        thread.join()
    return said


def test_all_go_on_when_all_are_there(members):
    assert meet_all(members(3), ["job"] * 3) == [None] * 3


def test_process_alone_waits_for_nobody(members):
    meet(members(1)[0], "job", seconds=0)


def test_process_with_other_options_is_told_and_so_is_the_chief(members):
    chief, other = meet_all(members(2), ["job", "another"])

    assert "process 1 was started with other options, other data" in chief
    assert "the chief was started with other options, other data" in other


def test_missing_worker_is_named_after_the_stated_time(members):
    chief, worker, _ = members(3)

    first, second = meet_all([chief, worker], ["job"] * 2, SOON)

    assert "waited 0 s in vain for 127.0.0.1:2\n" in first
    assert "ended before all processes were there" in second


def test_missing_chief_is_named_after_the_stated_time(members, address):
    began = time.monotonic()

    with pytest.raises(UserError, match=f"waited 0 s in vain for {address}") as caught:
        meet(members(2)[1], "job", 0.4)

    assert 0.4 <= time.monotonic() - began < 5
    assert "firewall" in caught.value.hint


def test_address_in_use_is_told(members, address):
    refused = pytest.raises(UserError, match=rf"worker\[0\]: {address}: this process cannot listen")

    with socket.create_server(("", int(address.split(":")[1]))), refused:
        meet(members(2)[0], "job", SOON)


@pytest.mark.parametrize("line", [b"GET / HTTP/1.1\r\n", b'{"rank": 1}\n', b"[]\n", b""])
def test_stranger_is_not_taken_for_a_process(members, address, line):
    chief, worker = members(2)

    def knock():
        host, port = address.split(":")
        for _ in range(50):
            try:
                with socket.create_connection((host, int(port)), 1) as connection:
                    connection.sendall(line)
                    return
            except OSError:
                time.sleep(0.02)

    stranger = threading.Thread(target=knock)
    stranger.start()
    said = meet_all([chief, worker], ["job"] * 2)
    stranger.join()

    assert said == [None, None]
