"""KerasTuner's chief and workers, with what they lack: a lost worker's trial is run again.

The chief serves its oracle over gRPC and starts worker processes. KerasTuner itself would
wait for ever for a worker that is gone; here the chief starts it again under the same name,
and the oracle gives it the trial that it was at, which goes on from its checkpoint. A trial
that ends its process three times is marked failed.

On several machines the workers are started by hand, with KERASTUNER_TUNER_ID,
KERASTUNER_ORACLE_IP and KERASTUNER_ORACLE_PORT set and the run folder shared; see
docs/search.md.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent import futures
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import grpc  # type: ignore[import-untyped]
import keras_tuner
from keras_tuner.src import protos
from keras_tuner.src.distribute.oracle_chief import OracleServicer

from tf_finetune.errors import UserError
from tf_finetune.machine import interruption
from tf_finetune.results.trial import TrialResult
from tf_finetune.searches.leading.tuner import SearchOracle
from tf_finetune.searches.running.records import TrialRecord

MOST_ATTEMPTS = 3
_LOOPBACK = "127.0.0.1"
_PARENT = "TF_FINETUNE_CHIEF_PID"
_POLL_SECONDS = 0.2
_USER_ERROR = 2


def run_chief(oracle: SearchOracle, workers: int, command: Sequence[str], logs: Path) -> None:
    """Serves an oracle until nothing is left to try.

    Args:
        oracle: What hands out trials.
        workers: How many worker processes to start here; 0 for workers that come from
            other machines.
        command: Starts a worker.
        logs: Folder for what workers print.

    Raises:
        UserError: A worker reported a mistake of the user's, or none can be started.
        Interrupted: Ctrl-C or SIGTERM; the workers have saved where they were.
    """
    with _serve(oracle) as port:
        pool = _Workers(oracle, workers, command, logs, port)
        try:
            with interruption.deferred():
                pool.watch()
        finally:
            pool.stop()


def end_with_chief() -> None:
    """Ends this worker process when its chief is gone, so that two never run one trial."""
    chief = os.environ.get(_PARENT)
    if chief is None:
        return

    def watch() -> None:
        while os.getppid() == int(chief):
            time.sleep(_POLL_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="chief-watch", daemon=True).start()


@contextmanager
def _serve(oracle: keras_tuner.Oracle) -> Iterator[int]:
    """Serves the oracle; on loopback at any free port unless the environment says otherwise."""
    host = os.environ.get("KERASTUNER_ORACLE_IP", _LOOPBACK)
    wanted = os.environ.get("KERASTUNER_ORACLE_PORT", "0")
    # One thread: an oracle is no place for two calls at once.
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=1))
    protos.get_service_grpc().add_OracleServicer_to_server(OracleServicer(oracle), server)
    try:
        port = server.add_insecure_port(f"{host}:{wanted}")
    except RuntimeError as error:
        raise UserError(f"{host}:{wanted}: the chief cannot listen there: {error}") from None
    server.start()
    try:
        yield port
    finally:
        server.stop(grace=1.0).wait()


class _Workers:
    """The worker processes on this machine."""

    def __init__(
        self, oracle: SearchOracle, count: int, command: Sequence[str], logs: Path, port: int
    ):
        self._oracle = oracle
        self._count = count
        self._command = list(command)
        self._logs = logs
        self._port = port
        self._attempts: Counter[str] = Counter()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        logs.mkdir(parents=True, exist_ok=True)
        for index in range(count):
            self._start(f"worker{index}", index)

    def watch(self) -> None:
        """Waits for the end of the search and starts lost workers again."""
        while self._processes or not self._oracle.is_done:
            if self._oracle.error is not None:
                raise self._oracle.error
            for index in range(self._count):
                tuner_id = f"worker{index}"
                process = self._processes.get(tuner_id)
                code = None if process is None else process.poll()
                if code is None:
                    continue
                del self._processes[tuner_id]
                if code != 0:
                    self._replace(tuner_id, index, code)
            time.sleep(_POLL_SECONDS)
            interruption.check()

    def stop(self) -> None:
        """Ends what still runs; trials go on from their checkpoints another time."""
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _replace(self, tuner_id: str, index: int, code: int) -> None:
        log = self._logs / f"{tuner_id}.log"
        if code == _USER_ERROR:
            raise UserError(f"{tuner_id}: {_last_lines(log)}")
        at = self._oracle.ongoing_of(tuner_id)
        key = tuner_id if at is None else at.request.key
        self._attempts[key] += 1
        if self._attempts[key] >= MOST_ATTEMPTS:
            reason = f"its process ended {MOST_ATTEMPTS} times, {_ending(code)}"
            if at is None:
                raise UserError(f"{tuner_id} cannot work: {reason}; see {log}")
            request = at.request
            result = TrialResult(request.cell, request.seed, "failed", reason=reason)
            folder = request.folder_name(request.epochs)
            record = TrialRecord(request, at.stage, result, 0.0, (), folder)
            record = replace(record, why=at.why, chance_right=at.chance_right)
            self._oracle.give_up(tuner_id, record)
        self._start(tuner_id, index)

    def _start(self, tuner_id: str, index: int) -> None:
        threads = str(max(1, (os.cpu_count() or 1) // max(1, self._count)))
        environment = os.environ | {
            "KERASTUNER_TUNER_ID": tuner_id,
            "KERASTUNER_ORACLE_IP": _LOOPBACK,
            "KERASTUNER_ORACLE_PORT": str(self._port),
            _PARENT: str(os.getpid()),
            # Else each would start as many threads as there are cores.
            "TF_NUM_INTRAOP_THREADS": threads,
            "TF_NUM_INTEROP_THREADS": threads,
            "OMP_NUM_THREADS": threads,
            # Else the first takes all of a GPU's memory.
            "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        }
        visible = _visible_gpus()
        if visible:
            environment["CUDA_VISIBLE_DEVICES"] = visible[index % len(visible)]
        with (self._logs / f"{tuner_id}.log").open("ab") as log:
            # A session of its own: Ctrl-C is for the chief, which then ends its workers.
            self._processes[tuner_id] = subprocess.Popen(
                self._command, env=environment, stdout=log, stderr=log, start_new_session=True
            )


def worker_command(config: Path) -> list[str]:
    """Starts a worker of the search whose configuration this is."""
    return [sys.executable, "-m", "trainers.search", "--config", str(config)]


def _visible_gpus() -> list[str]:
    """Names for CUDA_VISIBLE_DEVICES, one a GPU; workers share them in turn."""
    import tensorflow as tf

    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given:
        return given.split(",")
    return [str(index) for index, _ in enumerate(tf.config.list_physical_devices("GPU"))]


def _ending(code: int) -> str:
    if code >= 0:
        return f"with code {code}"
    name = signal.Signals(-code).name
    hint = ", perhaps by the system for want of memory" if -code == signal.SIGKILL else ""
    return f"by {name}{hint}"


def _last_lines(log: Path, count: int = 5) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return "\n".join(lines[-count:]) or f"see {log}"
