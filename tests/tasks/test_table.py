"""A task is found by its name in `data.task`, and by what config.json says of it."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.config.loading import load_config
from tf_finetune.errors import UserError
from tf_finetune.runs.model_folder import read_labels
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.metrics import METRICS, Metric
from tf_finetune.tasks.table import TASKS, problem_type, task_of


class Stars(Classes):
    """Classes of which the macro F1 counts."""

    task = "stars"
    headline = "macro_f1"


@pytest.fixture
def stars(monkeypatch):
    monkeypatch.setitem(TASKS, "stars", Stars)
    return Stars(("one", "two"))


@pytest.mark.parametrize("name", TASKS)
def test_a_task_stands_under_its_own_name_with_known_metrics(name):
    task = TASKS[name]
    assert task.task == name
    assert task.headline in task.metrics
    assert set(task.metrics) <= set(METRICS)


def test_names_are_known_without_what_the_tasks_import():
    script = (
        "import sys; from tf_finetune.tasks.table import TASKS\n"
        "print(*TASKS, 'numpy' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [*TASKS, "False"]


def test_the_option_takes_the_names_of_the_table(stars):
    accepted = [ExperimentConfig(data={"task": name}).data.task for name in ("auto", *TASKS)]
    assert accepted[-1] == "stars"
    with pytest.raises(UserError, match="data.task.*received moons; accepted: auto, single_label"):
        load_config(None, ["data.task=moons"])


def test_a_score_that_comes_later_may_decide_and_one_that_is_no_monitor_may_not(monkeypatch):
    monkeypatch.setitem(METRICS, "kappa", Metric("kappa", -1.0))
    assert ExperimentConfig(training={"monitor": "kappa"}).training.monitor == "kappa"
    with pytest.raises(UserError, match="training.monitor.*received mse; accepted: auto, accuracy"):
        load_config(None, ["training.monitor=mse"])


@pytest.mark.parametrize("name", TASKS)
def test_config_json_names_a_task_by_its_problem_type_alone_or_by_its_own_name_too(name):
    labels = TASKS[name](("O", "B-a") if TASKS[name].fewest_names else ())
    others = [one for one in TASKS if TASKS[one].problem_type == labels.problem_type]
    own_name = {} if name == others[0] else {"label_task": name}
    assert problem_type(labels) == {"problem_type": labels.problem_type} | own_name
    assert task_of(problem_type(labels)) is TASKS[name]


def test_a_task_of_the_same_problem_type_is_told_apart(stars):
    told = problem_type(stars)
    assert told == {"problem_type": "single_label_classification", "label_task": "stars"}
    names = {str(index): name for index, name in enumerate(stars.names)}
    assert read_labels(told | {"id2label": names}, "model") == stars
    assert read_labels(problem_type(Classes()) | {"id2label": names}, "model") == Classes(
        stars.names
    )


def test_no_task_is_taken_for_one_that_is_not_there(stars, monkeypatch):
    told = problem_type(stars)
    monkeypatch.delitem(TASKS, "stars")
    assert task_of(told) is None
    assert task_of({"problem_type": "object_detection"}) is None


def test_spaces_of_different_tasks_are_never_equal(stars):
    assert stars != Classes(stars.names)
    assert dataclasses.replace(stars, decimal_mark="comma").task == "stars"


def test_a_derived_task_decides_what_training_goes_by(stars):
    assert stars.monitor("auto") == ("macro_f1", True)
    assert list(stars.score(np.array([0, 1]), np.eye(2))) == list(Classes.metrics)
