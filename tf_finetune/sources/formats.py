"""Which format a file has, by its name; and what to do with files that are not read."""

from pathlib import Path
from typing import Literal

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.file_content import COMPRESSED_ENDINGS

Format = Literal["csv", "tsv", "text", "json", "jsonl", "parquet", "arrow", "folder", "conll"]
_FORMATS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".txt": "text",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    **dict.fromkeys((".conll", ".conllu", ".iob", ".iob2", ".iobes", ".bio"), "conll"),
}
_TABLE = "save the sheet as CSV (in UTF-8), or write it with pandas to_csv or to_parquet"
_ARCHIVE = "take the files out of it and name one of them"
_INSTEAD = {
    **dict.fromkeys((".xlsx", ".xls", ".xlsm", ".xlsb", ".ods", ".numbers"), _TABLE),
    **dict.fromkeys(
        (".pkl", ".pickle", ".joblib", ".pt", ".pth"),
        "a pickle can run code, so none is opened; write the table with pandas to_parquet",
    ),
    **dict.fromkeys(
        (".doc", ".docx", ".odt", ".rtf", ".pdf", ".html", ".htm", ".xml"),
        "write texts and labels as CSV or JSON lines, one example a row",
    ),
    **dict.fromkeys((".zip", ".7z", ".rar", ".tar", ".tgz", ".tbz2", ".txz"), _ARCHIVE),
    **dict.fromkeys((".zst", ".lz4", ".br", ".z"), "decompress it first"),
    **dict.fromkeys((".db", ".sqlite", ".sqlite3"), "export the table as CSV"),
    **dict.fromkeys(
        (".h5", ".hdf5", ".npy", ".npz", ".mat", ".rds", ".sav", ".dta", ".tfrecord", ".orc"),
        "write texts and labels as Parquet, CSV or JSON lines",
    ),
}
# In folders .txt files are the examples of a class.
PART_ENDINGS = tuple(
    ending + compressed
    for ending in _FORMATS
    if ending != ".txt"
    for compressed in ("", *COMPRESSED_ENDINGS)
)


def has_known_ending(name: str) -> bool:
    """Whether a name ends as files of data do, or as files that are refused with a reason."""
    name = name.lower()
    for compressed in COMPRESSED_ENDINGS:
        name = name.removesuffix(compressed)
    return name.endswith((*_FORMATS, *_INSTEAD))


def format_of(config: DataConfig, source: str, path: Path) -> Format:
    """The format of a file: that of the options, or that of its ending.

    Raises:
        UserError: The ending names no format that is read.
    """
    if config.format != "auto":
        return config.format
    endings = [ending.lower() for ending in path.suffixes[-2:]]
    compressed = bool(endings) and endings[-1] in COMPRESSED_ENDINGS
    if compressed:
        endings.pop()
    ending = endings[-1] if endings else ""
    found = _FORMATS.get(ending)
    if found is not None and not (compressed and found in ("parquet", "arrow")):
        return found
    if found is not None:
        raise UserError(
            f"{source}: is compressed as a whole; accepted: decompressed, as {found} files are "
            "compressed inside"
        )
    if ending in _INSTEAD:
        raise UserError(f"{source}: {ending} files are not read; {_INSTEAD[ending]}")
    raise UserError(
        f"{source}: the ending {path.suffix!r} names no format; accepted: "
        f"{', '.join(_FORMATS)}, those of text also with "
        f"{', '.join(COMPRESSED_ENDINGS)} behind, or set data.format"
    )
