"""The journal keeps what was written and notices what was not."""

import json
import os

import numpy as np
import pytest

from tf_finetune.errors import UserError
from tf_finetune.results.trial import Cell, Predictions, TrialResult
from tf_finetune.searches.running.journal import Journal, checked_records
from tf_finetune.searches.running.records import TrialJournal, TrialRecord, write_predictions
from tf_finetune.searches.running.trial_request import TrialRequest

IDENTITY = {"data": {"training_examples_sha256": "ab"}, "training": {"epochs": 3, "clip": (1, 2)}}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.jsonl"


def written(path, count=3):
    journal = Journal(path, IDENTITY)
    for number in range(count):
        journal.append({"number": number, "rate": 0.1 + 0.2})
    return journal


def test_records_come_back_as_they_were(path):
    written(path)

    again = Journal(path, IDENTITY)

    assert [record["number"] for record in again.records] == [0, 1, 2]
    assert again.records[0]["rate"] == 0.1 + 0.2
    assert again.notices == []
    assert [set(json.loads(line)) for line in path.read_text().splitlines()] == 4 * [
        {"record", "sha256"}
    ]


def test_every_record_is_on_the_disk_when_append_returns(path, monkeypatch):
    forced, real = [], os.fsync

    def fsync(descriptor):
        real(descriptor)
        if os.path.samestat(os.fstat(descriptor), path.stat()):
            forced.append(path.read_bytes())

    journal = Journal(path, IDENTITY)
    monkeypatch.setattr(os, "fsync", fsync)
    for number in range(2):
        journal.append({"number": number})

        assert forced[-1] == path.read_bytes() and len(forced) == number + 1


@pytest.mark.parametrize("kept", [1, 5, 50, -1])
def test_torn_last_line_is_dropped_with_a_notice_and_cut_off_by_the_next(path, kept):
    written(path)
    whole, last = path.read_bytes()[:-1].rsplit(b"\n", 1)
    path.write_bytes(whole + b"\n" + last[:kept])

    journal = Journal(path, IDENTITY)

    assert [record["number"] for record in journal.records] == [0, 1]
    (notice,) = journal.notices
    assert notice.startswith(f"{path}:4: the last line is torn")
    journal.append({"number": 9})
    again = Journal(path, IDENTITY)
    assert [record["number"] for record in again.records] == [0, 1, 9]
    assert again.notices == []


def test_torn_header_of_an_empty_journal_is_written_again(path):
    path.write_bytes(b'{"record":{"form')

    assert Journal(path, IDENTITY).records == []
    assert Journal(path, IDENTITY).notices == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: line.replace(b'"number":1', b'"number":7'),
        lambda line: b"\x00" * len(line),
        lambda line: b"",
        lambda line: line[:20],
        lambda line: b"[1, 2]",
        lambda line: b"[" * 100_000,
        lambda line: b'{"record": 3, "sha256": "x"}',
    ],
)
def test_damaged_line_is_named_and_the_others_are_kept(path, damage):
    written(path)
    lines = path.read_bytes().split(b"\n")
    lines[2] = damage(lines[2])
    path.write_bytes(b"\n".join(lines))
    damaged = path.read_bytes()

    journal = Journal(path, IDENTITY)

    assert [record["number"] for record in journal.records] == [0, 2]
    assert journal.notices == [
        f"{path}:3: the line is damaged (its checksum does not match): its trial is run again"
    ]
    assert path.read_bytes() == damaged


def test_every_flipped_bit_is_noticed(path):
    written(path, count=1)
    whole = path.read_bytes()
    start = whole.index(b"\n") + 1
    generator = np.random.default_rng(0)
    for position in generator.choice(np.arange(start, len(whole) - 1), 60, replace=False):
        content = bytearray(whole)
        content[position] ^= 1 << int(generator.integers(8))
        path.write_bytes(content)
        journal = Journal(path, IDENTITY)
        assert journal.records == []
        assert journal.notices


