"""Feeds the readers bytes that a coverage-guided fuzzer makes up; only `UserError` may come out.

The fuzzer is atheris (libFuzzer), which the extra `fuzz` installs. It begins with the small
files of `tools/chaos malformed`, keeps whatever reaches a new line of the readers, and mutates
that. The first byte chooses the format, the second the options. Whatever is read has to be
text and labels that the rest of the project can take, and every error has to name the file and
to be printable.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unicodedata import category

from tools.reliability.malformed_cases import cases
from tools.reliability.options import harness_options

ENDINGS = ("csv", "tsv", "txt", "jsonl", "parquet", "json", "arrow", "csv.gz", "jsonl.bz2")
OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"header": False, "text_column": "1", "label_column": "2"},
    {"task": "regression"},
    {"task": "multi_label", "label_separator": ","},
    {"text_column": "text", "label_columns": ("label",)},
    {"encoding": "utf-16"},
    {"encoding": "gb18030"},
    {"text_column": "text", "label_column": "label", "extra_columns": "ignore"},
    {"text_pair_column": "pair", "quoting": "none"},
    {"quoting": "backslash"},
)


def main(argv: Sequence[str]) -> int:
    """Fuzzes for a while; 0 if nothing was found. libFuzzer prints what it does."""
    parser = harness_options("fuzz", __doc__)
    parser.add_argument("--seconds", type=int, default=60, help="how long (default: 60)")
    parser.add_argument("--seed", type=int, default=1, help="of the mutations (default: 1)")
    arguments = parser.parse_args(argv)
    try:
        import atheris
    except ImportError:
        print("tools/chaos fuzz: atheris is missing; .venv/bin/pip install -e '.[fuzz]'")
        return 2
    with atheris.instrument_imports(include=["tf_finetune.sources", "tf_finetune.config"]):
        import tf_finetune.sources
        import tf_finetune.sources.opening  # noqa: F401
    corpus = arguments.folder / "corpus"
    count = write_corpus(corpus)
    print(f"{count} files to begin with", flush=True)
    options = [f"-max_total_time={arguments.seconds}", f"-seed={arguments.seed}"]
    options += ["-max_len=4096", "-rss_limit_mb=4096", "-print_final_stats=1", "-verbosity=0"]
    options.append(f"-artifact_prefix={arguments.folder}/")
    atheris.Setup(
        [sys.argv[0], *options, str(corpus)], lambda data: check_bytes(data, arguments.folder)
    )
    atheris.Fuzz()
    return 0


def write_corpus(folder: Path) -> int:
    """Writes the small files of the other harness, each after the bytes that choose its format."""
    folder.mkdir(parents=True)
    count = 0
    for case in cases():
        ending = case.file.partition(".")[2]
        if ending in ENDINGS and len(case.content) <= 2048:
            head = bytes([ENDINGS.index(ending), count % len(OPTIONS)])
            (folder / str(count)).write_bytes(head + case.content)
            count += 1
    return count


def check_bytes(data: bytes, folder: Path) -> None:
    """Reads made-up bytes as a file.

    Raises:
        AssertionError: What was read, or said, is not as it has to be.
        Exception: Whatever a reader lets out.
    """
    from tf_finetune.errors import UserError
    from tools.reliability.malformed import read_file

    if len(data) < 2:
        return
    path = folder / f"data.{ENDINGS[data[0] % len(ENDINGS)]}"
    path.write_bytes(data[2:])
    try:
        records = read_file(str(path), OPTIONS[data[1] % len(OPTIONS)])
    except UserError as error:
        message = str(error)
        assert str(path) in message or "data." in message, f"no file is named: {message}"
        bad = [c for c in message if not c.isprintable() and c not in "\n\t"]
        assert not bad, f"not printable: {message!r}"
        assert len(message) < 20_000, "too long"
        return
    assert records, "neither records nor an error"
    for text, label in records:
        assert text.strip() and "\0" not in text and text.encode(), repr(text)
        names = (label,) if isinstance(label, str) else label
        if isinstance(names, tuple):
            assert all(n.strip() == n and "Cc" not in map(category, n) for n in names), names


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
