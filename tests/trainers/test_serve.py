"""`serve` on a real run: starts, answers, reloads, and ends when it is told to."""

import contextlib
import json
import os
import re
import shutil
import signal
import threading
import time
import urllib.error
import urllib.request

import pytest

from trainers import predict
from trainers.cli import run_command
from trainers.serve import main

TEXTS = ["the film 1 was good and great !", "the plot 2 was very very bad and dull ."]


class Server:
    """Talks from a thread to the server that the main thread runs."""

    def __init__(self, capsys):
        self._capsys = capsys
        self.base = None
        self.found = {}
        self.failure = None

    def ask(self, path, body=None):
        request = urllib.request.Request(
            self.base + path, headers={"Content-Type": "application/json"}
        )
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(request, data, timeout=30) as response:
            return response.read().decode()

    def talk(self, conversation):
        try:
            self.base = self._wait_for_address()
            conversation(self)
        except BaseException as error:
            self.failure = error
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    def _wait_for_address(self):
        until, shown = time.monotonic() + 60, ""
        while time.monotonic() < until:
            shown += self._capsys.readouterr().out
            found = re.search(r"on (http://\S+:\d+)", shown)
            if found:
                return found[1]
            time.sleep(0.05)
        raise TimeoutError(shown)


@pytest.fixture
def run(finished_run, tmp_path):
    return shutil.copytree(finished_run, tmp_path / "run")


def serve_while(server, run, conversation):
    """Run the command and a conversation with it, until the conversation ends it."""
    # A signal that comes before the server handles it must not end the tests.
    previous = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    thread = threading.Thread(target=server.talk, args=(conversation,))
    try:
        thread.start()
        code = run_command(main, [str(run), "--port", "0"])
        thread.join()
    finally:
        signal.signal(signal.SIGTERM, previous)
    if server.failure is not None:
        raise server.failure
    return code


def test_answers_as_predict_does_reloads_and_ends(run, capsys, tmp_path, written_rounding):
    path = tmp_path / "texts.txt"
    path.write_text("\n".join(TEXTS) + "\n")
    assert run_command(predict.main, [str(run), str(path)]) == 0
    expected = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    found = {}

    def conversation(server):
        found["answer"] = json.loads(server.ask("/predict", {"texts": TEXTS}))
        manifest = run / "model" / "manifest.json"
        manifest.write_text(manifest.read_text() + " ")  # another version, as of a new model
        os.kill(os.getpid(), signal.SIGHUP)
        until = time.monotonic() + 60
        version = found["answer"]["model"]
        while version == found["answer"]["model"] and time.monotonic() < until:
            time.sleep(0.1)
            version = json.loads(server.ask("/health"))["model"]
        found["version"] = version
        found["metrics"] = server.ask("/metrics")
        slow = threading.Thread(target=last_question, args=(server,))
        slow.start()
        slow.join(0.02)  # it is on its way when the server is told to end
        found["slow"] = slow

    def last_question(server):
        with contextlib.suppress(urllib.error.URLError):  # it came too late to be accepted
            found["last"] = json.loads(server.ask("/predict", {"texts": TEXTS * 50}))

    server = Server(capsys)
    assert serve_while(server, run, conversation) == 0
    found["slow"].join()

    for answer, line in zip(found["answer"]["predictions"], expected, strict=True):
        assert answer["label"] == line["label"]
        near = pytest.approx(line["probabilities"], abs=written_rounding)
        assert answer["probabilities"] == near
    assert found["version"] != found["answer"]["model"]
    assert 'tf_finetune_reloads_total{result="done"} 1.0' in found["metrics"]
    assert 'drift_psi{quantity="confidence"}' in found["metrics"]
    if "last" in found:
        assert len(found["last"]["predictions"]) == 100
    kept = json.loads((run / "serving.json").read_text())
    assert set(kept["reference"]) == {"label", "characters", "confidence"}
    assert kept["reference"]["label"]["names"] == ["neg", "pos"]


def test_mistakes_are_told_before_a_model_is_loaded(finished_run, command_fails, monkeypatch):
    monkeypatch.delenv("TF_FINETUNE_TOKEN", raising=False)
    run = str(finished_run)

    assert "there is no token" in command_fails(main, run, "--host", "0.0.0.0")
    assert "accepted: 0 to 65535" in command_fails(main, run, "--port", "70000")
    assert "accepted: a whole number" in command_fails(main, run, "--max-batch", "many")
    assert "no run here" in command_fails(main, "nowhere")
