"""All processes of a cluster meet before TensorFlow connects them.

TensorFlow itself would wait long for a process that never comes, and then abort without a word
that helps. Here each says within a stated time who is missing, and processes that were started
with other options or other data are told so.

The chief listens at its own address of TF_CONFIG, which TensorFlow takes over afterwards; the
others connect and send a line of JSON each, and get one back. Neither side trusts the other
with more than that line.
"""

import json
import socket
import time
from contextlib import suppress
from typing import Any

from tf_finetune.errors import UserError
from tf_finetune.machine.cluster import Cluster

_LONGEST_LINE = 1 << 16
_RETRY_SECONDS = 0.2
_REPLY_SECONDS = 10.0  # for a line to come from someone who has connected


def meet(cluster: Cluster, job: str, seconds: float) -> None:
    """Returns in every process when all are there and do the same job.

    Args:
        cluster: The processes.
        job: What has to be the same in all, such as a hash of the options.
        seconds: How long to wait for the others.

    Raises:
        UserError: Some did not come, do another job, or the chief's address cannot be used.
    """
    if cluster.size == 1:
        return
    deadline = time.monotonic() + seconds
    if cluster.is_chief:
        _gather(cluster, job, seconds, deadline)
    else:
        _report(cluster, job, seconds, deadline)


def _gather(cluster: Cluster, job: str, seconds: float, deadline: float) -> None:
    """The chief's part: waits for a line of each other process, then lets all go."""
    host, port = _split(cluster.addresses[0])
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        server = socket.create_server(("", port), family=family)
    except OSError as error:
        raise UserError(
            f"TF_CONFIG.cluster.{cluster.leader}[0]: {cluster.addresses[0]}: this process "
            f"cannot listen there: {error.strerror}",
            hint="Is another job running at this port? Choose a free one.",
        ) from None
    guests: dict[int, socket.socket] = {}
    try:
        with server:
            while len(guests) < cluster.size - 1:
                if time.monotonic() > deadline:
                    missing = [r for r in range(1, cluster.size) if r not in guests]
                    raise _nobody_came(cluster, missing, seconds)
                server.settimeout(_RETRY_SECONDS)
                try:
                    guest, _ = server.accept()
                except TimeoutError:
                    continue
                rank = _admitted(guest, cluster, job)
                if rank is not None:
                    if rank in guests:  # it was ended and started again meanwhile
                        guests[rank].close()
                    guests[rank] = guest
        for guest in guests.values():
            _send(guest, {"go": True})
    finally:
        for guest in guests.values():
            guest.close()


def _admitted(guest: socket.socket, cluster: Cluster, job: str) -> int | None:
    """Rank of the process at the other end; None for someone who is none of ours."""
    line = _receive(guest)
    if line is None or line.get("program") != "tf-finetune":
        guest.close()
        return None
    rank: Any = line.get("rank")
    if (line.get("job"), line.get("size")) == (job, cluster.size) and rank in range(
        1, cluster.size
    ):
        return int(rank)
    _send(guest, {"go": False})
    guest.close()
    raise _another_job(f"process {rank}")


def _report(cluster: Cluster, job: str, seconds: float, deadline: float) -> None:
    """The part of all others: finds the chief, says who this is, waits to be let go."""
    while True:
        try:
            chief = socket.create_connection(_split(cluster.addresses[0]), _REPLY_SECONDS)
        except OSError:
            if time.monotonic() > deadline:
                raise _nobody_came(cluster, [0], seconds) from None
            time.sleep(_RETRY_SECONDS)
            continue
        with chief:
            _send(
                chief,
                {"program": "tf-finetune", "rank": cluster.rank, "size": cluster.size, "job": job},
            )
            reply = _receive(chief, max(deadline - time.monotonic(), 0) + _REPLY_SECONDS)
        if reply is None:
            raise UserError(
                f"training.strategy=multi_worker: the chief at {cluster.addresses[0]} ended "
                "before all processes were there",
                hint="Its own message says why.",
            )
        if reply.get("go") is not True:
            raise _another_job("the chief")
        return


def _send(connection: socket.socket, content: dict[str, Any]) -> None:
    with suppress(OSError):  # whoever reads notices that nothing came
        connection.sendall(json.dumps(content).encode() + b"\n")


def _receive(connection: socket.socket, seconds: float = _REPLY_SECONDS) -> dict[str, Any] | None:
    """A line of JSON; None if none comes, or something else."""
    connection.settimeout(seconds)
    try:
        with connection.makefile("rb") as file:
            content = json.loads(file.readline(_LONGEST_LINE))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _nobody_came(cluster: Cluster, ranks: list[int], seconds: float) -> UserError:
    missing = ", ".join(cluster.addresses[rank] for rank in ranks)
    return UserError(
        f"training.strategy=multi_worker: waited {seconds:.0f} s in vain for {missing}",
        hint="Is the same command running there, do the processes reach each other (firewall, "
        "names), and does TF_CONFIG.cluster say the same everywhere?",
    )


def _another_job(who: str) -> UserError:
    return UserError(
        f"training.strategy=multi_worker: {who} was started with other options, other data, "
        "other weights of the encoder, another version of tf-finetune, or another number of "
        "processes or of GPUs",
        hint="Start every process with the same command, on machines that are alike.",
    )
