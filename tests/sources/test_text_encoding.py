"""Encodings: which are read, and how well a wrong one is located."""

import codecs

import pytest

from tf_finetune.errors import UserError
from tf_finetune.sources import text_lines
from tf_finetune.sources.encoding_guess import likely_encodings
from tf_finetune.sources.records import Record


@pytest.mark.parametrize("encoding", ["utf-8", "UTF8", "utf-8-sig"])
def test_byte_order_mark_of_utf8_is_no_part_of_the_first_column(write, read, encoding):
    path = write("a.csv", "text,label\none,x\n".encode("utf-8-sig"))
    assert read(path, encoding=encoding) == [Record(2, "one", None, "x")]


@pytest.mark.parametrize("encoding", ["utf-16", "gb18030", "latin-1"])
def test_other_encodings_are_read_as_told(write, read, encoding):
    text = "café" if encoding == "latin-1" else "新闻标题"
    path = write("a.tsv", f"text\tlabel\n{text}\tx\n".encode(encoding))
    assert read(path, encoding=encoding) == [Record(2, text, None, "x")]


@pytest.mark.parametrize(
    ("encoding", "text", "guess"),
    [("cp1252", "un café noir", "cp1252"), ("gb18030", "新闻标题", "gb18030")],
)
def test_undecodable_bytes_are_named_by_offset_and_row(write, read, encoding, text, guess):
    content = b"text,label\nplain,x\n"
    offset = len(content) + text.encode(encoding).index(text.encode(encoding).lstrip(b" acfnu"))
    path = write("a.csv", content + f"{text},y\n".encode(encoding))
    place = rf"a.csv, row 3: byte {offset} .* is not utf-8 "
    with pytest.raises(UserError, match=rf"{place}.*\(perhaps {guess}, which reads '{text},y'"):
        read(path)


def test_offset_counts_the_byte_order_mark(write, read):
    path = write("a.csv", b"\xef\xbb\xbftext,label\n\xff,y\n")
    with pytest.raises(UserError, match=r"row 2: byte 14 "):
        read(path)


def test_utf16_is_recognised_by_its_byte_order_mark(write, read):
    path = write("a.csv", "text,label\none,x\n".encode("utf-16"))
    with pytest.raises(UserError, match=r"row 1: byte 0 .*\(perhaps utf-16, which"):
        read(path)


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_BE, codecs.BOM_UTF16_LE])
def test_a_file_of_nothing_but_the_mark_of_utf16_is_a_problem(write, read, mark):
    with pytest.raises(UserError, match=r"row 1: byte 0 .* set data.encoding \(perhaps utf-16"):
        read(write("a.csv", mark))


def test_utf16_without_its_byte_order_mark_is_a_problem(write, read):
    path = write("a.csv", "text,label\none,x\n".encode("utf-16-le"))
    with pytest.raises(UserError, match=r"byte 0 .*is not utf-16"):
        read(path, encoding="utf-16")


@pytest.mark.parametrize("codec", ["utf-8", "gb18030", "utf-16"])
@pytest.mark.parametrize("chunk_bytes", [1, 2, 3, 7, 1000])
def test_place_of_bad_bytes_does_not_depend_on_chunks(tmp_path, monkeypatch, codec, chunk_bytes):
    monkeypatch.setattr(text_lines, "_CHUNK_BYTES", chunk_bytes)
    good = "标题\r\n二\r三\n".encode(codec)
    bad = b"\x00\xdc\x00\xdc" if codec == "utf-16" else b"\xff\xff"
    path = tmp_path / "a.txt"
    path.write_bytes(good + bad)
    assert text_lines._first_undecodable(path, codec) == (len(good), 4)


