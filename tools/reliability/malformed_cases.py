"""Files as users have them, each with what has to come of it: an error, or these records."""

import bz2
import gzip
import io
import itertools
import json
import lzma
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Records = list[tuple[str, Any]]


@dataclass(frozen=True)
class Case:
    """One file.

    Attributes:
        name: What is odd about it.
        file: Its name, whose ending decides the format.
        content: Its bytes.
        expected: The records (text, label), or what the error has to say beside the file.
        options: Options of the `data` section.
    """

    name: str
    file: str
    content: bytes
    expected: Records | tuple[str, ...]
    options: dict[str, Any] = field(default_factory=dict)


GOOD: Records = [("a fine film", "pos"), ("a dull film", "neg")]
_SEPARATED = {"csv": ",", "tsv": "\t"}
_BOMS = {"utf-8": b"\xef\xbb\xbf", "utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}


def cases() -> Iterator[Case]:
    """All cases, the same ones in the same order at every call."""
    yield from _encodings()
    yield from _line_ends()
    yield from _broken_rows()
    yield from _odd_texts()
    yield from _odd_labels()
    yield from _quotes()
    yield from _json()
    yield from _parquet()
    yield from _arrow()
    yield from _compressed()
    yield from _sizes()


def table(rows: Records, ending: str, end: str = "\n") -> str:
    """Rows under the header text and label, in one of the formats that are text."""
    if ending == "jsonl":
        return "".join(json.dumps({"text": t, "label": lab}) + end for t, lab in rows)
    mark = _SEPARATED[ending]
    return "".join(f"{t}{mark}{lab}{end}" for t, lab in [("text", "label"), *rows])


def _encodings() -> Iterator[Case]:
    accented = [("un café", "pos"), ("déjà vu", "neg")]
    for ending in ("csv", "tsv", "jsonl"):
        name = f"data.{ending}"
        plain = table(GOOD, ending)
        yield Case("byte order mark", name, _BOMS["utf-8"] + plain.encode(), GOOD)
        yield Case("two byte order marks", name, 2 * _BOMS["utf-8"] + plain.encode(), ())
        joined = plain + "\ufeff" + plain.split("\n", 1)[ending != "jsonl"]
        yield Case("mark in the middle", name, joined.encode(), ("row",))
        for codec in ("utf-16-le", "utf-16-be"):
            content = _BOMS[codec] + plain.encode(codec)
            yield Case(f"{codec} unannounced", name, content, ("utf-16",))
            yield Case(f"{codec} announced", name, content, GOOD, {"encoding": "utf-16"})
            cut = {"encoding": "utf-16"}
            yield Case(f"{codec} cut in a character", name, content[:-1], ("byte",), cut)
        written = "\n".join(
            [json.dumps({"text": t, "label": y}, ensure_ascii=False) for t, y in accented]
            if ending == "jsonl"
            else [table(accented, ending)]
        )
        for codec in ("latin-1", "cp1252", "mac-roman"):
            content = written.encode(codec)
            yield Case(f"{codec} unannounced", name, content, ("row", "byte", "data.encoding"))
            yield Case(f"{codec} announced", name, content, accented, {"encoding": codec})
        for codec in ("rot13", "hex", "zlib"):
            yield Case(
                f"codec {codec}", name, plain.encode(), ("data.encoding",), {"encoding": codec}
            )
        chinese = table([("好电影", "pos"), ("坏电影", "neg")], ending)
        if ending != "jsonl":
            yield Case("gb18030 unannounced", name, chinese.encode("gb18030"), ("gb18030",))
        for bad in (
            b"\xff",
            b"\xc3(",
            b"\xed\xa0\x80",
            b"\xf8\x88\x80\x80\x80",
            b"\xc0\xaf",
            b"\xe2\x82",
        ):
            content = plain.encode().replace(b"fine", bad)
            yield Case(f"bytes {bad!r}", name, content, ("row", "byte"))


def _line_ends() -> Iterator[Case]:
    for ending in ("csv", "tsv", "jsonl"):
        name = f"data.{ending}"
        for shown, end in (("CRLF", "\r\n"), ("CR", "\r"), ("LF", "\n")):
            yield Case(f"{shown} ends", name, table(GOOD, ending, end).encode(), GOOD)
        mixed = table(GOOD, ending).replace("\n", "\r\n", 1)
        yield Case("mixed ends", name, mixed.encode(), GOOD)
        yield Case("no last end", name, table(GOOD, ending).rstrip("\n").encode(), GOOD)
        yield Case("blank lines at the end", name, table(GOOD, ending).encode() + b"\n\n", GOOD)
        lines = table(GOOD, ending).splitlines(keepends=True)
        between = "".join([*lines[:-1], "\n", lines[-1]])
        yield Case("blank line between", name, between.encode(), GOOD)
        for odd in ("\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"):
            rows = [(f"a{odd}fine film", "pos"), GOOD[1]]
            yield Case(f"{odd!r} in a text", name, table(rows, ending).encode(), rows)


def _broken_rows() -> Iterator[Case]:
    for ending, mark in _SEPARATED.items():
        name, plain = f"data.{ending}", table(GOOD, ending)
        yield Case("empty file", name, b"", ("empty",))
        yield Case("white space only", name, b" \n\n \n", ())
        yield Case("header only", name, f"text{mark}label\n".encode(), ("no examples",))
        yield Case(
            "a field more", name, f"{plain}x{mark}pos{mark}y\n".encode(), ("row 4", "3 fields")
        )
        yield Case("a field less", name, f"{plain}x\n".encode(), ("row 4", "1 field"))
        yield Case(
            "column twice", name, plain.replace("label", "text", 1).encode(), ("row 1", "text")
        )
        yield Case("no label column", name, b"text\nfine\n", ())
        yield Case("other delimiter", name, plain.replace(mark, ";").encode(), ("data.delimiter",))
        yield Case("only delimiters", name, f"{mark}{mark}\n{mark}{mark}\n".encode(), ())
        yield Case("empty text", name, f"{plain}{mark}pos\n".encode(), ("row 4", "'text'"))
        yield Case("blank text", name, f"{plain}  {mark}pos\n".encode(), ("row 4", "'text'"))
        yield Case("empty label", name, f"{plain}fine{mark}\n".encode(), ("row 4", "'label'"))
        yield Case("NUL in a text", name, f"{plain}f\0ine{mark}pos\n".encode(), ("row 4", "NUL"))
        yield Case("NUL at the end", name, f"{plain}\0".encode(), ("row 4", "NUL"))
        yield Case("only NUL", name, b"\0" * 5000, ("NUL",))
        yield Case("random bytes", name, bytes(itertools.islice(_noise(), 5000)), ())
        yield Case("a ZIP file", name, b"PK\x03\x04" + bytes(itertools.islice(_noise(), 500)), ())
        yield Case("HTML", name, b"<!DOCTYPE html>\n<html><body>404</body></html>\n", ())


def _noise() -> Iterator[int]:
    state = 1
    while True:
        state = (1103515245 * state + 12345) % 2**31
        yield state >> 16 & 255


def _odd_texts() -> Iterator[Case]:
    texts = {
        "right to left": "\u202eevil\u202c",
        "combining marks": "Z" + "\u0301" * 500,
        "zero width": "a\u200b\u200cb\u2060",
        "private use": "\ue000\uf8ff",
        "last code point": "\U0010ffff",
        "no character": "\ufdd0\ufffe",
        "family": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        "ligature": "\ufdfa" * 50,
        "unassigned": "\u0378\U000e0001",
        "escape": "\x1b[31mred\x1b]0;title\x07",
        "backspaces": "abc\x08\x08\x08xyz",
        "html": "<script>alert(1)</script>",
        "markup": "[bold red]x[/] [link=file:///]y",
        "percent": "%s %n {0} {{x}} ${y}",
        "formula": "=cmd|' /C calc'!A0",
    }
    for ending, (shown, text) in itertools.product(("csv", "tsv", "jsonl"), texts.items()):
        rows = [(text, "pos"), GOOD[1]]
        yield Case(f"text: {shown}", f"data.{ending}", table(rows, ending).encode(), rows)


def _odd_labels() -> Iterator[Case]:
    bad = {
        "NUL": "p\0os",
        "line end": "p\nos",
        "escape": "\x1b[31mpos",
        "blank": "   ",
        "mark": "\ufeffpos",
        "surrogate": "\ud800pos",
        "right to left": "\u202epos",
    }
    for shown, label in bad.items():
        content = table([*GOOD, ("x", label)], "jsonl").encode()
        yield Case(f"label: {shown}", "data.jsonl", content, ("row 3", "'label'"))
    values: list[Any] = [None, {}, {"a": 1}, float("nan"), float("inf"), [["a"]], [None], [""]]
    for value in values:
        content = table([*GOOD, ("x", value)], "jsonl").encode()
        yield Case(f"label: {value!r}", "data.jsonl", content, ("row 3",))
    mixed = [("a", "pos"), ("b", ["pos", "neg"]), ("c", "neg")]
    # docs/data.md: where rows have lists, a single name is a list of one.
    lists = [("a", ("pos",)), ("b", ("pos", "neg")), ("c", ("neg",))]
    yield Case("lists and names", "data.jsonl", table(mixed, "jsonl").encode(), lists)
    numbers = [("a", 1), ("b", "1"), ("c", True), ("d", 0)]
    same = [("a", "1"), ("b", "1"), ("c", "1"), ("d", "0")]
    yield Case("1, '1' and true", "data.jsonl", table(numbers, "jsonl").encode(), same)
    options = {"task": "regression"}
    values = ["high", "1_000", "nan", "inf", "1e999", "0x10", True, [1], "1,5", "١٢"]
    for value in values:
        content = table([("a", 1.5), ("b", 2), ("c", value)], "jsonl").encode()
        expected = [("a", 1.5), ("b", 2.0), ("c", 12.0)] if value == "١٢" else ("row 3", "'label'")
        yield Case(f"target: {value!r}", "data.jsonl", content, expected, options)


def _quotes() -> Iterator[Case]:
    plain = table(GOOD, "csv")
    whole = [*GOOD, ('say "hi", now', "pos"), ("two\nlines", "neg")]
    content = plain + '"say ""hi"", now",pos\n"two\nlines",neg\n'
    yield Case("quotes as they should be", "data.csv", content.encode(), whole)
    bad = {
        "never closed": ('"fine,pos\n', "row 4"),
        "text after a quote": ('"fine"x,pos\n', "row 4"),
        "quote closed far below": ('"fine,pos\nx,pos\ny,neg"z,pos\n', "row 4"),
        "only a quote": ('"\n', "row 4"),
    }
    for shown, (line, row) in bad.items():
        yield Case(f"quote {shown}", "data.csv", (plain + line).encode(), (row, "quot"))
    inside = [*GOOD, ('a 6" disc', "pos")]
    yield Case("quote inside", "data.csv", table(inside, "csv").encode(), inside)
    yield Case("quote in a tsv", "data.tsv", table(inside, "tsv").encode(), inside)
    escaped = plain + '"say \\"hi\\", now",pos\n"two\nlines",neg\n'
    yield Case("quotes behind backslashes", "data.csv", escaped.encode(), whole)
    ends = plain + '"C:\\",pos\n'
    yield Case("backslash at the end", "data.csv", ends.encode(), [*GOOD, ("C:\\", "pos")])
    none = {"quoting": "none"}
    opened = [*GOOD, ('"never closed', "pos")]
    yield Case("quotes are characters", "data.csv", table(opened, "csv").encode(), opened, none)
    for mark in ("\n", "\r", '"'):
        yield Case(
            f"delimiter {mark!r}",
            "data.csv",
            plain.encode(),
            ("data.delimiter",),
            {"delimiter": mark},
        )


def _json() -> Iterator[Case]:
    plain = table(GOOD, "jsonl")
    bad = {
        "cut": '{"text": "x", "lab',
        "comma at the end": '{"text": "x", "label": "pos",}',
        "single quotes": "{'text': 'x', 'label': 'pos'}",
        "array": '["x", "pos"]',
        "number": "7",
        "string": '"x"',
        "null": "null",
        "two objects": '{"text": "x", "label": "pos"} {"text": "y", "label": "neg"}',
        "name twice": '{"text": "x", "text": "y", "label": "pos"}',
        "no text": '{"label": "pos"}',
        "no label": '{"text": "x"}',
        "text a number": '{"text": 5, "label": "pos"}',
        "text a list": '{"text": ["x"], "label": "pos"}',
        "text null": '{"text": null, "label": "pos"}',
        "half a surrogate": '{"text": "\\ud800", "label": "pos"}',
        "escaped NUL": '{"text": "a\\u0000b", "label": "pos"}',
        "control character": '{"text": "a\x01b", "label": "pos"}',
        "bad escape": '{"text": "\\x41", "label": "pos"}',
        "deep": "[" * 100_000,
        "deep object": '{"a":' * 100_000,
        "5,000 digits": '{"text": "x", "label": ' + "9" * 5000 + "}",
        "comment": '// {"text": "x", "label": "pos"}',
        "white space name": '{"text ": "x", "label": "pos"}',
    }
    for shown, line in bad.items():
        yield Case(f"JSON: {shown}", "data.jsonl", f"{plain}{line}\n".encode(), ("row 3",))
    array = json.dumps([{"text": t, "label": y} for t, y in GOOD], indent=1)
    for ending in ("json", "jsonl"):
        yield Case("JSON: one array", f"data.{ending}", array.encode(), GOOD)
        yield Case("JSON: array cut", f"data.{ending}", array.encode()[:-5], ("row 2", "JSON"))
    columns = json.dumps({"text": [t for t, _ in GOOD], "label": [y for _, y in GOOD]})
    yield Case("JSON: columns", "data.json", columns.encode(), GOOD)
    ragged = b'{"text": ["x", "y"], "label": ["pos"]}'
    yield Case("JSON: columns of other lengths", "data.json", ragged, ("one JSON object",))
    yield Case("JSON: deep array", "data.json", b"[" * 100_000, ("row 1", "JSON"))
    yield Case("JSON: not at all", "data.jsonl", b"text,label\nx,pos\n", ("row 1", "JSON"))
    yield Case("JSON: empty objects", "data.jsonl", b"{}\n{}\n", ())
    yield Case(
        "JSON: name a surrogate", "data.jsonl", b'{"\\ud800": "x y z", "label": "a"}\n' * 3, ()
    )
    pair = '{"text": "\\ud83d\\ude00", "label": "pos"}\n'
    yield Case("JSON: a whole pair", "data.jsonl", (plain + pair).encode(), [*GOOD, ("😀", "pos")])
    more = '{"label": "pos", "text": "x", "id": 7, "meta": {"a": [1]}}\n'
    yield Case("JSON: more names", "data.jsonl", (plain + more).encode(), [*GOOD, ("x", "pos")])


def _parquet() -> Iterator[Case]:
    import pyarrow as pa

    texts = pa.array([t for t, _ in GOOD])
    labels = pa.array([y for _, y in GOOD])
    good = pa.table({"text": texts, "label": labels})
    whole = _parquet_bytes(good)
    name = "data.parquet"
    yield Case("Parquet", name, whole, GOOD)
    for length in (1, 4, 12, len(whole) // 2, len(whole) - 1, len(whole) - 8):
        yield Case(f"Parquet cut to {length}", name, whole[:length], ("Parquet",))
    yield Case("Parquet: text file", name, b"text,label\nx,pos\n" * 20, ("Parquet",))
    yield Case("Parquet: no rows", name, _parquet_bytes(good.slice(0, 0)), ("no examples",))
    yield Case("Parquet: no columns", name, _parquet_bytes(pa.table({})), ())
    for shown, column in {
        "numbers": pa.array([1, 2]),
        "bytes": pa.array([b"\xff", b"x"]),
        "nulls": pa.nulls(2),
        "a null": pa.array(["x", None]),
        "lists": pa.array([["x"], ["y"]]),
        "times": pa.array([0, 1], pa.timestamp("s")),
    }.items():
        content = _parquet_bytes(pa.table({"text": column, "label": labels}))
        options = {"text_column": "text", "label_column": "label"}
        place = "a column of type" if shown in ("bytes", "times") else "row"
        yield Case(f"Parquet: texts are {shown}", name, content, (place, "'text'"), options)
    invalid = pa.Array.from_buffers(
        pa.string(), 2, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0"), pa.py_buffer(b"\xffx")]
    )
    content = _parquet_bytes(pa.table({"text": invalid, "label": labels}))
    yield Case("Parquet: not UTF-8", name, content, ("row",))
    for shown, column in {
        "nulls": pa.nulls(2),
        "structs": pa.array([{"a": 1}, {"a": 2}]),
        "times": pa.array([0, 1], pa.timestamp("ns")),
        "bytes": pa.array([b"a", b"b"]),
        "not a number": pa.array([float("nan"), 1.0]),
    }.items():
        content = _parquet_bytes(pa.table({"text": texts, "label": column}))
        options = {"text_column": "text", "label_column": "label"}
        place = "a column of type" if shown in ("structs", "times", "bytes") else "row"
        yield Case(f"Parquet: labels are {shown}", name, content, (place, "'label'"), options)
    codes = pa.table({"text": texts.dictionary_encode(), "label": labels.dictionary_encode()})
    yield Case("Parquet: dictionaries", name, _parquet_bytes(codes), GOOD)
    large = pa.table({"text": texts.cast(pa.large_string()), "label": pa.array([0, 1], pa.int8())})
    expected = [(GOOD[0][0], "0"), (GOOD[1][0], "1")]
    yield Case("Parquet: other widths", name, _parquet_bytes(large), expected)


def _compressed() -> Iterator[Case]:
    for ending in ("csv", "tsv", "jsonl"):
        plain = table(GOOD, ending).encode()
        for compress, mark in ((gzip.compress, "gz"), (bz2.compress, "bz2"), (lzma.compress, "xz")):
            name, whole = f"data.{ending}.{mark}", compress(plain)
            yield Case("compressed", name, whole, GOOD)
            yield Case("compressed, cut", name, whole[:-9], ("damaged",))
            flipped = bytearray(whole)
            flipped[len(whole) // 2] ^= 0xFF
            yield Case("compressed, a byte changed", name, bytes(flipped), ("damaged",))


def _arrow() -> Iterator[Case]:
    import pyarrow as pa

    good = pa.table({"text": [t for t, _ in GOOD], "label": [y for _, y in GOOD]})
    for shown, opened in (("file", pa.ipc.new_file), ("stream", pa.ipc.new_stream)):
        sink = io.BytesIO()
        with opened(sink, good.schema) as file:
            file.write_table(good)
        whole = sink.getvalue()
        yield Case(f"Arrow {shown}", "data.arrow", whole, GOOD)
        for length in (1, 8, len(whole) // 3, len(whole) // 2):
            yield Case(f"Arrow {shown} cut to {length}", "data.feather", whole[:length], ("read",))
    yield Case("Arrow: text file", "data.arrow", b"text,label\nx,pos\n" * 20, ("Arrow",))


def _parquet_bytes(content: Any) -> bytes:
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(content, sink)
    return sink.getvalue()


def _sizes() -> Iterator[Case]:
    long = "good " * 2_000_000  # 10,000,000 characters
    for ending in ("csv", "tsv", "jsonl"):
        rows = [*GOOD, (long, "pos")]
        yield Case("10,000,000 characters", f"data.{ending}", table(rows, ending).encode(), rows)
    quoted = table(GOOD, "csv") + '"' + "x,y\n" * 4_500_000
    yield Case("quote never closed in 18 MB", "data.csv", quoted.encode(), ("row 4", "quot"))
    names = ",".join(f"c{n}" for n in range(20_000))
    yield Case("20,000 columns", "data.csv", f"{names}\n{names}\n".encode(), ())
    many = table([*GOOD, *(("", "pos") for _ in range(5000))], "csv")
    yield Case("5,000 bad rows", "data.csv", many.encode(), ("row 4", "4,980 more"))
