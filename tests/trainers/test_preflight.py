"""`preflight` from the command line, with a compiler that only counts."""

import json
from pathlib import Path

import pytest

from tf_finetune.preflight import answers
from tf_finetune.preflight.answers import Answer
from tf_finetune.preflight.cells import runs_of
from tf_finetune.preflight.environment import Compiler
from tf_finetune.preflight.program import NoAnswerError, Program
from tf_finetune.preflight.step_shapes import StepShape
from trainers import preflight
from trainers.cli import run_command

GIB = 2**30


def answer_of(rows):
    """A GiB for every row; more than 14 do not fit."""
    if rows > 14:
        return Answer(
            *(False, 1, 2.0, {}),
            error="RESOURCE_EXHAUSTED",
            needed_bytes=rows * GIB,
            available_bytes=15 * GIB,
        )
    memory = {"arguments": GIB, "outputs": 0, "aliased": 0, "program": 0, "peak": 0}
    memory["temporaries"] = (rows - 1) * GIB
    return Answer(True, 1, 2.0, memory, flops=1.97e11 * rows, bytes_accessed=8.19e7 * rows)


def rows_of(program):
    return int(program.stablehlo.split()[1])


@pytest.fixture
def lowered(monkeypatch):
    """Steps that were lowered, by depth and rows; the compiler is there and knows `answer_of`."""
    steps = []

    class Steps:
        def __init__(self, job, depth):
            self.spec, self._depth = job.at_depth(depth), depth
            self.runs = runs_of(self.spec)

        def lowered(self, shape, compiler):
            steps.append((self._depth, shape))
            text = f"{self._depth} {shape.rows}"
            return type("Step", (), {"hlo": text}), Program(text.encode(), text)

    monkeypatch.setattr("tf_finetune.preflight.cells._StepsOfADepth", Steps)
    monkeypatch.setattr(preflight, "find_compiler", lambda: Compiler("python"))
    monkeypatch.setattr(answers, "compile_step", lambda program, *_: answer_of(rows_of(program)))
    monkeypatch.setenv("COLUMNS", "140")
    return steps


@pytest.fixture
def common(tiny_encoder, tmp_path):
    return [
        f"encoder.name={tiny_encoder}",
        f"data.cache_dir={tmp_path}",
        "data.max_length=32",
        f"--output={tmp_path}",
    ]


def test_every_depth_and_batch_in_tables_json_and_figure(lowered, common, tmp_path, capsys):
    arguments = [*common, "--depths", "0,2-3", "--batch-sizes", "8,16,64", "--devices", "2"]
    assert run_command(preflight.main, arguments) == 0

    shapes = [StepShape(rows, 32, texts_a_row=4) for rows in (4, 8, 32)]
    assert lowered == [(depth, shape) for depth in (0, 2, 3) for shape in shapes]
    text = capsys.readouterr().out
    assert "over 32.0" in text
    assert "depth 2: 16 compiles, 64 does not fit; by a line through the measured batches" in text
    assert "about 16 would fill the memory (not compiled)" in text  # 14.9 GiB: 14 rows, so 8 of 8
    assert "Nothing was run on a TPU" in text
    content = json.loads((tmp_path / "preflight.json").read_text())
    cell = content["cells"][1]
    assert (cell["depth"], cell["batch_size"], cell["device_bytes"]) == (0, 16, 8 * GIB)
    assert cell["estimated_step_seconds"] == pytest.approx(8e-3)
    assert cell["estimated_job_seconds"] == pytest.approx(3 * 625 * 8e-3)
    assert (tmp_path / "preflight.png").stat().st_size > 5000


def test_asked_again_the_answer_is_there_without_compiler_or_step(
    lowered, common, monkeypatch, capsys
):
    assert run_command(preflight.main, common) == 0

    monkeypatch.undo()  # neither compiler nor steps
    monkeypatch.setenv("COLUMNS", "140")
    monkeypatch.setenv("TF_FINETUNE_PREFLIGHT", "nowhere")
    capsys.readouterr()
    assert run_command(preflight.main, [*common, "training.learning_rate=1e-3"]) == 0

    assert "kept" in capsys.readouterr().out
    assert lowered == [(0, StepShape(32, 32, texts_a_row=4))]


def test_auto_is_bfloat16_on_a_tpu(lowered, common, tmp_path, capsys):
    assert run_command(preflight.main, [*common, "training.precision=auto"]) == 0

    assert "precision: mixed_bfloat16, which auto means on a TPU" in capsys.readouterr().out
    assert json.loads((tmp_path / "preflight.json").read_text())["precision"] == "mixed_bfloat16"


