"""`doctor` prints one line a finding and ends with 2 if something will not work."""

import pytest

from tf_finetune.machine.environment import Finding
from trainers import doctor
from trainers.cli import run_command


@pytest.fixture
def findings(monkeypatch):
    def pretend(*found):
        monkeypatch.setattr(doctor, "diagnose", lambda: iter(found))

    return pretend


def test_warnings_are_no_failure(findings, capsys):
    findings(Finding("ok", "python", "3.11"), Finding("warning", "disk", "1 GiB", "free some"))

    assert run_command(doctor.main, []) == 0
    assert capsys.readouterr().out.splitlines() == [
        "ok      python: 3.11",
        "warning disk: 1 GiB",
        "        -> free some",
        "all is well",
    ]


def test_error_is_exit_code_2_with_the_remedy(findings, capsys):
    findings(Finding("error", "tf-keras", "not installed", 'pip install "tf-keras==2.20.*"'))

    assert run_command(doctor.main, []) == 2
    assert capsys.readouterr().out.splitlines() == [
        "error   tf-keras: not installed",
        '        -> pip install "tf-keras==2.20.*"',
        "1 thing(s) to mend",
    ]


def test_this_installation_is_looked_at(capsys, monkeypatch):
    monkeypatch.setattr(
        "tf_finetune.diagnosis.check_devices", lambda: Finding("ok", "devices", "1 CPU")
    )

    assert run_command(doctor.main, []) == 0

    output = capsys.readouterr().out
    for subject in ("python", "tensorflow", "transformers", "keras switch", "encoders", "devices"):
        assert f" {subject}: " in output


def test_arguments_are_refused(command_fails):
    assert "freeze.depth" in command_fails(doctor.main, "freeze.depth=1")
