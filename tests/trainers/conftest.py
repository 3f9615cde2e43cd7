"""One finished run of the tiny encoder, which several commands look at."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from safetensors.numpy import load_file

from tests.untraced import untraced
from tf_finetune.config.describe import option_names
from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.models.rounding import logit_rounding
from tf_finetune.options.section import Section
from tf_finetune.runs import ensemble
from tf_finetune.runs.trained_model import load_trained_model
from trainers import train
from trainers.cli import run_command

# Where options are checked against each other, which is no use of them.
_CHECKS = ("tf_finetune.options.", "tf_finetune.config.experiment")
# As short as a run can be.
QUICK = ("training.epochs=2", "training.batch_size=16", "training.learning_rate=0.01")


@pytest.fixture(scope="session")
def job(tiny_job: list[str]) -> list[str]:
    """Arguments of a quick run, but for its folder."""
    return [
        *tiny_job,
        "data.max_length=32",
        "data.validation_fraction=0.2",
        "data.test_fraction=0.2",
        "evaluation.bootstrap_resamples=100",
        "evaluation.explained_mistakes=0",  # tracing gradients takes seconds
        "freeze.depth=2",
        *QUICK,
    ]


@pytest.fixture(scope="session")
def finished_run(job: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a finished run, made without traces; nobody may change it but by evaluating."""
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    with untraced():
        assert run_command(train.main, [*job, f"run.dir={folder}"]) == 0
    return folder


@pytest.fixture(scope="module")
def loaded() -> Callable[..., Any]:
    """The model, loaded and traced once for all tests; `keep_model` puts it in place."""
    kept: list[Any] = []

    def load(*arguments: Any) -> Any:
        if not kept:
            kept.append(load_trained_model(*arguments))
        return kept[0]

    return load


@pytest.fixture
def keep_model(loaded: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ensemble, "load_trained_model", loaded)


@pytest.fixture(scope="session")
def rounding(finished_run: Path) -> float:
    """The largest difference of a logit of the finished run that rounding explains."""
    folder = finished_run / "model"
    stored = load_file(folder / "model.safetensors")
    head = {"classifier/kernel": stored["classifier.weight"].T}
    head["classifier/bias"] = stored["classifier.bias"]
    files = EncoderFiles("tiny", folder)
    table = [v for v in files.variables(2) if v.part == "head"]
    model: Any = SimpleNamespace(by_path=head, table=table, files=files)
    return float(logit_rounding(model, length=32).max())


@pytest.fixture(scope="session")
def written_rounding(rounding: float) -> float:
    """The same of a probability that is written with six digits.

    The derivative of a softmax by a logit is p (1 - p), at most 1/4; two logits may both move.
    """
    return rounding / 2 + 1e-6


@pytest.fixture
def options_read(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The options that anything but their own checks has read since the test began."""
    sections = {field.annotation: name for name, field in ExperimentConfig.model_fields.items()}
    of_methods = [name for name in option_names() if name.startswith("method.")]
    read: set[str] = set()

    def note(section: Section, name: str) -> Any:
        is_check = sys._getframe(1).f_globals["__name__"].startswith(_CHECKS)
        if not is_check and type(section) in sections and name in type(section).model_fields:
            read.add(f"{sections[type(section)]}.{name}")
        if not is_check and (type(section), name) == (ExperimentConfig, "method"):
            read.update(of_methods)  # each method reads its own
        return object.__getattribute__(section, name)

    monkeypatch.setattr(Section, "__getattribute__", note, raising=False)
    return read


@pytest.fixture
def command_fails(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command that ends with exit code 2 and give what it says on stderr."""

    def fail(main: Callable, *argv: str) -> str:
        assert run_command(main, argv) == 2
        error = capsys.readouterr().err
        assert error.startswith("tf-finetune: ")
        assert "Traceback" not in error
        return error

    return fail
