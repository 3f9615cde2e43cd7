"""The harnesses of `tools/chaos` find what is planted for them."""

import json
import time

import pytest

from tf_finetune.errors import UserError
from tools.reliability import hostile, malformed, offline, search, train, wrong_checkpoints
from tools.reliability.hostile_payloads import Payload
from tools.reliability.malformed_cases import GOOD, Case, table
from tools.reliability.tiny_job import make_encoder


def refuse(message):
    def open_it(folder, **options):
        raise UserError(message)

    return open_it


GOOD_FILE = table(GOOD, "csv").encode()
BAD_FILE = b"text,label\nfine\n"


@pytest.mark.parametrize(
    ("content", "expected", "found"),
    [
        (GOOD_FILE, GOOD[:1], "read "),
        (GOOD_FILE, ("row 2",), "no error, but "),
        (BAD_FILE, GOOD, "refused: "),
        (BAD_FILE, ("row 7",), "does not say ['row 7']"),
    ],
)
def test_malformed_finds_other_records_and_messages(content, expected, found, tmp_path):
    assert malformed.try_case(Case("", "x.csv", content, expected), tmp_path).startswith(found)


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("row 2", "does not say ['"),  # not which file
        ("{path}: row 2: \x1b[1m", "holds ['\\x1b']"),
        ("{path}: row 2" + " and so on" * 2000, "says "),
    ],
)
def test_malformed_finds_messages_that_help_nobody(message, found, tmp_path):
    path = str(tmp_path / "x.csv")
    case = Case("", "x.csv", b"", ("row 2",))

    problem = malformed._fault_of_message(case, message.format(path=path), path)

    assert problem.startswith(found)


def test_malformed_finds_other_exceptions(tmp_path, monkeypatch):
    def broken(*arguments):
        raise KeyError("label")

    monkeypatch.setattr(malformed, "read_file", broken)
    assert malformed.try_case(Case("", "x.csv", b"", GOOD), tmp_path) == "raised KeyError: 'label'"


def test_malformed_ends_with_1_where_a_case_is_wrong(tmp_path, monkeypatch, capsys):
    wrong = Case("planted", "x.csv", GOOD_FILE, GOOD[:1])
    monkeypatch.setattr(malformed, "cases", lambda: [wrong])

    assert malformed.main(["--folder", str(tmp_path)]) == 1
    assert "planted (x.csv): read" in capsys.readouterr().out


def test_wrong_checkpoints_finds_what_is_loaded_and_messages_without_the_tensor(tmp_path):
    make_encoder(tmp_path)

    def unchanged(tensors, config):
        pass

    def without_head(tensors, config):
        del tensors["classifier.weight"]

    def try_it(mutate, *wanted):
        return wrong_checkpoints.try_mutation(tmp_path, mutate, wanted)[0]

    assert try_it(unchanged, "classifier.weight") == "was loaded"
    assert try_it(without_head, "classifier.weight", "missing") == ""
    assert try_it(without_head, "pooler.weight").startswith("does not say ['pooler.weight']")


def test_wrong_checkpoints_finds_other_exceptions_and_long_times(tmp_path, monkeypatch):
    make_encoder(tmp_path)

    def try_it():
        return wrong_checkpoints.try_mutation(tmp_path, lambda tensors, config: None, ())[0]

    monkeypatch.setattr(wrong_checkpoints, "tiny_spec", refuse("no"))
    monkeypatch.setattr(wrong_checkpoints, "_SECONDS", -1.0)
    assert try_it() == "took 0.0 s"

    def broken(folder, **options):
        raise KeyError("head")

    monkeypatch.setattr(wrong_checkpoints, "tiny_spec", broken)
    assert try_it() == "raised KeyError: 'head'"


def test_wrong_checkpoints_ends_with_1_where_a_mutation_is_loaded(tmp_path, monkeypatch):
    harmless = ("planted", lambda tensors, config: None, ())
    monkeypatch.setattr(wrong_checkpoints, "mutations", lambda: [harmless])

    assert wrong_checkpoints.main(["--folder", str(tmp_path)]) == 1


@pytest.fixture
def outcome(tmp_path):
    """What the harness says of a payload that is opened by the given function."""

    def find(open_it, **options):
        payload = Payload("planted", lambda folder, ran: None, open_it, **options)
        return hostile.try_payload(payload, tmp_path, tmp_path / "ran")

    return find


def test_hostile_finds_code_that_ran(outcome, tmp_path):
    def run(folder):
        (tmp_path / "ran").touch()
        raise UserError("no")

    assert outcome(run) == "RAN"


@pytest.mark.parametrize("options", [{}, {"refused_by": ValueError}])
def test_hostile_finds_what_was_not_refused(outcome, options):
    assert outcome(lambda folder: None, **options) == "was not refused"
    assert outcome(lambda folder: None, **options, refused=False) == ""


def test_hostile_takes_no_other_error_for_a_refusal(outcome):
    def broken(folder):
        raise ValueError("invalid literal")

    assert outcome(broken) == "raised ValueError: invalid literal"
    assert outcome(broken, refused=False) == "raised ValueError: invalid literal"
    assert outcome(broken, refused_by=ValueError) == ""
    assert outcome(refuse("no")) == ""


def test_hostile_finds_escapes_in_messages(outcome):
    def raw(folder):
        error = UserError("x")
        error.problems, error.args = ["\x1b]0;x\x07"], ("\x1b]0;x\x07",)
        raise error

    assert outcome(refuse("\x1b]0;x\x07")) == ""  # which UserError shows as escapes
    assert outcome(raw).startswith("prints ['\\x1b'")


