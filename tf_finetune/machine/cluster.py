"""The processes of a `multi_worker` training, as the environment variable TF_CONFIG names them.

Read and checked here before TensorFlow sees it: TensorFlow answers most mistakes in it by
waiting for processes that will never come.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tf_finetune.errors import UserError

VARIABLE = "TF_CONFIG"
JOBS = ("chief", "worker")  # in the order of their ranks
_ADDRESS = re.compile(r"[^\s:/]+:(\d{1,5})|\[[0-9A-Fa-f:.]+\]:(\d{1,5})")
_EXAMPLE = (
    '{"cluster": {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}, '
    '"task": {"type": "worker", "index": 0}}'
)
_HINT = (
    f"{VARIABLE} has to be set for every process, for example {_EXAMPLE}. On one machine "
    "tools/local_workers sets it; docs/distribution.md tells how under Slurm and Kubernetes."
)


@dataclass(frozen=True)
class Cluster:
    """All processes that train one model together, and which of them this is.

    Attributes:
        jobs: Addresses (HOST:PORT) of each job's tasks: of "worker", and of "chief" if there is
            one beside the workers.
        job: Job of this process.
        index: Its number in that job.
    """

    jobs: Mapping[str, tuple[str, ...]]
    job: str
    index: int

    @property
    def size(self) -> int:
        """Number of processes."""
        return len(self.addresses)

    @property
    def rank(self) -> int:
        """Number of this process among all; the chief is 0."""
        before = self.jobs.get("chief", ()) if self.job == "worker" else ()
        return len(before) + self.index

    @property
    def is_chief(self) -> bool:
        """Whether this is the process that writes the run directory."""
        return self.rank == 0

    @property
    def addresses(self) -> tuple[str, ...]:
        """Addresses by rank."""
        return tuple(address for job in JOBS for address in self.jobs.get(job, ()))

    @property
    def leader(self) -> str:
        """Job of the chief."""
        return "chief" if "chief" in self.jobs else "worker"


def read_cluster(environment: Mapping[str, str] = os.environ) -> Cluster:
    """Reads and checks TF_CONFIG.

    Raises:
        UserError: It is not set or malformed, with every mistake and its key.
    """
    text = environment.get(VARIABLE, "")
    if not text.strip():
        raise UserError(
            f"training.strategy=multi_worker: the environment variable {VARIABLE} is not set",
            hint=_HINT,
        )
    try:
        content = json.loads(text)
    except ValueError as error:
        raise UserError(f"{VARIABLE}: is not JSON: {error}", hint=_HINT) from None
    if not isinstance(content, dict):
        raise UserError(f"{VARIABLE}: received {_shown(content)}; accepted: an object", hint=_HINT)
    problems: list[str] = []
    jobs = _jobs(content.get("cluster"), problems)
    job, index = _task(content.get("task"), jobs, problems)
    if problems:
        raise UserError(problems, hint=_HINT)
    return Cluster(jobs, job, index)


def check_cluster(strategy: str, environment: Mapping[str, str] = os.environ) -> Cluster | None:
    """Checks that a training and TF_CONFIG mean the same, before the data is read.

    Args:
        strategy: `training.strategy`.
        environment: Where the variable is looked for.

    Returns:
        The processes that train together; None: this one alone.

    Raises:
        UserError: TF_CONFIG is missing or malformed where it is needed, or it names several
            processes and the strategy is for one: each would train and write the same model.
    """
    if strategy == "multi_worker":
        return read_cluster(environment)
    if environment.get(VARIABLE, "").strip():
        size = read_cluster(environment).size
        if size > 1:
            raise UserError(
                f"training.strategy: received {strategy} where {VARIABLE} names {size} processes; "
                "accepted: multi_worker",
                hint=f"Or unset {VARIABLE}, to train in this process alone.",
            )
    return None


def _jobs(cluster: Any, problems: list[str]) -> dict[str, tuple[str, ...]]:
    """Checked addresses by job; what is wrong is added to the problems."""
    where = f"{VARIABLE}.cluster"
    if not isinstance(cluster, dict) or not cluster:
        received = "is missing" if cluster is None else f"received {_shown(cluster)}"
        problems.append(f"{where}: {received}; accepted: an object of {' and '.join(JOBS)}")
        return {}
    problems += [
        f"{where}.{name}: unknown job; accepted: {', '.join(JOBS)}"
        for name in cluster
        if name not in JOBS
    ]
    jobs = {}
    for name in JOBS:
        if name not in cluster:
            continue
        addresses = cluster[name]
        if not isinstance(addresses, list) or not addresses:
            problems.append(
                f"{where}.{name}: received {_shown(addresses)}; accepted: a list of HOST:PORT"
            )
            continue
        problems += [
            f"{where}.{name}[{number}]: received {_shown(address)}; accepted: HOST:PORT with a "
            "port from 1 to 65535"
            for number, address in enumerate(addresses)
            if not _is_address(address)
        ]
        jobs[name] = tuple(map(str, addresses))
    if len(jobs.get("chief", ())) > 1:
        problems.append(f"{where}.chief: received {len(jobs['chief'])} addresses; accepted: one")
    counted = Counter(address for addresses in jobs.values() for address in addresses)
    problems += [
        f"{where}: {address} is there {times} times; accepted: an address of its own for each"
        for address, times in counted.items()
        if times > 1
    ]
    return jobs


def _task(task: Any, jobs: Mapping[str, tuple[str, ...]], problems: list[str]) -> tuple[str, int]:
    """Job and index of this process; what is wrong is added to the problems."""
    where = f"{VARIABLE}.task"
    if not isinstance(task, dict):
        received = "is missing" if task is None else f"received {_shown(task)}"
        problems.append(f'{where}: {received}; accepted: an object of "type" and "index"')
        return "", 0
    job, index = task.get("type"), task.get("index")
    if jobs and job not in jobs:
        problems.append(
            f"{where}.type: received {_shown(job)}; accepted: {' or '.join(jobs)}, as in "
            f"{VARIABLE}.cluster"
        )
        return "", 0
    if isinstance(index, str) and index.isdecimal():
        index = int(index)  # what a shell script or a Kubernetes manifest may put there
    last = len(jobs.get(str(job), "?")) - 1
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index <= last:
        problems.append(
            f"{where}.index: received {_shown(index)}; accepted: 0 to {last}, a place in "
            f"{VARIABLE}.cluster.{job}"
        )
        return "", 0
    return str(job), index


def _is_address(value: Any) -> bool:
    match = _ADDRESS.fullmatch(value) if isinstance(value, str) else None
    return match is not None and 1 <= int(match[1] or match[2]) <= 65_535


def _shown(value: Any) -> str:
    return json.dumps(value)[:60]
