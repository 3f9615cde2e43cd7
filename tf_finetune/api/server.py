"""A server of a model, in a process of its own."""

import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

from tf_finetune.errors import RunFailedError, UserError

_READY = re.compile(r"on (http://\S+:\d+)")
_PREFIX = "tf-finetune: "
_SECONDS = 30.0  # for requests that were accepted, when it is stopped


class Server:
    """Answers requests until it is stopped; a context manager that stops it.

    Args:
        run: The folder of the run.
        host: Where to listen.
        port: Where to listen; 0 takes a free one.

    Attributes:
        url: Where it listens; `url + "/docs"` describes what it takes.
        log: File of a line a request.

    Raises:
        UserError: The server's packages are not installed, or the address is taken.
        RunFailedError: It ended for another reason.
    """

    def __init__(self, run: Path, host: str, port: int):
        folder = Path(tempfile.mkdtemp(prefix="tf-finetune-serve-"))
        self.log = folder / "server.log"
        # A process of its own: a notebook's has a loop of events already, and keeps its Ctrl-C.
        command = [sys.executable, "-m", "trainers.serve", str(run)]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [*command, "--host", host, "--port", str(port)],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        assert self._process.stdout is not None
        with self._process.stdout as output:  # a line, and nothing after it
            self.url = self._wait_until_ready(output)

    def _wait_until_ready(self, output: IO[str]) -> str:
        for line in output:
            if found := _READY.search(line):
                return found[1]
        code = self._process.wait()
        said = self.log.read_text(encoding="utf-8", errors="replace").strip()
        if code == UserError.exit_code:
            raise UserError([line.removeprefix(_PREFIX) for line in said.splitlines()])
        raise RunFailedError(f"the server ended with exit code {code}: {said[-2000:]}")

    @property
    def is_running(self) -> bool:
        """Whether it answers."""
        return self._process.poll() is None

    def wait(self) -> None:
        """Waits until it ends, or is stopped by an interruption here."""
        try:
            self._process.wait()
        except KeyboardInterrupt:
            self.stop()

    def stop(self) -> None:
        """Lets it answer what it has accepted, and ends it; does nothing the second time."""
        if self.is_running:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def __enter__(self) -> "Server":
        """The server."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stops it."""
        self.stop()

    def __repr__(self) -> str:
        """Where it listens."""
        return f"Server({self.url!r}{'' if self.is_running else ', stopped'})"

    def _repr_html_(self) -> str:
        """A link to the page that describes it."""
        return f'serving on <a href="{self.url}/docs" target="_blank">{self.url}</a>'
