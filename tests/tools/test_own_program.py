"""The command of a measured program holds every option that its suite names."""

from pathlib import Path

from tools.benchmarks.own_program import own_options, program_command


def test_options_become_flags_and_sequences_several_values():
    command = program_command(
        Path("python"), "packing_program", model_dir=Path("encoder"), seed=0, steps=(12, 3)
    )

    assert command[:3] == ["python", "-m", "tools.benchmarks.packing_program"]
    assert command[3:] == ["--model-dir", "encoder", "--seed", "0", "--steps", "12", "3"]


def test_a_program_reads_what_its_suite_gave_it(monkeypatch):
    given = {"model_dir": "encoder", "seed": 0, "steps": [12, 3]}
    command = program_command(Path("python"), "packing_program", **given)
    monkeypatch.setattr("sys.argv", command[2:])

    found = own_options("", words=["model_dir"], numbers=["seed"], several=["steps"])

    assert vars(found) == given
