"""Notes when a process looks for another machine; that of the tests and those they start.

A process that is started with this folder on its PYTHONPATH and `VARIABLE` in its environment
writes what it asked for into that file: `sitecustomize.py` beside this sees to it.
"""

import os
import sys
from collections.abc import Callable
from typing import Any

VARIABLE = "TF_FINETUNE_TESTS_NETWORK"


def watch(note: Callable[[str], None]) -> None:
    """Calls `note` with a line for each name or address of another machine that is asked for."""

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.getaddrinfo" and not _is_here(arguments[0]):
            note(f"{event} {arguments[0]!r}")
        elif event in ("socket.connect", "socket.sendto"):
            address = arguments[1]
            if isinstance(address, tuple) and not _is_here(address[0]):
                note(f"{event} {address!r}")

    sys.addaudithook(hook)


def write_to(path: str) -> Callable[[str], None]:
    """A note that adds a line to a file, whole, whatever other processes write."""

    def note(line: str) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, f"{sys.argv[:2]}: {line}\n".encode())
        os.close(descriptor)

    return note


def _is_here(host: object) -> bool:
    """Whether a host, as programs name it, is this machine."""
    import ipaddress  # here, as most processes never ask, and start sooner without
    import socket

    if host in (None, "", b"", "localhost", b"localhost", socket.gethostname()):
        return True
    try:
        address = ipaddress.ip_address(host.decode() if isinstance(host, bytes) else str(host))
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
