"""A prediction that was interrupted goes on, and ends as if it had not been."""

import errno
import io
import json
import os
import stat

import numpy as np
import pytest

from tf_finetune.data.chunks import in_chunks
from tf_finetune.errors import DiskFullError, UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.prediction.resumable import OpenStream, ResumableFile
from tf_finetune.prediction.streaming import predict_texts
from tf_finetune.runs.outputs import Outputs
from tf_finetune.sources.reading import read_texts
from tf_finetune.tasks.classes import Classes

LABELS = Classes(("neg", "pos"))
CONFIG = DataConfig(text_column="text")


class Model:
    """Answers with a function of the text's length; stops at a text it is told."""

    labels = LABELS

    def __init__(self, stop_at=None):
        self.answered = []
        self._stop_at = stop_at

    def outputs_of(self, records, batch_size):
        for record in records:
            if record.text == self._stop_at:
                raise KeyboardInterrupt
        self.answered += [record.text for record in records]
        logits = [[len(record.text) / 7, record.row / 9] for record in records]
        return Outputs(records, (), np.array(logits, np.float32))


@pytest.fixture
def lines(tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("".join(f"text {number}\n" for number in range(25)))
    return path


def predict(source, target, model, **options):
    file = ResumableFile(target, {"model": "a", **options})
    try:
        chunks = in_chunks(read_texts(CONFIG, str(source)), 10)
        predict_texts(lambda: model, chunks, file, batch_size=4)
        file.finish()
    finally:
        file.close()


def interrupt(source, target):
    with pytest.raises(KeyboardInterrupt):
        predict(source, target, Model(stop_at="text 23"))


def test_resumed_output_is_the_uninterrupted_one_byte_for_byte(lines, tmp_path):
    whole, resumed = tmp_path / "whole.jsonl", tmp_path / "resumed.jsonl"
    predict(lines, whole, Model())
    interrupt(lines, resumed)
    assert not resumed.exists()
    # As a process killed while it wrote would leave it.
    with (tmp_path / "resumed.jsonl.partial").open("ab") as file:
        file.write(b'{"text": "text 20", "la')
    second = Model()

    predict(lines, resumed, second)

    assert second.answered == [f"text {number}" for number in range(20, 25)]
    assert resumed.read_bytes() == whole.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "resumed.jsonl",
        "texts.txt",
        "whole.jsonl",
    ]


def test_what_an_interruption_left_behind_the_record_is_cut_off_even_if_nothing_follows(
    lines, tmp_path
):
    whole, resumed = tmp_path / "whole.jsonl", tmp_path / "resumed.jsonl"
    predict(lines, whole, Model())
    interrupt(lines, resumed)
    # More than the answers that are still to come, which would not cover it.
    with (tmp_path / "resumed.jsonl.partial").open("ab") as file:
        file.write(whole.read_bytes())

    predict(lines, resumed, Model())

    assert resumed.read_bytes() == whole.read_bytes()


def test_answers_in_other_chunks_are_the_same(lines):
    found = []
    for rows in (1, 4, 100):
        written = io.StringIO()
        chunks = in_chunks(read_texts(CONFIG, str(lines)), rows)
        predict_texts(Model, chunks, OpenStream(written), batch_size=4)
        found.append(written.getvalue())

    assert found[0] == found[1] == found[2]
    assert len(found[0].splitlines()) == 25


def test_interruption_after_the_last_text_needs_no_model(lines, tmp_path, monkeypatch):
    target = tmp_path / "a.jsonl"
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(ResumableFile, "finish", _interrupted)
        predict(lines, target, Model())

    predict(lines, target, None)

    assert len(target.read_text().splitlines()) == 25


def test_changed_input_is_not_gone_on_with(lines, tmp_path):
    interrupt(lines, tmp_path / "a.jsonl")
    lines.write_text(lines.read_text().replace("text 3\n", "another\n"))

    with pytest.raises(UserError, match=r"first 20 texts.*are not the same any more"):
        predict(lines, tmp_path / "a.jsonl", Model())


@pytest.mark.parametrize("kept", [5, 15])
def test_shortened_input_is_not_gone_on_with(lines, tmp_path, kept):
    interrupt(lines, tmp_path / "a.jsonl")
    lines.write_text("".join(f"text {number}\n" for number in range(kept)))

    with pytest.raises(UserError, match="are not the same any more"):
        predict(lines, tmp_path / "a.jsonl", Model())


def test_another_job_is_not_gone_on_with(lines, tmp_path):
    interrupt(lines, tmp_path / "a.jsonl")

    with pytest.raises(UserError, match=r"are of another prediction \(top_k differ\)"):
        predict(lines, tmp_path / "a.jsonl", Model(), top_k=3)


@pytest.mark.parametrize("damage", ["{", '{"job": {}}', "[]"])
def test_damaged_record_is_named(lines, tmp_path, damage):
    interrupt(lines, tmp_path / "a.jsonl")
    (tmp_path / "a.jsonl.progress.json").write_text(damage)

    with pytest.raises(UserError, match=r"a.jsonl.progress.json are damaged"):
        predict(lines, tmp_path / "a.jsonl", Model())


def test_missing_answers_are_noticed(lines, tmp_path):
    interrupt(lines, tmp_path / "a.jsonl")
    (tmp_path / "a.jsonl.partial").write_text("")

    with pytest.raises(UserError, match="are damaged"):
        predict(lines, tmp_path / "a.jsonl", Model())


def test_two_processes_do_not_write_one_file(tmp_path):
    first = ResumableFile(tmp_path / "a.jsonl", {})
    try:
        with pytest.raises(UserError, match=f"is being written by process {os.getpid()} on"):
            ResumableFile(tmp_path / "a.jsonl", {})
    finally:
        first.close()
    assert list(tmp_path.iterdir()) == []


def test_full_disk_keeps_what_was_answered(lines, tmp_path, monkeypatch):
    whole, resumed, real = tmp_path / "whole.jsonl", tmp_path / "resumed.jsonl", os.fsync
    predict(lines, whole, Model())
    first_chunk = len(b"".join(whole.read_bytes().splitlines(True)[:10]))

    def sync(descriptor):
        told = os.fstat(descriptor)
        if stat.S_ISREG(told.st_mode) and told.st_size > first_chunk:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", sync)
        with pytest.raises(DiskFullError, match="--output: .*resumed.jsonl: the disk is full: at"):
            predict(lines, resumed, Model())
    model = Model()
    predict(lines, resumed, model)

    assert model.answered[0] == "text 10"
    assert resumed.read_bytes() == whole.read_bytes()


def test_what_a_full_disk_did_not_take_is_no_second_error(tmp_path):
    file = ResumableFile(tmp_path / "a.jsonl", {})
    file._file.close()
    file._file = open("/dev/full", "wb")  # noqa: SIM115

    with pytest.raises(DiskFullError, match="at least 6 bytes needed"):
        file.append("answer", 1, "")
    file.close()

    assert list(tmp_path.iterdir()) == []


def test_record_says_how_far_it_came(lines, tmp_path):
    interrupt(lines, tmp_path / "a.jsonl")

    done = json.loads((tmp_path / "a.jsonl.progress.json").read_text())["done"]

    assert done["texts"] == 20
    assert done["bytes"] == (tmp_path / "a.jsonl.partial").stat().st_size


def _interrupted(self, convert=None):
    raise KeyboardInterrupt
