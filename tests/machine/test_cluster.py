"""TF_CONFIG is read as TensorFlow does, and every mistake in it is named by its key."""

import json

import pytest

from tf_finetune.errors import UserError
from tf_finetune.machine.cluster import check_cluster, read_cluster

WORKERS = ["10.0.0.1:2222", "node-b.example:2222"]


def environment(cluster, task):
    return {"TF_CONFIG": json.dumps({"cluster": cluster, "task": task})}


def problems(text):
    with pytest.raises(UserError) as caught:
        read_cluster({"TF_CONFIG": text})
    assert "local_workers" in caught.value.hint
    return caught.value.problems


def test_first_worker_is_the_chief_where_no_other_is_named():
    first, second = (
        read_cluster(environment({"worker": WORKERS}, {"type": "worker", "index": index}))
        for index in (0, "1")  # shell scripts write numbers as text
    )

    assert (first.size, first.rank, first.is_chief, first.leader) == (2, 0, True, "worker")
    assert (second.rank, second.is_chief) == (1, False)
    assert second.addresses == tuple(WORKERS)


def test_chief_comes_before_the_workers():
    jobs = {"worker": WORKERS, "chief": ["[2001:db8::1]:2222"]}

    chief = read_cluster(environment(jobs, {"type": "chief", "index": 0}))
    worker = read_cluster(environment(jobs, {"type": "worker", "index": 1}))

    assert (chief.rank, chief.is_chief, chief.leader) == (0, True, "chief")
    assert (worker.rank, worker.size) == (2, 3)
    assert worker.addresses == ("[2001:db8::1]:2222", *WORKERS)


@pytest.mark.parametrize("text", ["", "  "])
def test_variable_that_is_not_set_is_told_with_an_example(text):
    with pytest.raises(UserError, match="TF_CONFIG is not set") as caught:
        read_cluster({"TF_CONFIG": text})
    assert '"worker": ["10.0.0.1:2222"' in caught.value.hint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", ["TF_CONFIG: is not JSON: Expecting property name"]),
        ("[1]", ["TF_CONFIG: received [1]; accepted: an object"]),
        ("{}", ["TF_CONFIG.cluster: is missing", "TF_CONFIG.task: is missing"]),
    ],
)
def test_malformed_variable(text, expected):
    found = problems(text)

    assert [f.startswith(e) for f, e in zip(found, expected, strict=True)] == [True] * len(found)


@pytest.mark.parametrize(
    ("cluster", "task", "expected"),
    [
        (
            {"worker": ["a:1", "b", "c:99999", 5], "ps": ["d:1"], "chief": "e:1"},
            {"type": "ps", "index": 0},
            [
                "cluster.ps: unknown job; accepted: chief, worker",
                'cluster.chief: received "e:1"; accepted: a list of HOST:PORT',
                'cluster.worker[1]: received "b"; accepted: HOST:PORT',
                'cluster.worker[2]: received "c:99999"; accepted: HOST:PORT',
                "cluster.worker[3]: received 5; accepted: HOST:PORT",
                'task.type: received "ps"; accepted: worker, as in',
            ],
        ),
        (
            {"worker": ["a:1", "a:1"], "chief": ["b:1", "c:1"]},
            {"type": "worker", "index": 2},
            [
                "cluster.chief: received 2 addresses; accepted: one",
                "cluster: a:1 is there 2 times",
                "task.index: received 2; accepted: 0 to 1, a place in TF_CONFIG.cluster.worker",
            ],
        ),
        ({"worker": WORKERS}, {"type": "worker"}, ["task.index: received null; accepted: 0 to 1"]),
        ({"worker": WORKERS}, {"type": "worker", "index": True}, ["task.index: received true"]),
    ],
)
def test_every_mistake_is_named_by_its_key(cluster, task, expected):
    found = problems(json.dumps({"cluster": cluster, "task": task}))

    assert len(found) == len(expected)
    for problem, start in zip(found, expected, strict=True):
        assert problem.startswith(f"TF_CONFIG.{start}")


def test_strategy_for_one_process_contradicts_a_variable_that_names_two():
    several = environment({"worker": WORKERS}, {"type": "worker", "index": 0})
    alone = environment({"worker": WORKERS[:1]}, {"type": "worker", "index": 0})

    check_cluster("multi_worker", several)
    check_cluster("auto", alone)  # what some platforms set for a single machine
    check_cluster("auto", {})
    with pytest.raises(UserError, match=r"received auto where TF_CONFIG names 2 processes"):
        check_cluster("auto", several)
    with pytest.raises(UserError, match="not set"):
        check_cluster("multi_worker", {})
