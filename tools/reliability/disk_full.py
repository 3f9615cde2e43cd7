"""Fills a small disk just before the project writes: what was there stays, the message has figures.

A tmpfs of 2 MB is mounted (this needs root, or `unshare -rm tools/chaos disk_full`). Every writer
writes once with room, and then twice without: on a disk that is full, and on one with room for a
part. It has to end in `DiskFullError` with the path, the free bytes and the bytes needed (what it
took the first time, at most a fifth less), leave no temporary file, and what it wrote the first
time has to load. How many bytes a folder of anything, a token store, answers or events will take
is not known before they are written: there the message has to say so.
"""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.config.saving import write_config
from tf_finetune.config.seal import load_written_config
from tf_finetune.errors import DiskFullError
from tf_finetune.results.trial import Predictions
from tf_finetune.searches.running.journal import Journal
from tf_finetune.searches.running.records import load_predictions, write_predictions
from tf_finetune.storage.files import replaced_folder, write_atomically, write_json
from tf_finetune.storage.manifests import damaged_files, write_manifest
from tools.reliability.options import harness_options

_PAGE_BYTES = 4096
_KNOWN = re.compile(r"the disk is full: at least ([\d,]+) bytes needed, ([\d,]+) bytes free")
_UNKNOWN = re.compile(r"the disk is full: ([\d,]+) bytes free, and more needed")


@dataclass(frozen=True)
class Writer:
    """Something that writes.

    Attributes:
        name: What it writes.
        write: Writes into a folder; the number tells the first time from the second.
        loads: Whether what was written the first time is there.
        sized: Whether it is known before writing how many bytes it takes.
        rooms: Bytes that are left free, one try each.
    """

    name: str
    write: Callable[[Path, int], object]
    loads: Callable[[Path], bool]
    sized: bool = True
    rooms: tuple[int, ...] = (0, 8192)


def main(argv: Sequence[str]) -> int:
    """Tries all writers and prints what went wrong; 0 if nothing did."""
    parser = harness_options("disk_full", __doc__)
    disk = parser.parse_args(argv).folder / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        print(
            "tools/chaos disk_full: no disk can be mounted here; unshare -rm tools/chaos disk_full"
        )
        return 2
    try:
        points = [(writer, room) for writer in writers() for room in writer.rooms]
        faults = [
            f"{writer.name}, {room} bytes left: {problem}"
            for number, (writer, room) in enumerate(points)
            if (problem := try_writer(writer, disk / str(number), room))
        ]
    finally:
        subprocess.run(["umount", str(disk)], check=False)
    for fault in faults:
        print(f"  {fault}")
    print(f"{len(points)} write points, {len(faults)} faults")
    return 1 if faults else 0


def writers() -> Iterator[Writer]:
    """Everything that writes what has to survive."""
    big = "x" * 100_000

    def text(folder: Path, number: int) -> None:
        write_atomically(folder / "a.txt", f"{number}{big}")

    yield Writer("a file", text, lambda f: (f / "a.txt").read_text() == f"0{big}")

    def values(folder: Path, number: int) -> None:
        write_json(folder / "a.json", [number, big])

    yield Writer("JSON", values, lambda f: (f / "a.json").read_text().split()[1] == "0,")

    def config(folder: Path, number: int) -> None:
        sections: dict[str, Any] = {"data": {"train": f"{number}.csv"}}
        write_config(ExperimentConfig.model_validate(sections), folder / "config.yaml")

    yield Writer(
        "config.yaml",
        config,
        lambda f: load_written_config(f / "config.yaml").data.train == "0.csv",
    )

    def manifest(folder: Path, number: int) -> None:
        names = [f"{n:0200}" for n in range(100)]
        for name in names if number == 0 else ():
            (folder / name).write_text("x")
        write_manifest(folder, names)

    yield Writer("a manifest", manifest, lambda f: not damaged_files(f))

    def folder_of_two(folder: Path, number: int) -> None:
        with replaced_folder(folder / "model") as temporary:
            (temporary / "a").write_text(f"{number}{big}")
            (temporary / "b").write_text(big)

    yield Writer(
        "a folder", folder_of_two, lambda f: (f / "model/a").read_text() == f"0{big}", sized=False
    )

    def arrays(folder: Path, number: int) -> None:
        from safetensors.numpy import save_file

        values = np.full(30_000, number, np.float32)
        with replaced_folder(folder / "model", values.nbytes) as temporary:
            save_file({"a": values}, temporary / "a.safetensors")

    def arrays_load(folder: Path) -> bool:
        from safetensors.numpy import load_file

        return bool((load_file(folder / "model" / "a.safetensors")["a"] == 0).all())

    yield Writer("safetensors", arrays, arrays_load)
    yield Writer("a TensorFlow checkpoint", _write_checkpoint, _checkpoint_loads)

    def journal(folder: Path, number: int) -> None:
        Journal(folder / "journal.jsonl", {"a": 1}).append({"number": number, "text": big})

    def journal_loads(folder: Path) -> bool:
        records = Journal(folder / "journal.jsonl", {"a": 1}).records
        return [record["number"] for record in records] == [0]

    yield Writer("a journal", journal, journal_loads)

    def predictions(folder: Path, number: int) -> None:
        found = Predictions(np.full(30_000, number, np.int32), np.zeros((30_000, 2)))
        write_predictions(folder / "x.npz", found)

    yield Writer(
        "predictions", predictions, lambda f: not load_predictions(f / "x.npz").targets.any()
    )
    yield Writer("a token store", _write_store, _store_loads, sized=False)
    yield Writer("answers", _write_answers, _answers_load, sized=False)
    # With some room TensorFlow loses an event that is larger, and says nothing.
    yield Writer("TensorBoard's events", _write_events, _events_load, sized=False, rooms=(0,))


