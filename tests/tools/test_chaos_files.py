"""The short form of `tools/chaos` on files: damaged, malformed, hostile, no room, two writers."""

import random
import re
import subprocess
import sys

import pytest
from safetensors.numpy import load_file, save_file

from tf_finetune.errors import UserError, visible
from tf_finetune.storage.manifests import MANIFEST, damaged_files, read_manifest, write_manifest
from tools.reliability import damage_subjects, disk_full
from tools.reliability.damage import cut, flip, try_subject
from tools.reliability.hostile import try_payload
from tools.reliability.hostile_payloads import payloads
from tools.reliability.hostile_runs import run_payloads
from tools.reliability.hostile_weights import weight_payloads
from tools.reliability.malformed import try_case
from tools.reliability.malformed_cases import cases
from tools.reliability.tiny_job import make_encoder, make_texts
from tools.reliability.wrong_checkpoints import mutations, try_mutation

# Of the harness' payloads those that neither save a Keras model nor build one.
QUICK = re.compile("YAML|npz|manifest|journal|archive|config.json: (?!activation)|header")


@pytest.fixture
def blocks(monkeypatch):
    monkeypatch.setattr("tf_finetune.prefix.layout.BLOCK_ROWS", 8)


def all_named(subject, tries, *, opened=True):
    for damage in (flip, cut):
        found = try_subject(subject, tries, damage, random.Random(0))
        assert found["named"] == tries, subject.name
        assert found["opened"] == found["right"] == (tries if opened else 0), subject.name


def test_damaged_token_store_is_named_and_filled_again(tmp_path, tiny_tokenizer):
    source = make_texts(tmp_path / "texts.csv")
    all_named(damage_subjects.token_store(tmp_path / "store", source, tiny_tokenizer), 12)


def test_damaged_states_are_named_and_computed_again(tmp_path, blocks):
    all_named(damage_subjects.prefix_states(tmp_path / "prefix"), 30)


def test_damaged_checkpoint_is_named_and_the_one_before_is_used(tmp_path, tiny_encoder, spec_for):
    from tf_finetune.models.weights import Pretrained
    from tf_finetune.training.compiling import build_fine_tuner
    from tf_finetune.training.strategy import build_strategy

    spec = spec_for(tiny_encoder, freeze={"depth": 3})
    model = build_fine_tuner(spec, Pretrained(), build_strategy("cpu"))

    all_named(damage_subjects.checkpoints(tmp_path / "checkpoints", model), 16)


def test_damaged_files_of_a_folder_are_named(tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("a.txt", "in/b.txt"):
        (tmp_path / name).write_text("content")
    write_manifest(tmp_path)
    files = [tmp_path / MANIFEST, tmp_path / "a.txt", tmp_path / "in" / "b.txt"]

    def check():
        return "\n".join(damaged_files(tmp_path)), None

    assert check()[0] == ""
    all_named(damage_subjects.Subject("folder", files, tmp_path, check), 30, opened=False)
    (tmp_path / "a.txt").unlink()
    assert check()[0] == f"{tmp_path / 'a.txt'}: missing"


def test_manifest_cannot_lead_elsewhere(tmp_path):
    (tmp_path / MANIFEST).write_text('{"sha256": {"../secret": "0"}}')

    with pytest.raises(ValueError, match="damaged"):
        read_manifest(tmp_path)


def test_malformed_files_give_errors_that_say_where_or_the_right_records(tmp_path):
    tried = [case for case in cases() if len(case.content) < 1_000_000]
    faults = [(case.name, case.file, try_case(case, tmp_path)) for case in tried]

    assert len(tried) > 200
    assert [fault for fault in faults if fault[2]] == []


def test_full_disk_keeps_what_was_there_and_says_how_full_it_is(tmp_path, capsys):
    code = disk_full.main(["--folder", str(tmp_path)])

    if code == 2:
        pytest.skip("no disk can be mounted without root")
    assert capsys.readouterr().out == "23 write points, 0 faults\n"
    assert code == 0


def test_hostile_files_neither_run_nor_fill_the_memory(tmp_path):
    tried = [payload for payload in payloads() if QUICK.search(payload.name)]
    tried += [p for p in weight_payloads() if not re.search("00 MB|000,000", p.name)]
    tried += run_payloads()
    problems = []
    for number, payload in enumerate(tried):
        (tmp_path / str(number)).mkdir()
        problem = try_payload(payload, tmp_path / str(number), tmp_path / f"ran-{number}")
        problems += [(payload.name, problem)] if problem else []

    assert len(tried) >= 70
    assert problems == []


def test_wrong_checkpoints_are_refused_by_tensor_expected_and_found(tmp_path):
    make_encoder(tmp_path)
    # What is told by the header alone, without building a model.
    quick = [m for m in mutations() if not re.match(r"(nan|inf|-inf) in", m[0])]
    problems = [(name, try_mutation(tmp_path, m, wanted)[0]) for name, m, wanted in quick]

    assert len(quick) >= 50
    assert [problem for problem in problems if problem[1]] == []


def test_weights_that_are_no_numbers_are_named(tmp_path):
    make_encoder(tmp_path)
    _, mutate, wanted = next(m for m in mutations() if m[0].startswith("nan in"))

    assert try_mutation(tmp_path, mutate, wanted)[0] == ""


def test_large_finite_weights_are_taken(tmp_path):
    from tf_finetune.encoders.locating import resolve_encoder
    from tf_finetune.models.initial_values import initial_values

    folder = make_encoder(tmp_path)
    tensors = load_file(folder / "model.safetensors")
    tensors["bert.pooler.dense.bias"][:] = 3e38  # their sum is infinite in float32
    save_file(tensors, folder / "model.safetensors")
    files = resolve_encoder(str(folder))

    variables = files.family.variables(files.config, 2)
    assert len(list(initial_values(files, variables, 0))) == len(variables)


def test_two_writers_of_a_cache_or_a_journal_lose_nothing(tmp_path):
    # In a process of its own, because TensorFlow's threads do not survive the forks.
    harness = [sys.executable, "-m", "tools.reliability.races", "--folder", str(tmp_path)]
    done = subprocess.run(
        [*harness, "--kinds", "cache", "journal", "--races", "4", "--within", "10"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.match(r"cache: 4 races, 0 faults.*\njournal: 4 races, 0 faults", done.stdout)


def test_terminal_escapes_in_messages_are_shown_not_obeyed():
    error = UserError("\x1b]0;x\x07\x9b2J\u202e: no such file\n\ta hint", hint="\x1b[1m")

    assert error.problems == ["\\x1b]0;x\\x07\\x9b2J\\u202e: no such file\n\ta hint"]
    assert error.hint == "\\x1b[1m"
    assert visible("plain é 电") == "plain é 电"