def test_journal_of_another_search_is_refused_naming_what_differs_and_kept(path):
    written(path)
    before = path.read_bytes()
    other = {"data": {"training_examples_sha256": "cd"}, "training": {"epochs": 5, "clip": [1, 2]}}

    with pytest.raises(UserError) as caught:
        Journal(path, other)

    assert caught.value.problems == [
        f"{path} belongs to another search: data.training examples: other content",
        f"{path} belongs to another search: training.epochs: received 5, there 3",
    ]
    assert path.read_bytes() == before


def test_damaged_header_is_an_error_and_the_journal_kept(path):
    written(path)
    content = path.read_bytes().replace(b"format", b"tamrof", 1)
    path.write_bytes(content)

    with pytest.raises(UserError, match="journal.jsonl:1: the line that says what the search"):
        Journal(path, IDENTITY)
    assert path.read_bytes() == content


def test_what_another_process_adds_is_seen_after_refresh(path):
    first, second = Journal(path, IDENTITY), Journal(path, IDENTITY)
    second.append({"number": 5})

    assert first.records == []
    first.refresh()
    assert [record["number"] for record in first.records] == [5]
    first.append({"number": 6})
    assert [record["number"] for record in first.records] == [5, 6]


def record_of(folder, seed=0):
    request = TrialRequest(Cell(4, 3e-4), seed, 3)
    name = request.folder_name(3)
    predictions = Predictions(np.arange(3, dtype=np.int32), np.eye(3, dtype=np.float32))
    digest = write_predictions(folder / name / "validation.npz", predictions)
    result = TrialResult(
        request.cell, seed, "completed", score=0.5, trainable_parameters=1, seconds_per_epoch=2.0
    )
    return TrialRecord(request, "explore", result, 9.0, ({"loss": 0.25, "x": None},), name, digest)


def test_trial_comes_back_with_its_predictions(tmp_path, path):
    record = record_of(tmp_path)
    TrialJournal(path, tmp_path, IDENTITY).append(record)

    (again,) = TrialJournal(path, tmp_path, IDENTITY).records.values()

    assert again == record
    targets, logits = again.result.load_predictions()
    np.testing.assert_array_equal(targets, [0, 1, 2])
    np.testing.assert_array_equal(logits, np.eye(3))


@pytest.mark.parametrize("damage", [lambda p: p.unlink(), lambda p: p.write_bytes(b"PK")])
def test_trial_with_damaged_predictions_is_left_out_with_a_notice(tmp_path, path, damage):
    journal = TrialJournal(path, tmp_path, IDENTITY)
    journal.append(record_of(tmp_path, seed=0))
    journal.append(record_of(tmp_path, seed=1))
    damage(tmp_path / "depth4-lr3e-4-seed0" / "validation.npz")

    again = TrialJournal(path, tmp_path, IDENTITY)

    assert [record.request.seed for record in again.records.values()] == [1]
    (notice,) = again.notices
    assert "validation.npz is missing or damaged: its trial is run again" in notice


@pytest.mark.parametrize("content", ["", '{"record": {"for'])
def test_lost_first_line_is_told(path, content):
    path.write_text(content)

    assert Journal(path, IDENTITY).notices == [
        f"{path}:1: the first line is torn or missing: no earlier trial is known"
    ]
    assert Journal(path, IDENTITY).notices == []


def test_damaged_lines_are_found_without_writing(path):
    written(path)
    lines = path.read_bytes().split(b"\n")
    lines[2] = lines[2].replace(b"1", b"3", 1)
    path.write_bytes(b"\n".join(lines)[:-3])
    before = path.read_bytes()

    records, damaged = checked_records(path)

    assert damaged == [3, 4]
    assert [record.get("number") for record in records] == [None, 0]
    assert path.read_bytes() == before


@pytest.mark.parametrize("folder", ["../../elsewhere", "/elsewhere", "..", "a/b"])
def test_trial_folder_elsewhere_is_refused(tmp_path, folder):
    with pytest.raises(ValueError, match="is no name of a folder under trials"):
        TrialRecord.from_dict({"folder": folder, "predictions_sha256": None}, tmp_path)
