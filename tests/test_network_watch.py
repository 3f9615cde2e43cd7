"""That tests stay off the network is seen in the processes that they start, too."""

import subprocess
import sys

import pytest

ASK = "import sys; sys.audit('socket.getaddrinfo', {host!r}, 80, 0, 0, 0)"


@pytest.mark.parametrize("words", [("-c",), ("-X", "dev", "-c")])
def test_a_process_that_looks_for_another_machine_is_noted(asked_by_processes, words):
    subprocess.run([sys.executable, *words, ASK.format(host="models.example.org")], check=True)

    assert "getaddrinfo 'models.example.org'" in asked_by_processes.read_text()
    asked_by_processes.unlink()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", ""])
def test_this_machine_may_be_asked(asked_by_processes, host):
    subprocess.run([sys.executable, "-c", ASK.format(host=host)], check=True)

    assert not asked_by_processes.exists()