def _write_checkpoint(folder: Path, number: int) -> None:
    import tensorflow as tf

    variable = tf.Variable(tf.fill([30_000], float(number)))
    with replaced_folder(folder / "step", 120_000) as temporary:
        tf.train.Checkpoint(value=variable).write(str(temporary / "variables"))


def _checkpoint_loads(folder: Path) -> bool:
    import tensorflow as tf

    variable = tf.Variable(tf.ones([30_000]))
    tf.train.Checkpoint(value=variable).read(str(folder / "step" / "variables")).assert_consumed()
    return not variable.numpy().any()


def _store_of(folder: Path, number: int) -> Any:
    from transformers import BertTokenizerFast

    from tf_finetune.data.token_store_cache import open_store
    from tf_finetune.options.data import DataConfig
    from tools.reliability.tiny_job import make_encoder

    outside = folder.parent.parent  # the texts and the tokenizer are on another disk
    if not (outside / "encoder").exists():
        make_encoder(outside / "encoder")
    source = outside / f"texts{number}.csv"
    rows = [f"the film {number} {n} was very very good !,{n % 2}" for n in range(500)]
    source.write_text("\n".join(["text,label", *rows]))
    options = {"text_column": "text", "label_column": "label", "cache_dir": str(folder)}
    tokenizer = BertTokenizerFast.from_pretrained(str(outside / "encoder"))
    return open_store(DataConfig.model_validate(options), str(source), tokenizer)


def _write_store(folder: Path, number: int) -> None:
    _store_of(folder, number)


def _store_loads(folder: Path) -> bool:
    return len(_store_of(folder, 0)) == 500


def _write_answers(folder: Path, number: int) -> None:
    from tf_finetune.prediction.resumable import ResumableFile

    file = ResumableFile(folder / "answers.jsonl", {})
    try:
        file.append(f"{number}" * 100_000, 1, "")
        file.finish()
    finally:
        file.close()


def _answers_load(folder: Path) -> bool:
    return (folder / "answers.jsonl").read_text() == "0" * 100_000


def _write_events(folder: Path, number: int) -> None:
    from tf_finetune.reports.tensorboard import write_plan_text

    write_plan_text(folder / "events", f"{number}" * 100_000)


def _events_load(folder: Path) -> bool:
    contents = [path.read_bytes() for path in (folder / "events").iterdir()]
    return any(b"0" * 100_000 in content for content in contents)


def try_writer(writer: Writer, folder: Path, room: int) -> str:
    """Writes with room and without; gives what is wrong, or ""."""
    folder.mkdir()
    writer.write(folder, 0)
    before = {path.name for path in folder.rglob("*")}
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    filler = folder.parent / "filler"
    try:
        _fill(filler, room)
        try:
            writer.write(folder, 1)
            problem = "was written"
        except DiskFullError as error:
            problem = wrong_message(writer, folder, str(error), size, room)
        except Exception as error:
            problem = f"raised {type(error).__name__}: {error}"
        left = {path.name for path in folder.rglob("*")} - before
        # TensorFlow makes its file first; one that is cut is read as far as it goes.
        left = {name for name in left if not name.startswith("events.out.")}
        if left:
            problem = problem or f"leaves {sorted(left)}"
    finally:
        filler.unlink(missing_ok=True)
    if not problem and not writer.loads(folder):
        problem = "what was there does not load"
    subprocess.run(["rm", "-rf", str(folder)], check=True)
    return problem


def wrong_message(writer: Writer, folder: Path, message: str, size: int, room: int) -> str:
    """Compares a message's path and figures with what is so; gives what is wrong, or "".

    Args:
        writer: Who failed.
        folder: Where.
        message: The error's.
        size: Bytes that the same took when there was room.
        room: Bytes that were left free.
    """
    known, unknown = _KNOWN.search(message), _UNKNOWN.search(message)
    if str(folder) not in message or (known is None and (writer.sized or unknown is None)):
        return f"does not say all: {message}"
    groups = known.groups() if known else unknown.groups() if unknown else ()
    figures = [int(group.replace(",", "")) for group in groups]
    if not figures[-1] <= room + _PAGE_BYTES:
        return f"says more than {room} bytes are free: {message}"
    if writer.sized and not 0.8 * size <= figures[0] <= size:
        return f"does not say that {size} bytes are needed: {message}"
    return ""


def _fill(path: Path, room: int) -> None:
    """Fills the disk but for some bytes."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            size = path.stat().st_size
            file.truncate(max(0, size - room))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
