"""Which files of a folder are a source's parts, and of which split."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.parts import Part
from tf_finetune.sources.problems import show, show_names
from tf_finetune.sources.split_names import default_split

_STATE, _INFO, _SPLITS = "state.json", "dataset_info.json", "dataset_dict.json"
# What lies beside the data of a set and is none of them.
_ABOUT = {_STATE, _INFO, _SPLITS, "dataset_infos.json", "metadata.json", "config.json"}
_SPLIT_OF_FILE = re.compile(r"(train|validation|valid|val|dev|test)(?:$|[-._\d])")
_JSON_BYTES = 64 * 2**20
_DEPTH = 8


@dataclass(frozen=True)
class FolderParts:
    """The files of one split of a folder.

    Attributes:
        parts: The files in their order, at least one.
        arrow: Whether they are Arrow files of the `datasets` library, whatever their names.
        other_splits: Names of the splits that the folder has beside the one taken.
    """

    parts: tuple[Part, ...]
    arrow: bool = False
    other_splits: tuple[str, ...] = ()


def folder_parts(
    config: DataConfig, source: str, folder: Path, split: str, endings: Sequence[str]
) -> FolderParts | None:
    """The files that a folder of data files has for a split.

    Known are what `save_to_disk` of the `datasets` library writes, for one split or several;
    files whose names begin with the name of a split, as on the hub, there also in a folder
    `data`; any other data files, all of them in the order of their names; and folders in folders
    whose names are values of a column (`label=pos`).

    Args:
        config: Options of the data section.
        source: The folder as the user wrote it.
        folder: The folder.
        split: `train`, `validation` or `test`.
        endings: How names of data files end.

    Returns:
        The files; None if the folder holds no data files, but perhaps one folder a class.

    Raises:
        UserError: The folder has splits, but not this one, or its list of files is wrong.
    """
    accepted = "one of its splits"
    if (folder / _SPLITS).is_file():
        names = _strings(folder / _SPLITS, "splits")
        there = [name for name in names if (folder / name / _STATE).is_file()]
        chosen = default_split(config, source, split, there, accepted=accepted)
        found = _saved_parts(folder / chosen, f"{chosen}/")
        return FolderParts(found.parts, True, tuple(name for name in there if name != chosen))
    if (folder / _STATE).is_file() and (folder / _INFO).is_file():
        return _saved_parts(folder, "")
    parts = _data_files(folder, endings) or _nested_files(folder, endings)
    if not parts or _has_class_folders(folder):
        return None
    _check_one_format(source, parts)
    splits: dict[str, list[Part]] = {}
    for part in parts:
        match = _SPLIT_OF_FILE.match(part.path.name.lower())
        splits.setdefault(match[1] if match else "", []).append(part)
    if "" not in splits:
        chosen = default_split(config, source, split, list(splits), accepted=accepted)
        return FolderParts(tuple(splits.pop(chosen)), False, tuple(splits))
    others = splits.pop("")
    if splits:
        raise UserError(
            f"{source}: holds files of splits ({show_names(splits)}) and others "
            f"({show_names(part.name for part in others)}); accepted: a file, or a pattern such "
            f"as {source.rstrip('/')}/part-*{parts[0].path.suffix}"
        )
    return FolderParts(tuple(parts))


def _check_one_format(source: str, parts: Sequence[Part]) -> None:
    """Refuses files of several formats, which may hold the same rows twice."""
    endings = sorted({part.path.suffix.lower() for part in parts})
    if len(endings) > 1:
        raise UserError(
            f"{source}: holds files with the endings {show_names(endings)}; accepted: files of one "
            f"format, or a pattern such as {source.rstrip('/')}/*{endings[0]}"
        )


def _has_class_folders(folder: Path) -> bool:
    """Whether there are folders of .txt files, beside which other files are no examples."""
    folders = (entry for entry in _visible(folder) if entry.is_dir())
    return any(file.suffix.lower() == ".txt" for entry in folders for file in entry.iterdir())


def _saved_parts(folder: Path, prefix: str) -> FolderParts:
    """The files that the `datasets` library lists for a set that it saved."""
    names = _strings(folder / _STATE, "_data_files", "filename")
    if not names:
        raise UserError(f"{folder / _STATE}: names no data files; accepted: a set with rows")
    if _strings(folder / _STATE, "_indices_data_files", "filename"):
        raise UserError(
            f"{folder}: holds a selection of rows, saved by an old version of the datasets "
            "library; accepted: the set after flatten_indices(), saved again"
        )
    for name in names:
        if Path(name).name != name or not (folder / name).is_file():
            raise UserError(f"{folder / _STATE}: names {show(name)}, which is not a file there")
    return FolderParts(tuple(Part(prefix + name, folder / name, {}) for name in names), True)


def _strings(path: Path, name: str, inner: str | None = None) -> list[str]:
    """The list of strings that a JSON object has under a name, or [] if it has none."""
    if path.stat().st_size > _JSON_BYTES:
        raise UserError(f"{path}: has more than {_JSON_BYTES:,} bytes")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        values = content.get(name) or []
        found = [value[inner] if inner else value for value in values]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"{path}: is not what the datasets library writes: {error}") from error
    if not all(isinstance(value, str) for value in found):
        raise UserError(f"{path}: {name} is not a list of names")
    return found


def _data_files(folder: Path, endings: Sequence[str]) -> list[Part]:
    files = (entry for entry in _visible(folder) if entry.is_file())
    return [Part(file.name, file, {}) for file in files if _is_data(file, endings)]


def _nested_files(folder: Path, endings: Sequence[str]) -> list[Part]:
    """Data files of the one folder of a folder, or of folders that are named column=value."""
    folders = [entry for entry in _visible(folder) if entry.is_dir()]
    if folders and all("=" in entry.name for entry in folders):
        return list(_partitions(folder, folder, {}, endings, _DEPTH))
    if len(folders) == 1 or "data" in (entry.name for entry in folders):
        inner = folders[0] if len(folders) == 1 else folder / "data"
        return [
            Part(f"{inner.name}/{part.name}", part.path, {}) for part in _data_files(inner, endings)
        ]
    return []


def _partitions(
    root: Path, folder: Path, constants: dict[str, str], endings: Sequence[str], depth: int
) -> Iterable[Part]:
    for entry in _visible(folder):
        column, equals, value = entry.name.partition("=")
        if entry.is_dir() and equals and column and depth:
            yield from _partitions(root, entry, {**constants, column: value}, endings, depth - 1)
        elif entry.is_file() and _is_data(entry, endings):
            yield Part(entry.relative_to(root).as_posix(), entry, dict(constants))


def _is_data(path: Path, endings: Sequence[str]) -> bool:
    name = path.name.lower()
    return name.endswith(tuple(endings)) and name not in _ABOUT


def _visible(folder: Path) -> list[Path]:
    """Entries in the order of their names, without those that writers hide (_SUCCESS, .crc)."""
    return sorted(entry for entry in folder.iterdir() if entry.name[0] not in "._")
