"""Run folders that somebody made: lists and journals that lead elsewhere, and files without end.

What a list names outside the folder is there and has the checksum that the list gives, so that
following it would go unnoticed.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tf_finetune.searches.running.journal import Journal
from tf_finetune.storage.files import json_sha256
from tools.reliability.hostile_payloads import Payload
from tools.reliability.tiny_job import make_encoder

_SECRET = b"numbers"
_SECRET_SHA256 = hashlib.sha256(_SECRET).hexdigest()
_ENDLESS = "/dev/zero"

Make = Callable[[Path], object]


def run_payloads() -> Iterator[Payload]:
    """Payloads in the folder of a model, of a run that is verified, and of an encoder."""
    yield from _model_folders()
    yield from _listed_elsewhere()
    yield from _journals()
    yield from _files_without_end()
    yield from _encoders_without_end()


def _model_folders() -> Iterator[Payload]:
    from tf_finetune.runs.model_folder import check_model_folder

    def manifest(folder: Path, ran: Path) -> None:
        names = ("model.safetensors", "config.json", "../secret")
        for name in names:
            (folder / name).write_bytes(_SECRET)
        _list(folder, dict.fromkeys(names, _SECRET_SHA256))

    def endless(folder: Path, ran: Path) -> None:
        (folder / "manifest.json").symlink_to(_ENDLESS)

    yield Payload("manifest that names files elsewhere", manifest, check_model_folder)
    yield Payload("manifest that leads to an endless device", endless, check_model_folder)
    for name in ("../../elsewhere", "/tmp/elsewhere", ".."):
        yield Payload(
            f"journal with the trial folder {name}",
            lambda folder, ran: None,
            partial(_named_folder, name),
            refused_by=ValueError,
        )


def _named_folder(name: str, folder: Path) -> str:
    from tf_finetune.searches.running.records import trial_folder_name

    return trial_folder_name({"folder": name})


def _verified(name: str, change: Make) -> Payload:
    """A run but for one change, and beside it files that it must not lead to."""

    def plant(folder: Path, ran: Path) -> None:
        run = folder / "runs" / "search"
        for place in (folder, folder / "runs", folder / "elsewhere", run):
            place.mkdir(parents=True, exist_ok=True)
            (place / "validation.npz").write_bytes(_SECRET)
        (run / "config.yaml").write_text("run: {}\n")
        (run / "trials").mkdir()
        change(run)

    return Payload(f"verify: {name}", plant, _verify)


def _verify(folder: Path) -> None:
    from trainers.verify import main

    main([str(folder / "runs" / "search")])


def _list(folder: Path, names: dict[str, Any]) -> None:
    """Writes a manifest whose own checksum is right."""
    folder.mkdir(exist_ok=True)
    content: dict[str, Any] = {"sha256": names}
    content["manifest_sha256"] = json_sha256(content)
    (folder / "manifest.json").write_text(json.dumps(content))


def _listed_elsewhere() -> Iterator[Payload]:
    for place in ("", "model", "export/savedmodel"):

        def traversal(run: Path, place: str = place) -> None:
            (run / place).mkdir(parents=True, exist_ok=True)
            up = "../" * (2 + len(Path(place).parts))
            _list(run / place, {f"{up}validation.npz": _SECRET_SHA256})

        yield _verified(f"manifest of {place or 'the run'} with ../", traversal)

    def absolute(run: Path) -> None:
        path = run.parent.parent / "elsewhere" / "validation.npz"
        _list(run, {str(path): _SECRET_SHA256})

    def escape(run: Path) -> None:
        _list(run, {"\x1b]0;x\x07": _SECRET_SHA256})

    def nested(run: Path) -> None:
        (run / "manifest.json").write_text('{"sha256":' * 100_000)

    yield _verified("manifest with an absolute path", absolute)
    yield _verified("manifest with a terminal escape", escape)
    yield _verified("manifest nested 100,000 deep", nested)


def _journals() -> Iterator[Payload]:
    def entry(run: Path, folder: object) -> None:
        Journal(run / "journal.jsonl", {}).append(
            {"folder": folder, "predictions_sha256": _SECRET_SHA256}
        )

    for folder in ("../..", "../../../elsewhere", "..", "\x1b]0;x\x07", ["x"]):
        yield _verified(f"journal with the trial folder {folder!r}", partial(entry, folder=folder))

    def absolute(run: Path) -> None:
        entry(run, str(run.parent.parent / "elsewhere"))

    yield _verified("journal with an absolute trial folder", absolute)


def _files_without_end() -> Iterator[Payload]:
    """Devices and pipes, which a reader would wait for or fill the memory with."""

    def device(path: Path) -> None:
        path.symlink_to(_ENDLESS)

    def listed(run: Path, make: Make) -> None:
        _list(run, {"metrics.json": _SECRET_SHA256})
        make(run / "metrics.json")

    def manifest(run: Path, make: Make) -> None:
        (run / "model").mkdir()
        make(run / "model" / "manifest.json")

    def config(run: Path, make: Make) -> None:
        (run / "config.yaml").unlink()
        make(run / "config.yaml")

    def trial(run: Path, make: Make) -> None:
        Journal(run / "journal.jsonl", {}).append(
            {"folder": "trial", "predictions_sha256": _SECRET_SHA256}
        )
        (run / "trials" / "trial").mkdir(parents=True)
        make(run / "trials" / "trial" / "validation.npz")

    for kind, make in (("device", device), ("pipe", os.mkfifo)):
        for name, change in (
            ("listed file", listed),
            ("manifest", manifest),
            ("configuration", config),
            ("outputs of a trial", trial),
        ):
            yield _verified(f"{name} is an endless {kind}", partial(change, make=make))


def _encoders_without_end() -> Iterator[Payload]:
    from tf_finetune.encoders.locating import resolve_encoder

    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        for kind in ("device", "pipe"):

            def plant(folder: Path, ran: Path, name: str = name, kind: str = kind) -> None:
                make_encoder(folder)
                (folder / name).unlink(missing_ok=True)
                if kind == "device":
                    (folder / name).symlink_to(_ENDLESS)
                else:
                    os.mkfifo(folder / name)

            yield Payload(
                f"encoder: {name} is an endless {kind}",
                plant,
                lambda folder: resolve_encoder(str(folder)),
            )
