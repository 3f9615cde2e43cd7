"""The manifests of docs/distribution.md parse and give each process a TF_CONFIG that is right."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tf_finetune.machine.cluster import read_cluster

PAGE = (Path(__file__).parents[1] / "docs" / "distribution.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def bash(script, folder, **variables):
    """What a script prints where `python` and `tf-finetune` print their environment."""
    programs = {
        "python": "env",
        "tf-finetune": "env",
        "scontrol": "echo node1; echo node2",
        "srun": 'while [ "$1" != bash ]; do shift; done; exec "$@"',
    }
    for name, body in programs.items():
        (folder / name).write_text(f"#!/bin/bash\n{body}\n")
        (folder / name).chmod(0o755)
    path = f"{folder}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-eu", "-c", script],
        env={"PATH": path} | variables,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return dict(re.findall(r"^(\w+)=((?:[^\n]|\n(?!\w+=))*)", done.stdout, re.MULTILINE))


def test_slurm_training_gives_each_task_its_place(tmp_path):
    training, _ = blocks("bash")

    environment = bash(training, tmp_path, SLURM_JOB_NODELIST="node[1-2]", SLURM_PROCID="1")

    cluster = read_cluster(environment)
    assert cluster.addresses == ("node1:2222", "node2:2222")
    assert (cluster.rank, cluster.size) == (1, 2)


@pytest.mark.parametrize("rank", ["0", "2"])
def test_slurm_search_has_one_chief(tmp_path, rank):
    _, search = blocks("bash")
    (tmp_path / "config.yaml").touch()
    search = search.replace("/shared/search", str(tmp_path))

    found = bash(search, tmp_path, SLURM_JOB_NODELIST="node[1-2]", SLURM_PROCID=rank)

    assert found["KERASTUNER_TUNER_ID"] == {"0": "chief", "2": "worker2"}[rank]
    assert (found["KERASTUNER_ORACLE_IP"], found["KERASTUNER_ORACLE_PORT"]) == ("node1", "8765")


def test_kubernetes_job_gives_each_pod_its_place(tmp_path):
    kubernetes, _ = blocks("yaml")
    service, job = yaml.safe_load_all(kubernetes)
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]

    environment = bash(container["args"][0], tmp_path, JOB_COMPLETION_INDEX="1")

    cluster = read_cluster(environment)
    assert (cluster.rank, cluster.size) == (1, job["spec"]["completions"])
    assert cluster.addresses[0] == f"{job['metadata']['name']}-0.{pod['subdomain']}:2222"
    assert pod["subdomain"] == service["metadata"]["name"]


def test_vertex_pools_run_the_same_command():
    _, vertex = blocks("yaml")
    chief, workers = (pool["containerSpec"] for pool in yaml.safe_load(vertex)["workerPoolSpecs"])

    assert chief == workers
    assert "training.strategy=multi_worker" in chief["args"]