def test_problems_found_before_the_bad_bytes_are_raised_with_them(write, read):
    rows = "".join(f"text {i},x\n" for i in range(3000))
    path = write("a.csv", b"text,label\n" + rows.encode() + b",x\n" + rows.encode() + b"\xe9,x\n")
    with pytest.raises(UserError) as error:
        read(path)
    first, second = error.value.problems
    assert "row 3002, column 'text'" in first
    assert "row 6003: byte" in second and second.endswith("(reading stopped here)")


def test_codec_that_is_no_text_encoding_is_named_with_its_option(write, read):
    with pytest.raises(UserError, match=r"data.encoding: received 'rot13'; accepted: a text enc"):
        read(write("a.csv", "text,label\none,x\n"), encoding="rot13")


@pytest.mark.parametrize("repeats", [1, 40])
@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1251", "Номер был чистый, персонал вежливый"),
        ("koi8-r", "Номер был чистый, персонал вежливый"),
        ("cp866", "Номер был чистый, персонал вежливый"),
        ("cp1250", "Pokój był czysty, obsługa miła"),
        ("cp1252", "un café très agréable – l’hôtel"),
        ("cp1253", "Το δωμάτιο ήταν καθαρό"),
        ("cp1255", "החדר היה נקי"),
        ("cp1256", "الغرفة كانت نظيفة"),
        ("cp874", "ห้องสะอาดมาก"),
        ("gb18030", "房间很干净，服务很好"),
        ("big5", "房間很乾淨，服務很好"),
        ("cp932", "部屋がきれいで朝食もよかった"),
        ("euc_jp", "部屋がきれいで朝食もよかった"),
        ("cp949", "방이 깨끗하고 아침 식사가 좋았다"),
        ("utf-16-le", "Номер был чистый"),
        ("utf-16-be", "the room was clean"),
    ],
)
def test_the_encoding_that_reads_the_text_right_is_named_first(encoding, text, repeats):
    data = f"text,label\n{f'{text},x' + chr(10)}".encode(encoding) * repeats
    found = likely_encodings(data, final=True)
    assert (found[0].encoding, found[0].text) == (encoding, data.decode(encoding))


def test_no_encoding_is_named_that_cannot_read_the_bytes():
    found = likely_encodings("レビュー,x\n".encode("cp932"), final=True)
    assert all("レビュー,x\n".encode("cp932").decode(found.encoding) for found in found)
    assert "gb18030" not in [candidate.encoding for candidate in found]


def test_several_encodings_are_named_where_a_few_bytes_fit_several():
    assert len(likely_encodings(b"\xe4,x\n", final=True)) == 3


def test_a_character_that_the_window_cuts_is_no_fault():
    data = "房间很干净，服务很好".encode("gb18030")[:-1]
    assert likely_encodings(data, final=False)[0].encoding == "gb18030"
    assert "gb18030" not in [found.encoding for found in likely_encodings(data, final=True)]


def test_a_file_of_two_encodings_is_not_sent_to_a_third(write, read):
    rows = "".join(f"un café {number},x\n" for number in range(5))
    path = write("a.csv", f"text,label\n{rows}".encode() + "un café,y\n".encode("cp1252"))
    with pytest.raises(UserError, match=r"row 7: .*5 of the 6 lines .* are UTF-8, so that no oth"):
        read(path)


def test_utf8_that_is_read_as_something_else_is_sent_back_to_utf8(write, read):
    path = write("a.csv", "text,label\n部屋がきれい,x\n".encode())
    with pytest.raises(UserError, match=r"is not shift_jis .*\(perhaps utf-8\)"):
        read(path, encoding="shift_jis")


@pytest.mark.parametrize("order", ["le", "be"])
def test_utf16_without_its_mark_is_recognised_by_its_zero_bytes(write, read, order):
    path = write("a.tsv", "text\tlabel\none\tx\n".encode(f"utf-16-{order}"))
    with pytest.raises(UserError, match=rf"looks like utf-16-{order}: set data.encoding: utf-16"):
        read(path)
    assert read(path, encoding=f"utf-16-{order}") == [Record(2, "one", None, "x")]