def test_packed_step_has_as_few_rows_as_the_mean_length_needs(lowered, common, capsys):
    arguments = [*common, "--mean-tokens", "8", "--batch-sizes", "12"]

    assert run_command(preflight.main, arguments) == 0
    assert run_command(preflight.main, [*arguments, "training.padding=max"]) == 0

    # 12 texts of 1 to 15 tokens are 96 in all: three rows of 32.
    assert [shape.rows for _, shape in lowered] == [3, 12]
    assert [shape.texts_a_row is None for _, shape in lowered] == [False, True]
    text = capsys.readouterr().out
    assert "batch 12, packed: 3 rows of 32 tokens a device" in text
    assert "batch 12: 12 rows of 32 tokens a device, a text each" in text


def test_a_head_that_is_solved_exactly_is_priced_as_one_pass(lowered, common, tmp_path, capsys):
    arguments = [*common, "encoder.pooling=mean", "--depths", "2-3", "--batch-sizes", "12"]

    assert run_command(preflight.main, [*arguments, "--mean-tokens", "8"]) == 0

    text = " ".join(capsys.readouterr().out.split())
    assert "depth 3: nothing but the head trains, which is solved exactly: a pass" in text
    assert "batch 12 of a pass: 12 rows of 32 tokens a device, a text each" in text
    assert "its job is one pass over the texts, which fills the cache, and no step" in text
    step, solved = json.loads((tmp_path / "preflight.json").read_text())["cells"]
    assert (step["runs"], step["shape"]["rows"]) == ("step", 3)
    assert (solved["runs"], solved["shape"]["rows"]) == ("pass", 12)
    # Its steps would be as many passes as there are epochs.
    assert solved["estimated_job_seconds"] == pytest.approx(834 * solved["estimated_step_seconds"])
    assert step["estimated_job_seconds"] == pytest.approx(3 * 834 * step["estimated_step_seconds"])


def test_a_head_that_steps_are_asked_for_is_priced_by_steps(lowered, common, tmp_path, capsys):
    arguments = [*common, "encoder.pooling=mean", "--depths", "3", "training.solver=steps"]

    assert run_command(preflight.main, arguments) == 0

    assert "solved exactly" not in capsys.readouterr().out
    (cell,) = json.loads((tmp_path / "preflight.json").read_text())["cells"]
    assert cell["runs"] == "step"


def compiler_that_fails_for(rows):
    """One that dies with the first of these numbers of rows, and refuses the others."""

    def compile_step(program, *_):
        asked = rows_of(program)
        if asked == rows[0]:
            raise NoAnswerError("the compiler's process ended with code -9")
        if asked in rows:
            return Answer(False, 2, 1.0, {}, error="INTERNAL: no kernel")
        return answer_of(asked)

    return compile_step


def test_cells_without_an_answer_do_not_take_the_others_along(
    lowered, common, monkeypatch, tmp_path, capsys
):
    monkeypatch.setattr(answers, "compile_step", compiler_that_fails_for([4, 8]))
    arguments = [*common, "--depths", "2-3", "--batch-sizes", "4,8,12", "training.padding=max"]

    assert run_command(preflight.main, arguments) == 0

    text = capsys.readouterr().out
    assert "depth 2, batch 4 failed: the compiler's process ended with code -9" in text
    assert "depth 3, batch 8 failed: the compiler for v5e refuses the training step" in text
    assert "depth 2: 12 compiles\n" in text
    cells = json.loads((tmp_path / "preflight.json").read_text())["cells"]
    assert [cell["fits"] for cell in cells] == 2 * [None, None, True]
    assert "INTERNAL: no kernel" in cells[1]["error"]


def test_without_any_answer_nothing_is_written(lowered, common, command_fails, monkeypatch):
    monkeypatch.setattr(answers, "compile_step", compiler_that_fails_for([4, 8]))
    arguments = [*common, "--batch-sizes", "4,8", "training.padding=max"]

    said = command_fails(preflight.main, *arguments)

    assert "process ended with code -9" in said
    assert "INTERNAL: no kernel" in said
    assert not list(Path(common[-1].removeprefix("--output=")).glob("preflight.*"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--chips", "v5e,v7"], "--chips: received 'v7'; accepted: v5e, v5p, v4, v6e"),
        (["--depths", "4"], "--depths: received '4'; accepted: all, or a list"),
        (["--depths", "3-1"], "--depths: received '3-1'; accepted"),
        (
            ["--batch-sizes", "8,x"],
            "--batch-sizes: received 'x'; accepted: a whole number of at least 1",
        ),
        (
            ["--batch-sizes", "12", "--devices", "8"],
            "--batch-sizes: 12 cannot be split evenly over 8 devices and 1 micro-batches",
        ),
        (["--mean-tokens", "33"], "--mean-tokens: received 33; accepted: at most 32"),
        (
            ["--run", "training.precision=auto"],
            "training.precision: received auto, and --run executes steps in one precision; accept",
        ),
        (["--output=elsewhere"], "preflight: there is no environment with the TPU compiler"),
    ],
)
def test_mistakes_are_told(common, command_fails, monkeypatch, tmp_path, wrong, message):
    monkeypatch.setenv("TF_FINETUNE_PREFLIGHT", str(tmp_path / "none"))

    assert message in command_fails(preflight.main, *common, *wrong)
