"""A Python that has imported TensorFlow: `EXECUTABLE -m MODULE ARGUMENT...` forks from it.

Importing takes ten seconds of a processor, which is most of what a tiny run in a process of its
own costs. `python -m tests.forked_python FOLDER` writes the executable into the folder and serves
it as long as anybody is connected who said to stay. The executable passes its working folder,
environment, outputs and signals on, and ends as the process does, whose number is another. A
process that is forked starts its own processes (the workers of a search) in the same way.
"""

import contextlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import time
from pathlib import Path

from tests.untraced import follow_environment

_POLL_SECONDS = 0.01
_FIRST_SECONDS = 60.0  # in which the first has to say that it stays
# What `parallel.end_with_chief` compares with the parent of a worker.
_PARENT = "TF_FINETUNE_CHIEF_PID"
_PASSED_ON = {
    signal.SIGINT: signal.SIGINT,
    signal.SIGTERM: signal.SIGTERM,
    signal.SIGTSTP: signal.SIGSTOP,  # which nobody can pass on
    signal.SIGCONT: signal.SIGCONT,
}
_STAY = "stay"


def executable(folder):
    """Path of the Python in a folder."""
    return Path(folder) / "python"


def stay(folder):
    """Keeps the server of a folder until the connection that is returned is closed.

    Raises:
        OSError: Nobody serves there.
    """
    connection = _connect(folder)
    connection.send(json.dumps(_STAY).encode())
    connection.recv(1)
    return connection


def serve(folder):
    """Forks a process for every request; the child returns with its request, the server never.

    The process that calls it ends as soon as there is a server.
    """
    path = folder / "socket"
    path.unlink(missing_ok=True)
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()
    if os.fork():
        os._exit(0)
    staying, until = [], time.monotonic() + _FIRST_SECONDS
    while staying or time.monotonic() < until:
        ready, _, _ = select.select([server, *staying], [], [], 1.0)
        _forget_those_that_ended()
        staying = [one for one in staying if one not in ready]  # they say nothing until they close
        if server not in ready:
            continue
        connection = server.accept()[0]
        message, outputs, _, _ = socket.recv_fds(connection, 1 << 20, 2)
        asked = json.loads(message)
        if asked == _STAY:
            connection.send(b".")
            staying.append(connection)
            until = 0.0
        elif os.fork():
            connection.close()
            for output in outputs:
                os.close(output)
        else:
            for one in (server, *staying):
                one.close()
            _report_on_a_child(connection)
            return asked, outputs
    os._exit(0)


def _forget_those_that_ended():
    with contextlib.suppress(ChildProcessError):  # there is none
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _report_on_a_child(connection):
    """Returns in a new process; this one tells its number and how it ends, and ends with it."""
    child = os.fork()
    if child == 0:
        connection.close()
        os.setsid()
        return
    connection.send(f"{child}\n".encode())
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        if select.select([connection], [], [], _POLL_SECONDS)[0]:  # whoever asked is gone
            os.kill(child, signal.SIGKILL)
            os._exit(0)
    connection.send(f"{os.waitstatus_to_exitcode(ended[1])}\n".encode())
    os._exit(0)


def become(asked, outputs, folder):
    """Runs the module that is asked for as this process; as Python itself would."""
    os.environ.clear()
    os.environ.update(asked["environment"])
    if _PARENT in os.environ:
        os.environ[_PARENT] = str(os.getppid())
    follow_environment()
    os.chdir(asked["folder"])
    for number, output in enumerate(outputs, start=1):
        os.dup2(output, number)
        os.close(output)
    sys.stdout.reconfigure(line_buffering=True)
    sys.executable = str(executable(folder))
    _, module, *arguments = asked["words"]
    sys.argv = [module, *arguments]
    sys.modules.pop(module, None)  # it was imported for what it imports
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def ask(folder, words):
    """Has a process forked, passes signals on to it, and ends as it does."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED_ON)  # until there is somebody to pass them to
    connection = _connect(folder)
    message = {"folder": os.getcwd(), "environment": dict(os.environ), "words": words}
    socket.send_fds(connection, [json.dumps(message).encode()], [1, 2])
    lines = connection.makefile()
    child = int(lines.readline())
    for received, sent in _PASSED_ON.items():
        signal.signal(received, lambda *_, sent=sent: os.kill(child, sent))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
    status = int(lines.readline())
    if status < 0:
        if status != -signal.SIGKILL:
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)


def _connect(folder):
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(Path(folder) / "socket"))
    except OSError:
        connection.close()
        raise
    return connection


def _write_executable(folder):
    program = executable(folder)
    program.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(Path.cwd())!r})\n"
        f"from tests.forked_python import ask\nask({str(folder)!r}, sys.argv[1:])\n"
    )
    program.chmod(0o755)


def _import_everything():
    import trainers.search
    import trainers.train  # noqa: F401
    from tools.reliability.forked import import_everything

    import_everything()


if __name__ == "__main__":
    _import_everything()
    home = Path(sys.argv[1])
    _write_executable(home)
    become(*serve(home), home)
