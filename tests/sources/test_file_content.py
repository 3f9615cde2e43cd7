"""Compressed files, and files that are not what their names say."""

import bz2
import gzip
import json
import lzma
import pickle

import pytest

from tf_finetune.errors import UserError
from tf_finetune.sources import file_content
from tf_finetune.sources.records import Record

ROWS = b"text,label\none,x\ntwo,y\n"
RECORDS = [Record(2, "one", None, "x"), Record(3, "two", None, "y")]


COMPRESSORS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


@pytest.mark.parametrize("ending", COMPRESSORS)
def test_compressed_text_is_read(write, read, ending):
    compress = COMPRESSORS[ending]
    assert read(write(f"a.csv.{ending}", compress(ROWS))) == RECORDS
    objects = [{"text": "one", "label": "x"}, {"text": "two", "label": "y"}]
    array = compress(json.dumps(objects).encode())
    assert [record.text for record in read(write(f"a.json.{ending}", array))] == ["one", "two"]
    lines = compress("\n".join(map(json.dumps, objects)).encode())
    assert [record.text for record in read(write(f"a.jsonl.{ending}", lines))] == ["one", "two"]


def test_the_content_decides_whether_a_file_is_compressed(write, read):
    assert read(write("a.csv.gz", ROWS)) == RECORDS
    assert read(write("a.csv", gzip.compress(ROWS))) == RECORDS
    assert read(write("a.gz", gzip.compress(ROWS)), format="csv") == RECORDS


def test_files_that_were_compressed_and_put_together_are_read_whole(write, read):
    assert read(write("a.csv.gz", gzip.compress(ROWS[:17]) + gzip.compress(ROWS[17:]))) == RECORDS


def test_bytes_that_cannot_be_decoded_are_found_in_compressed_files_too(write, read):
    content = "text,label\nplain,x\nНомер был чистый,y\n".encode("cp1251")
    with pytest.raises(UserError, match=r"row 3: byte 19 .*perhaps cp1251, which reads 'Номер"):
        read(write("a.csv.gz", gzip.compress(content)))


@pytest.mark.parametrize("ending", COMPRESSORS)
def test_a_compressed_file_that_is_cut_short_or_changed_is_told(write, read, ending):
    rows = b"".join(b"text %d,%d\n" % (n * n, n % 2) for n in range(20_000))
    whole = COMPRESSORS[ending](b"text,label\n" + rows)
    changed = bytearray(whole)
    changed[len(whole) // 2 : len(whole) // 2 + 8] = b"\xff" * 8
    for content in (whole[: len(whole) // 2], bytes(changed)):
        path = write(f"a.csv.{ending}", content)
        with pytest.raises(UserError, match=r"a.csv.\w+: cannot be read: .*damaged"):
            read(path, text_column="text", label_column="label")


@pytest.mark.parametrize("ending", COMPRESSORS)
def test_a_small_file_that_holds_far_too_much_is_refused(write, read, monkeypatch, ending):
    monkeypatch.setattr(file_content, "RATIO_COUNTS_FROM", 2**20)
    bomb = COMPRESSORS[ending](b"text,label\n" + b"one,x\n" * 2**20)
    with pytest.raises(UserError, match=r"holds more than [0-9,]+ bytes, over 200 times its si"):
        read(write(f"a.csv.{ending}", bomb))


@pytest.mark.parametrize(
    ("name", "way_out"),
    [
        ("a.xlsx", "save the sheet as CSV"),
        ("a.XLS", "save the sheet as CSV"),
        ("a.pkl", "a pickle can run code"),
        ("a.docx", "write texts and labels as CSV"),
        ("a.zip", "take the files out of it"),
        ("a.tar.gz", "take the files out of it"),
        ("a.parquet.gz", "compressed inside"),
        ("a.unknown", "the ending '.unknown' names no format"),
        ("a.csv.zst", "decompress it first"),
        ("a.gz", "the ending '.gz' names no format"),
    ],
)
def test_formats_that_are_not_read_are_refused_with_a_way_out(write, read, name, way_out):
    with pytest.raises(UserError, match=way_out):
        read(write(name, gzip.compress(ROWS)))


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "txt"])
@pytest.mark.parametrize(
    ("start", "what"),
    [
        (b"PK\x03\x04", "a zip archive or an Office file"),
        (b"\xd0\xcf\x11\xe0", "an old Office file"),
        (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
        (b"PAR1", "a Parquet file"),
        (b"ARROW1", "an Arrow file"),
        (b"%PDF-1.7", "a PDF document"),
        (pickle.dumps([1]), "a pickle, which could run code"),
        (b"version https://git-lfs.github.com/spec/v1\noid x", "a pointer of Git LFS"),
        (b"\n <!DOCTYPE html><html>", "a web page"),
        (b"a" * 257 + b"ustar", "a tar archive"),
    ],
)
def test_a_file_that_is_no_text_is_called_what_it_is(write, read, ending, start, what):
    with pytest.raises(UserError, match=rf"a.{ending}: is {what}"):
        read(write(f"a.{ending}", start + b"\0" * 600))