def test_hostile_finds_memory_that_an_earlier_peak_would_hide(outcome, monkeypatch):
    monkeypatch.setattr(hostile, "_MEMORY_BYTES", 60 << 20)
    earlier = b"a" * (200 << 20)
    del earlier

    def bomb(folder):
        assert len(b"b" * (100 << 20))
        raise UserError("no")

    assert outcome(bomb).endswith(" MB")
    assert outcome(refuse("no")) == ""


def test_hostile_finds_what_takes_long(outcome, monkeypatch):
    monkeypatch.setattr(hostile, "_SECONDS", 0.01)

    def slow(folder):
        time.sleep(0.02)
        raise UserError("no")

    assert outcome(slow) == "took 0 s"


@pytest.fixture
def runs(tmp_path):
    """Two equal finished runs, `whole` and `stopped`."""
    for name in ("whole", "stopped"):
        (tmp_path / name / "model").mkdir(parents=True)
        (tmp_path / name / "model" / "model.safetensors").write_bytes(b"weights")
        entry = {"loss": 0.5, "seconds": len(name)}
        (tmp_path / name / "history.json").write_text(json.dumps({"epochs": [entry]}))
        (tmp_path / f"{name}.digests").write_text(f"{name} 3 abc\n{name} 6 def\n")
    return tmp_path / "whole", tmp_path / "stopped"


def test_train_finds_no_difference_between_equal_runs(runs):
    runs[1].with_name("stopped.digests").write_text("stopped 6 def\n")  # fewer saves are right
    assert train.differences(*runs) == []


@pytest.mark.parametrize(
    ("file", "content", "found"),
    [
        ("stopped/model/model.safetensors", "weighty", "weights differ"),
        ("stopped/history.json", '{"epochs": [{"loss": 0.25}]}', "history differ"),
        ("stopped/history.json", '{"epochs": []}', "history differ"),
        ("stopped.digests", "stopped 3 abc\nstopped 6 000\n", "saved states differ"),
        ("stopped.digests", "stopped 9 abc\n", "saved states differ"),
        ("stopped.digests", "", "saved states differ"),
    ],
)
def test_train_finds_each_difference(runs, file, content, found):
    (runs[1].parent / file).write_text(content)
    assert train.differences(*runs) == [found]


def journal(folder, *trials):
    """A search's journal of trials (cell, score)."""
    folder.mkdir(exist_ok=True)
    records = [
        {"request": {"cell": cell}, "result": {"score": score, "seconds_per_epoch": 1.0}}
        for cell, score in trials
    ]
    lines = [json.dumps({"record": record}) for record in [{"format": 1}, *records]]
    (folder / "journal.jsonl").write_text("\n".join(lines) + "\n")
    return folder


@pytest.mark.parametrize(
    ("trials", "found"),
    [
        ([("a", 0.5), ("b", 0.75)], []),
        ([("b", 0.75), ("a", 0.5)], []),  # in another order
        ([("a", 0.5)], ["1 distinct trials", "other scores", "other answer"]),
        ([("a", 0.5), ("b", 0.75), ("b", 0.75)], ["1 trials run twice", "other scores"]),
        ([("a", 0.5), ("b", 0.7500001)], ["other scores"]),
        ([("a", 0.5), ("c", 0.75)], ["other scores", "other answer"]),
    ],
)
def test_search_finds_each_difference(trials, found, tmp_path, monkeypatch):
    monkeypatch.setattr(search, "_answer", lambda run_dir, seconds: "the same")
    whole = journal(tmp_path / "whole", ("a", 0.5), ("b", 0.75))

    assert search.differences(whole, journal(tmp_path / "killed", *trials)) == found


@pytest.mark.parametrize(
    ("trials", "found"),
    [
        ([("b", 0.75), ("d", 0.5)], []),  # a race may run others
        ([("a", 0.25), ("c", 0.5)], ["1 other scores"]),
        ([("a", 0.5), ("a", 0.5)], ["1 trials run twice"]),
    ],
)
def test_race_finds_other_scores_and_repeated_trials(tmp_path, trials, found):
    whole = journal(tmp_path / "whole", ("a", 0.5), ("b", 0.75))
    killed = journal(tmp_path / "killed", *trials)

    assert search.race_differences(whole, killed, replays=False) == found


def test_search_finds_another_answer(tmp_path, monkeypatch):
    monkeypatch.setattr(search, "_answer", lambda run_dir, seconds: run_dir.name)
    whole, killed = (journal(tmp_path / name, ("a", 0.5)) for name in ("whole", "killed"))

    assert search.differences(whole, killed) == ["other answer"]


def test_offline_finds_calls_and_a_watch_that_sees_nothing():
    local = '7 connect(3, {sa_family=AF_UNIX, sun_path="/run/x"}, 110) = -1 ENOENT'
    planted = '7 connect(3, {sa_family=AF_INET, sin_port=htons(9), sin_addr=inet_addr("192.0.2.1")}'
    call = '7 sendto(3, "x", 1, 0, {sa_family=AF_INET6, sin6_port=htons(53)'

    assert offline.internet_calls([local, planted]) == ([], True)
    assert offline.internet_calls([local, planted, call]) == ([call], True)
    assert offline.internet_calls([local]) == ([], False)
    assert offline.internet_calls([]) == ([], False)
