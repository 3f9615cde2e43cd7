"""Worker processes that are forked from one that has imported KerasTuner, which takes seconds.

`forked_worker.py serve SOCKET` forks; `forked_worker.py SOCKET FOLDER [DEADLY]` is, to whoever
starts it, the worker of `search_by_formula.py work FOLDER [DEADLY]`: it passes on its environment
and output, SIGTERM to the worker, and how the worker ended.
"""

import json
import os
import signal
import socket
import sys


def serve(path):
    """Forks a worker for every connection until the process is ended."""
    import keras_tuner  # noqa: F401
    from search_by_formula import work

    from tf_finetune.search.leading import parallel

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that report
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen()
    while True:
        connection = server.accept()[0]
        if os.fork():
            connection.close()
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        message, outputs, _, _ = socket.recv_fds(connection, 1 << 20, 2)
        asked = json.loads(message)
        reporter, worker = os.getpid(), os.fork()
        if worker:
            connection.send(f"{worker}\n".encode())
            status = os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])
            connection.send(f"{status}\n".encode())
            os._exit(0)
        os.environ.clear()
        os.environ.update(asked["environment"])
        os.environ[parallel._PARENT] = str(reporter)  # whose child the worker is
        for number, output in enumerate(outputs, start=1):
            os.dup2(output, number)
        work(*asked["words"])
        sys.stdout.flush()
        os._exit(0)


def ask(path, words):
    """Has a worker forked and ends as it does."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # until there is a worker to end
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    message = json.dumps({"environment": dict(os.environ), "words": words})
    socket.send_fds(connection, [message.encode()], [1, 2])
    lines = connection.makefile()
    worker = int(lines.readline())
    signal.signal(signal.SIGTERM, lambda *_: os.kill(worker, signal.SIGTERM))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    status = int(lines.readline())
    if status < 0:
        if status == -signal.SIGTERM:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        ask(sys.argv[1], sys.argv[2:])
