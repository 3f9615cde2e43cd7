"""Every command ends in the same few ways, and answers questions before TensorFlow loads."""

import importlib
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tf_finetune.errors import RunFailedError, UserError
from tf_finetune.machine.interruption import Interrupted
from trainers.cli import main, run_command
from trainers.commands import COMMANDS

ROOT = Path(__file__).parents[2]
HEAVY = ("tensorflow", "transformers", "rich", "pyarrow", "numpy", "tf_keras", "keras")
MAX_SECONDS = 1.0  # twice what it takes on a core that is shared


def run(*argv, **keywords):
    command = [sys.executable, "-m", "trainers", *argv]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False, **keywords
    )


def fails_with(error):
    def command(argv):
        raise error

    return command


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (0, 0), (3, 3)])
def test_exit_code_is_what_the_command_returns(returned, code):
    assert run_command(lambda argv: returned, []) == code


def test_command_receives_the_arguments(monkeypatch):
    received = []
    monkeypatch.setattr(sys, "argv", ["program", "a", "b"])

    run_command(received.append)
    run_command(received.append, ("c",))

    assert received == [["a", "b"], ["c"]]


def test_user_error_is_code_2_without_traceback(capsys):
    error = UserError(["first", "second"], hint="Do this.")

    assert run_command(fails_with(error), []) == 2

    output = capsys.readouterr()
    assert output.out == ""
    assert output.err == "tf-finetune: problems:\n  - first\n  - second\nDo this.\n"


@pytest.mark.parametrize(
    ("error", "name", "code"),
    [
        (KeyboardInterrupt(), "SIGINT", 130),
        (Interrupted(signal.SIGINT), "SIGINT", 130),
        (Interrupted(signal.SIGTERM), "SIGTERM", 143),
    ],
)
def test_interruption_is_the_code_that_shells_expect(error, name, code, capsys):
    assert run_command(fails_with(error), []) == code
    assert capsys.readouterr().err == f"tf-finetune: interrupted by {name}\n"


def test_failed_run_is_code_1_without_traceback(capsys):
    assert run_command(fails_with(RunFailedError("the loss became nan", hint="Try.")), []) == 1

    assert capsys.readouterr().err == "tf-finetune: the loss became nan\nTry.\n"


def test_our_fault_is_code_1_with_a_traceback(capsys):
    assert run_command(fails_with(ZeroDivisionError("division by zero")), []) == 1

    error = capsys.readouterr().err
    assert "Traceback" in error
    assert "ZeroDivisionError: division by zero" in error
    assert "please report it" in error.splitlines()[-1]


def test_closed_pipe_is_quiet():
    script = (
        "from trainers.cli import run_command\n"
        "raise SystemExit(run_command(lambda argv: print('x' * 10_000_000)))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with process:
        process.stdout.close()
        assert process.stderr.read() == b""

    assert process.returncode == 141


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_lists_the_commands(flag, capsys):
    assert main([flag]) == 0

    output = capsys.readouterr().out
    for verb, command in COMMANDS.items():
        assert f"  {verb} " in output
        assert command.summary in output


def test_no_command_is_an_error_with_the_list(capsys):
    assert main([]) == 2

    output = capsys.readouterr()
    assert output.out == ""
    assert "commands:" in output.err


def test_version_is_one_line(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("tf-finetune ")


def test_unknown_command_is_told_the_nearest(capsys):
    assert main(["trian"]) == 2
    assert "trian: unknown command; nearest: train; accepted: train," in capsys.readouterr().err


@pytest.mark.parametrize("verb", COMMANDS)
def test_help_of_a_command_is_its_own(verb, capsys):
    assert main([verb, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"usage: tf-finetune {verb}")


def test_wrong_flag_is_reported_before_the_command_is_imported(capsys):
    assert main(["train", "--epochs", "3"]) == 2
    assert "training.epochs=VALUE" in capsys.readouterr().err


def test_help_through_a_process_goes_to_stdout():
    done = run("validate", "--help")

    assert (done.returncode, done.stderr) == (0, "")
    assert "data.text_column=" in done.stdout
    assert "training.learning_rate=" not in done.stdout  # only `train` and `search` explain it


@pytest.mark.parametrize(
    "argv", [["train", "--help"], ["validate", "data.train=x.csv", "training.epochs=0"]]
)
def test_answer_needs_neither_tensorflow_nor_a_second(argv):
    script = (
        "import sys\n"
        "from trainers.cli import main\n"
        "main(sys.argv[1:])\n"
        f"raise SystemExit(str([name for name in {HEAVY} if name in sys.modules]))"
    )
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, "-c", script, *argv], cwd=ROOT, capture_output=True, text=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        # Processor time, because other work on the machine is not our slowness.
        seconds.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
        assert done.stderr.splitlines()[-1] == "[]"

    assert min(seconds) < MAX_SECONDS


@pytest.mark.parametrize("verb", ["train", "search", "profile", "plan", "validate"])
def test_missing_data_are_told_before_transformers_is_imported(
    verb, tiny_encoder, tmp_path, monkeypatch, capsys
):
    command = importlib.import_module(f"trainers.{verb}").main
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "transformers", None)

    argv = ["nowhere.csv", f"encoder.name={tiny_encoder}", "data.max_length=32"]
    assert run_command(command, argv) == 2
    assert "nowhere.csv: no such file or folder" in capsys.readouterr().err
