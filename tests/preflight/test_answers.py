"""What the compiler says is read rightly and asked for once."""

from dataclasses import replace

import pytest

from tf_finetune.errors import UserError
from tf_finetune.preflight import answers
from tf_finetune.preflight.answers import AnswerCache, read_answer
from tf_finetune.preflight.chips import CHIPS, parse_chips
from tf_finetune.preflight.environment import REQUIREMENTS, STAMP, Compiler, find_compiler
from tf_finetune.preflight.estimates import estimate_step, largest_batch
from tf_finetune.preflight.program import Program

STEP = Program(b"step", "digest")

COMPILED = {
    "devices": 1,
    "seconds": 5.0,
    "memory": {
        "arguments": 100,
        "outputs": 30,
        "aliased": 20,
        "temporaries": 50,
        "program": 7,
        "peak": 140,
    },
    "flops": 197e9,
    "bytes_accessed": 819e6 * 4,
}
# As libtpu 0.0.52 said it of MiniLM with 32,768 texts.
TOO_LARGE = (
    "JaxRuntimeError: RESOURCE_EXHAUSTED: E1000: CompileTimeHbmOom: Ran out of memory on HBM, the "
    "total memory required for HLO temporaries (39.19G) exceeds available HBM (15.75G). HLO module"
)


def test_outputs_that_take_the_place_of_arguments_count_once():
    assert read_answer(COMPILED).device_bytes == 100 + 30 - 20 + 50 + 7


def test_running_out_of_memory_is_an_answer_with_its_size():
    answer = read_answer({"devices": 1, "seconds": 3.0, "error": TOO_LARGE})

    assert answer.out_of_memory and not answer.compiles
    assert answer.needed_bytes == 39.19 * 2**30
    assert answer.available_bytes == 15.75 * 2**30


def test_roofline_takes_the_longer_of_compute_and_traffic():
    estimate = estimate_step(read_answer(COMPILED), CHIPS["v5e"])

    assert estimate.compute_seconds == pytest.approx(1e-3)
    assert estimate.seconds == estimate.traffic_seconds == pytest.approx(4e-3)
    assert estimate.bound == "memory"
    # 101 examples are 4 batches of 32, twice.
    assert estimate.job_seconds(101, 32, epochs=2) == pytest.approx(8 * 4e-3)


def test_a_device_that_is_half_a_chip_has_half_of_everything():
    half = estimate_step(read_answer(COMPILED | {"devices": 2}), CHIPS["v5e"])

    assert half.compute_seconds == pytest.approx(2e-3)
    assert half.traffic_seconds == pytest.approx(8e-3)


@pytest.mark.parametrize(
    ("points", "rows"),
    [
        ([(8, 1100.0), (16, 1200.0)], 80),  # 1000 bytes and 12.5 a row, 2000 in all
        ([(8, 1100.0), (16, 1210.0)], 72),  # 73.4 rows
        ([(8, 1100.0)], None),
        ([(8, 1100.0), (16, 1100.0)], None),
    ],
)
def test_largest_batch_lies_on_the_line_through_the_measured_ones(points, rows):
    assert largest_batch(points, limit=2000.0) == rows


@pytest.fixture
def compiled(monkeypatch):
    """Programs that were compiled."""
    programs = []

    def compile_step(program, chip, compiler):
        programs.append((program.stablehlo, chip.name))
        error = {b"bad": "INTERNAL: no kernel"}.get(program.stablehlo)
        return read_answer(COMPILED if error is None else COMPILED | {"error": error})

    monkeypatch.setattr(answers, "compile_step", compile_step)
    return programs


def test_a_program_is_compiled_once_for_each_chip_and_compiler(tmp_path, compiled):
    cache = AnswerCache(tmp_path / "made")
    v5e, v4 = CHIPS["v5e"], CHIPS["v4"]
    compiler = Compiler(tmp_path / "python")

    first = cache.ask({"rows": 8}, STEP, v5e, compiler)
    assert cache.ask({"rows": 8, "seed": 1}, STEP, v5e, compiler) == first
    cache.ask({"rows": 8, "chip": "v4"}, STEP, v4, compiler)
    cache.ask({"rows": 8, "newer": 1}, STEP, v4, Compiler(tmp_path / "python", ("jax==9",)))

    assert compiled == [(b"step", "v5e"), (b"step", "v4"), (b"step", "v4")]
    assert AnswerCache(tmp_path / "made").find({"seed": 1, "rows": 8}) == first
    assert cache.find({"rows": 9}) is None


def test_a_program_whose_lines_moved_is_the_same(tmp_path, compiled):
    cache = AnswerCache(tmp_path)

    for line in (10, 11):
        moved = replace(STEP, stablehlo=f"add, made in line {line}".encode())
        cache.ask({"sources": line}, moved, CHIPS["v5e"], Compiler(tmp_path))

    assert len(compiled) == 1


def test_a_refusal_is_not_kept(tmp_path, compiled):
    cache = AnswerCache(tmp_path)

    assert (
        cache.ask({}, Program(b"bad", "other"), CHIPS["v5e"], Compiler(tmp_path)).error
        == "INTERNAL: no kernel"
    )
    assert cache.find({}) is None


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"compiles": true}', '{"of": "another version"}']
)
@pytest.mark.parametrize("kind", ["programs", "questions"])
def test_kept_answer_that_cannot_be_read_is_asked_for_again(tmp_path, compiled, kind, content):
    cache, compiler = AnswerCache(tmp_path), Compiler(tmp_path)
    expected = cache.ask({"rows": 8}, STEP, CHIPS["v5e"], compiler)
    (kept,) = (tmp_path / kind).iterdir()
    kept.write_text(content)

    assert cache.find({"rows": 8}) is None
    assert cache.ask({"rows": 8}, STEP, CHIPS["v5e"], compiler) == expected
    assert cache.find({"rows": 8}) == expected


def test_unknown_chips_are_refused_with_the_nearest():
    with pytest.raises(UserError, match=r"--chips: received 'v5x'; accepted: v5e, .*nearest: v5"):
        parse_chips("v5e,v5x")
    assert [chip.name for chip in parse_chips("V6e, v4,v6e")] == ["v6e", "v4"]


@pytest.mark.parametrize(
    ("stamp", "problem"),
    [(None, "there is no environment"), ("jax==0.1\n", "has other versions")],
)
def test_missing_compiler_is_told_with_the_command_that_makes_it(
    tmp_path, monkeypatch, stamp, problem
):
    monkeypatch.setenv("TF_FINETUNE_PREFLIGHT", str(tmp_path))
    if stamp is not None:
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin" / "python").touch()
        (tmp_path / STAMP).write_text(stamp)

    with pytest.raises(UserError, match=problem) as raised:
        find_compiler()

    assert "-m tf_finetune.preflight.make_environment" in str(raised.value)


def test_compiler_of_the_right_versions_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("TF_FINETUNE_PREFLIGHT", str(tmp_path))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    (tmp_path / STAMP).write_text("\n".join(REQUIREMENTS) + "\n")

    assert find_compiler() == Compiler(tmp_path / "bin" / "python")
