"""Each known way in which an installation breaks gives its own finding."""

import os
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from tf_finetune.errors import UserError
from tf_finetune.machine import environment
from tf_finetune.machine.environment import check_keras_switch, check_python, check_versions

ROOT = Path(__file__).parents[2]
GOOD = {
    "tensorflow": "2.20.0",
    "tf-keras": "2.20.1",
    "transformers": "4.54.1",
    "keras-tuner": "1.4.8",
    "tensorflow-tpu": None,
}


def finding(subject, **versions):
    changed = GOOD | {name.replace("_", "-"): version for name, version in versions.items()}
    (found,) = [f for f in check_versions(changed) if f.subject == subject]
    return found


def test_tested_versions_are_well():
    assert [(f.subject, f.level, f.remedy) for f in check_versions(GOOD)] == [
        ("tensorflow", "ok", ""),
        ("tf-keras", "ok", ""),
        ("transformers", "ok", ""),
        ("keras-tuner", "ok", ""),
    ]


@pytest.mark.parametrize(
    ("subject", "versions", "level", "message", "remedy"),
    [
        ("tensorflow", {"tensorflow": None}, "error", "not installed", "tensorflow==2.20.*"),
        ("tensorflow", {"tensorflow": "2.21.0"}, "warning", "tested with 2.20", "tf-keras==2.20"),
        ("tf-keras", {"tf_keras": None}, "error", "tf.keras is then Keras 3", "tf-keras==2.20.*"),
        ("tf-keras", {"tf_keras": "2.19.0"}, "error", "both need the same minor", "==2.20.*"),
        (
            "tf-keras",
            {"tf_keras": "2.20.1", "tensorflow": "2.19.1"},
            "error",
            "does not belong to TensorFlow 2.19.1",
            "tf-keras==2.19.*",
        ),
        ("transformers", {"transformers": None}, "error", "not installed", "==4.54.1"),
        ("transformers", {"transformers": "5.0.0"}, "error", "no TensorFlow models", "==4.54.1"),
        ("transformers", {"transformers": "4.57.3"}, "error", "safe_open", "==4.54.1"),
        ("transformers", {"transformers": "4.55.0"}, "error", "safe_open", "==4.54.1"),
        ("transformers", {"transformers": "4.40.2"}, "warning", "tested with 4.54", "==4.54.1"),
        ("keras-tuner", {"keras_tuner": None}, "error", "not installed", "keras-tuner~=1.4.8"),
    ],
)
def test_known_breakage(subject, versions, level, message, remedy):
    found = finding(subject, **versions)

    assert found.level == level
    assert message in found.message
    assert remedy in found.remedy


def test_tensorflow_for_tpu_counts_as_tensorflow():
    found = finding("tensorflow", tensorflow=None, tensorflow_tpu="2.20.0")

    assert (found.level, found.message) == ("ok", "2.20.0")


@pytest.mark.parametrize(
    ("version", "level"),
    [((3, 9), "error"), ((3, 10), "ok"), ((3, 12), "ok"), ((3, 13), "error")],
)
def test_python(version, level):
    assert check_python(version).level == level


@pytest.mark.parametrize("value", ["0", "", None])
def test_keras_switch_that_is_off_is_an_error(monkeypatch, value):
    monkeypatch.delenv("TF_USE_LEGACY_KERAS")
    if value is not None:
        monkeypatch.setenv("TF_USE_LEGACY_KERAS", value)

    found = check_keras_switch()

    assert (found.level, "tf.keras is Keras 3" in found.message) == ("error", True)


def test_keras_switch_is_on():
    assert check_keras_switch().level == "ok"


def test_tensorflow_that_took_keras_3_is_noticed(monkeypatch):
    class Keras:
        __version__ = "3.11.0"

    monkeypatch.setitem(sys.modules, "tensorflow", object())
    monkeypatch.setitem(sys.modules, "keras", Keras)
    monkeypatch.delitem(sys.modules, "tf_keras", raising=False)

    found = check_keras_switch()

    assert found.level == "error"
    assert "imported before tf_finetune and took Keras 3.11.0" in found.message


def test_importing_the_package_sets_the_switch_and_loads_no_tensorflow():
    script = (
        "import os, sys; os.environ.pop('TF_USE_LEGACY_KERAS', None); import tf_finetune; "
        "print(os.environ['TF_USE_LEGACY_KERAS'], "
        "[m for m in ('tensorflow', 'transformers', 'keras', 'tf_keras') if m in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout == "1 []\n"


@pytest.mark.parametrize(("installed", "expected"), [("2.20.0", "1"), (None, None)])
def test_tensorflow_for_tpus_is_made_known_to_transformers(monkeypatch, installed, expected):
    monkeypatch.delenv("FORCE_TF_AVAILABLE", raising=False)
    versions = {"tensorflow-tpu": installed}
    monkeypatch.setattr(environment, "installed_version", versions.get)

    environment.prepare()

    assert os.environ.get("FORCE_TF_AVAILABLE") == expected
    monkeypatch.delenv("FORCE_TF_AVAILABLE", raising=False)


def test_library_that_was_imported_before_another_version_came_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", types.SimpleNamespace(__version__="2.19.1"))
    installed = {"tensorflow": "2.20.0", "numpy": np.__version__}
    monkeypatch.setattr(environment, "installed_version", installed.get)

    with pytest.raises(UserError) as error:
        environment.check_imported()

    assert error.value.problems == [
        "tensorflow 2.19.1 was imported before 2.20.0 was installed; accepted: a restarted session "
        "(a notebook's kernel), with tf_finetune imported first"
    ]


def test_libraries_of_the_installed_versions_are_taken():
    environment.check_imported()
