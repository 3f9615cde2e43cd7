import copy
import errno
import io
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from rich.console import Console

from tf_finetune.data import token_store_cache, token_store_writer
from tf_finetune.data.token_store import TokenStore
from tf_finetune.data.token_store_cache import open_store
from tf_finetune.data.token_store_files import DamagedStore, remove_store, uncommitted_folder
from tf_finetune.errors import DiskFullError, UserError
from tf_finetune.sources import file_content

ROWS = [
    ("the film was great", "pos"),
    ("dull", "neg"),
    ("unwatchable ! a very , very bad film and the plot was poor", "neg"),
    ("Ünïcode 漢字 fine", "pos"),
]
PAIRS = [
    ("the film was great", "actors fine", "yes"),
    ("dull", "never a very bad plot , but the actors was not fine", "no"),
    ("the plot was not great and the film was not very good", "bad bad bad bad bad", "no"),
]
PAIR_HEADER = ("text", "second", "label")


@pytest.fixture
def filled(write_csv, data_config, tiny_tokenizer):
    """A store of `ROWS` and what opened it."""
    source = write_csv("train.csv", ROWS)
    config = data_config()
    return open_store(config, source, tiny_tokenizer), config, source


def forbid_tokenising(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("tokenised again")

    monkeypatch.setattr(token_store_cache, "write_tokens", refuse)


def test_tokens_are_those_of_the_tokenizer(filled, tiny_tokenizer):
    store, _, _ = filled
    expected = tiny_tokenizer([text for text, _ in ROWS], padding=True, return_tensors="np")
    batch = store.gather(np.arange(4))
    assert batch.token_ids.tolist() == expected["input_ids"].tolist()
    assert batch.token_type_ids.tolist() == expected["token_type_ids"].tolist()
    assert batch.attention_mask.tolist() == expected["attention_mask"].tolist()
    for array in (batch.token_ids, batch.token_type_ids, batch.attention_mask, store.lengths):
        assert array.dtype == np.int32
    assert not store.truncated.any()


def test_pairs_have_the_types_that_a_tokenizer_gives(write_csv, data_config, tiny_tokenizer):
    source = write_csv("pairs.csv", PAIRS, PAIR_HEADER)
    config = data_config(text_pair_column="second")
    untyped = copy.copy(tiny_tokenizer)
    untyped.model_input_names = ["input_ids", "attention_mask"]

    with_types, without = (open_store(config, source, t) for t in (tiny_tokenizer, untyped))

    rows = np.arange(3)
    assert with_types.gather(rows).token_type_ids.any(axis=1).all()
    assert not without.gather(rows).token_type_ids.any()


def test_pairs_without_a_mark_between_them_are_told(
    write_csv, data_config, tiny_tokenizer, unmarked_tokenizer
):
    source = write_csv("pairs.csv", PAIRS, PAIR_HEADER)
    config = data_config(text_pair_column="second")

    marked, unmarked = (open_store(config, source, t) for t in (tiny_tokenizer, unmarked_tokenizer))

    assert not [note for note in marked.notes if "between" in note]
    assert "puts nothing between the texts of a pair: the second goes on" in unmarked.notes[-1]


@pytest.mark.parametrize("max_length", [8, 9, 64])
def test_pairs_are_joined_and_truncated_as_the_tokenizer_does(
    write_csv, data_config, tiny_tokenizer, max_length
):
    source = write_csv("pairs.csv", PAIRS, PAIR_HEADER)
    config = data_config(text_pair_column="second", max_length=max_length)
    store = open_store(config, source, tiny_tokenizer)
    first, second, _ = zip(*PAIRS, strict=True)
    full = [len(ids) for ids in tiny_tokenizer(list(first), list(second))["input_ids"]]
    expected = tiny_tokenizer(
        list(first),
        list(second),
        truncation=True,
        max_length=max_length,
        padding="max_length",
        return_tensors="np",
    )
    batch = store.gather(np.arange(3), pad_to=max_length)
    assert batch.token_ids.tolist() == expected["input_ids"].tolist()
    assert batch.token_type_ids.tolist() == expected["token_type_ids"].tolist()
    assert batch.attention_mask.tolist() == expected["attention_mask"].tolist()
    assert store.truncated.tolist() == [length > max_length for length in full]
    assert store.whole_lengths.tolist() == full
    assert store.marking_tokens == 3
    assert store.texts(np.array([1])) == [(first[1], second[1])]


def test_unknown_tokens_are_counted_as_far_as_texts_are_kept(
    write_csv, data_config, tiny_tokenizer
):
    rows = [("film 漢字", "a"), ("film", "b"), ("very very 漢", "a"), ("漢 plot 字 ☃", "b")]
    source = write_csv("train.csv", rows)
    store = open_store(data_config(max_length=4), source, tiny_tokenizer)
    unknown = tiny_tokenizer.unk_token_id
    kept = tiny_tokenizer([t for t, _ in rows], truncation=True, max_length=4)["input_ids"]
    assert store.unknown.tolist() == [ids.count(unknown) for ids in kept]
    assert store.unknown.sum() > 0 and store.marking_tokens == 2
    assert store.unknown_examples[0] == "漢"


def test_what_was_seen_in_the_source_is_kept_with_its_tokens(
    data_config, tiny_tokenizer, monkeypatch, tmp_path
):
    path = tmp_path / "train.csv"
    path.write_text('text,label\n\n"a \\"good\\", film",a\n\nplot,b\n', encoding="utf-8")
    notes = open_store(data_config(), str(path), tiny_tokenizer).notes
    assert notes[0].startswith("quotes inside a field are written")
    assert notes[1] == "blank lines, which were skipped: 2, such as row 2"
    forbid_tokenising(monkeypatch)
    assert open_store(data_config(), str(path), tiny_tokenizer).notes == notes


def test_rows_come_in_the_order_asked_for_across_record_batches(
    write_csv, data_config, tiny_tokenizer, monkeypatch
):
    monkeypatch.setattr(token_store_writer, "BATCH_ROWS", 3)
    texts = [f"film {'very ' * (index % 5)}{index}" for index in range(11)]
    source = write_csv("many.csv", [(text, str(i)) for i, text in enumerate(texts)])
    store = open_store(data_config(), source, tiny_tokenizer)
    rows = np.array([10, 0, 5, 3, 3, 8])
    assert len(store) == 11
    assert store.texts(rows) == [(texts[row], None) for row in rows]
    expected = tiny_tokenizer([texts[row] for row in rows], padding=True, return_tensors="np")
    assert store.gather(rows).token_ids.tolist() == expected["input_ids"].tolist()
    assert store.lengths[rows].tolist() == expected["attention_mask"].sum(axis=1).tolist()
    assert store.raw_labels.values.to_pylist() == [str(i) for i in range(11)]
    assert store.source_rows.tolist() == list(range(2, 13))


def test_padding_shorter_than_a_row_is_refused(filled):
    with pytest.raises(ValueError, match="a row has 6 tokens, more than pad_to 5"):
        filled[0].gather(np.array([0]), pad_to=5)


def test_no_rows_give_an_empty_batch(filled):
    assert filled[0].gather(np.array([], np.int64)).token_ids.shape == (0, 0)


def test_equal_texts_and_no_others_have_equal_hashes(write_csv, data_config, tiny_tokenizer):
    rows = [("ab", "c", "x"), ("a", "bc", "y"), ("ab", "c", "y")]
    config = data_config(text_pair_column="second")
    store = open_store(config, write_csv("p.csv", rows, PAIR_HEADER), tiny_tokenizer)
    hashes = store.text_hashes
    assert hashes[0] == hashes[2] != hashes[1]


def test_the_callers_tokenizer_keeps_its_settings(write_csv, data_config, tiny_tokenizer):
    own = copy.deepcopy(tiny_tokenizer)
    own.backend_tokenizer.enable_truncation(7)
    own.backend_tokenizer.enable_padding(length=5)
    before = own.backend_tokenizer.to_str()
    open_store(data_config(), write_csv("own.csv", ROWS), own)
    assert own.backend_tokenizer.to_str() == before


def test_the_file_is_plain_arrow(filled):
    table = pa.ipc.open_file(filled[0].path / "tokens.arrow").read_all()
    assert table["text"].to_pylist() == [text for text, _ in ROWS]
    assert table["token_ids"].type == pa.list_(pa.uint16())


def test_a_filled_store_is_opened_without_tokenising(filled, tiny_tokenizer, monkeypatch):
    store, config, source = filled
    forbid_tokenising(monkeypatch)
    # Truncation and padding that the caller used meanwhile must not change the key.
    tiny_tokenizer(["a", "the film"], truncation=True, max_length=5, padding=True)
    try:
        assert open_store(config, source, tiny_tokenizer).key == store.key
    finally:
        tiny_tokenizer.backend_tokenizer.no_truncation()
        tiny_tokenizer.backend_tokenizer.no_padding()


def test_another_content_or_length_or_vocabulary_has_another_key(
    filled, write_csv, data_config, tiny_tokenizer, tmp_path
):
    from transformers import BertTokenizerFast

    store, config, source = filled
    vocabulary = sorted(tiny_tokenizer.vocab, key=tiny_tokenizer.vocab.__getitem__)
    (tmp_path / "vocab.txt").write_text("\n".join([*vocabulary, "cinema"]), encoding="utf-8")
    other = BertTokenizerFast(vocab_file=str(tmp_path / "vocab.txt"))
    changed = write_csv("changed.csv", [*ROWS[:-1], ("fine", "pos")])
    keys = {
        store.key,
        open_store(config, source, other).key,
        open_store(config, changed, tiny_tokenizer).key,
        open_store(data_config(max_length=5), source, tiny_tokenizer).key,
    }
    assert len(keys) == 4


@pytest.mark.parametrize("file", ["tokens.arrow", "manifest.json"])
@pytest.mark.parametrize("damage", ["flip", "truncate", "empty", "remove"])
def test_damage_is_noticed_named_and_mended(filled, tiny_tokenizer, file, damage):
    store, config, source = filled
    expected = store.gather(np.arange(4)).token_ids.tolist()
    path = store.path / file
    content = bytearray(path.read_bytes())
    if damage == "flip":
        content[len(content) // 2] ^= 0x04
        path.write_bytes(content)
    elif damage == "truncate":
        path.write_bytes(content[:-9])
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        path.unlink()
    with pytest.raises(DamagedStore, match=file):
        TokenStore(store.path, source)
    shown = io.StringIO()
    mended = open_store(config, source, tiny_tokenizer, console=Console(file=shown, width=500))
    assert mended.gather(np.arange(4)).token_ids.tolist() == expected
    notice, done = shown.getvalue().splitlines()
    assert notice.startswith(f"damaged token store, filling it again: {path}: ")
    assert done.startswith(f"Tokenised 4 texts of {source} in ")


def test_every_flipped_byte_of_the_manifest_is_noticed_or_harmless(filled):
    store, _, source = filled
    path = store.path / "manifest.json"
    content = path.read_bytes()
    for position in range(0, len(content), 7):
        path.write_bytes(
            content[:position] + bytes([content[position] ^ 0x01]) + content[position + 1 :]
        )
        try:
            again = TokenStore(store.path, source)
        except DamagedStore:
            continue
        assert (
            again.gather(np.arange(4)).token_ids.tolist()
            == store.gather(np.arange(4)).token_ids.tolist()
        )


def test_the_notice_is_logged_without_a_console(filled, tiny_tokenizer, caplog):
    store, config, source = filled
    (store.path / "tokens.arrow").write_bytes(b"")
    open_store(config, source, tiny_tokenizer)
    assert "damaged token store" in caplog.text


def test_nothing_is_left_of_a_store_that_could_not_be_filled(
    write_csv, data_config, tiny_tokenizer, tmp_path
):
    source = write_csv("bad.csv", [*ROWS, ("", "pos")])
    with pytest.raises(UserError, match="bad.csv, row 6"):
        open_store(data_config(), source, tiny_tokenizer)
    assert list((tmp_path / "cache" / "tokens").iterdir()) == []


def test_a_cache_that_cannot_be_written_is_named(write_csv, data_config, tiny_tokenizer, tmp_path):
    (tmp_path / "occupied").write_text("a file, not a folder")
    source = write_csv("train.csv", ROWS)
    config = data_config(cache_dir=str(tmp_path / "occupied"))
    with pytest.raises(UserError, match=r"data.cache_dir: cannot keep tokens in .*occupied"):
        open_store(config, source, tiny_tokenizer)


def test_a_source_that_cannot_be_read_is_not_blamed_on_the_cache(
    write_csv, data_config, tiny_tokenizer, monkeypatch
):
    source = write_csv("train.csv", ROWS)
    write_tokens = token_store_cache.write_tokens

    def broken_open(*_args, **_kwargs):
        raise OSError(errno.EIO, "Input/output error")

    def write_after_the_disk_broke(*args, **options):
        monkeypatch.setattr(file_content, "open", broken_open, raising=False)
        return write_tokens(*args, **options)

    monkeypatch.setattr(token_store_cache, "write_tokens", write_after_the_disk_broke)
    with pytest.raises(UserError, match=r"train.csv: cannot be read: Input/output error") as error:
        open_store(data_config(), source, tiny_tokenizer)
    assert "cache_dir" not in str(error.value)


def test_a_full_disk_is_told_as_one_with_the_option(
    write_csv, data_config, tiny_tokenizer, monkeypatch, tmp_path
):
    def fill_the_quota(path, *_, **__):
        path.write_bytes(b"half")
        raise OSError(errno.EDQUOT, "Error writing bytes to file")

    source, config = write_csv("train.csv", ROWS), data_config()
    with monkeypatch.context() as patch:
        patch.setattr(token_store_cache, "write_tokens", fill_the_quota)
        with pytest.raises(DiskFullError, match=r"data.cache_dir: .*the disk quota is used up: "):
            open_store(config, source, tiny_tokenizer)

    assert [path for path in Path(config.cache_dir).rglob("*") if path.is_file()] == []
    assert len(open_store(config, source, tiny_tokenizer)) == len(ROWS)


def test_a_slow_tokenizer_is_refused(write_csv, data_config):
    class SlowTokenizer:
        name_or_path = "some/model"
        is_fast = False

    with pytest.raises(UserError, match="encoder.name: some/model has no fast tokenizer"):
        open_store(data_config(), write_csv("train.csv", ROWS), SlowTokenizer())


def test_the_first_of_two_commits_stays(tmp_path):
    final = tmp_path / "tokens" / "key"
    for content in ("first", "second"):
        with uncommitted_folder(final) as folder:
            (folder / "file").write_text(content)
    assert (final / "file").read_text() == "first"
    assert list(final.parent.iterdir()) == [final]


def test_an_exception_leaves_no_folder(tmp_path):
    with pytest.raises(KeyError), uncommitted_folder(tmp_path / "key"):
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_folders_that_killed_processes_left_are_removed_after_a_day(tmp_path):
    for name, age_hours in ((".key.aaa", 30), (".key.bbb", 1), (".other.ccc", 30)):
        (tmp_path / name).mkdir()
        then = time.time() - age_hours * 3600
        os.utime(tmp_path / name, (then, then))
    with uncommitted_folder(tmp_path / "key"):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {"key", ".key.bbb", ".other.ccc"}


def test_a_store_that_was_removed_meanwhile_still_reads(filled):
    store, _, _ = filled
    remove_store(store.path)
    remove_store(store.path)
    assert store.texts(np.array([1])) == [("dull", None)]


FILL = """
import sys
import time
from pathlib import Path
from transformers import BertTokenizerFast
from tf_finetune.options.data import DataConfig
from tf_finetune.data.token_store_cache import open_store

vocabulary, source, cache, own, other = sys.argv[1:]
tokenizer = BertTokenizerFast(vocab_file=vocabulary)
config = DataConfig(text_column="text", label_column="label", cache_dir=cache)
Path(own).touch()
give_up = time.monotonic() + 60
while not Path(other).exists() and time.monotonic() < give_up:
    time.sleep(0.001)
store = open_store(config, source, tokenizer)
print(len(store), int(store.lengths.sum()))
"""


def test_two_processes_fill_the_same_store_at_once(
    write_csv, data_config, tiny_tokenizer, tmp_path
):
    source = write_csv("train.csv", [(f"film {i}", str(i % 2)) for i in range(5000)])
    vocabulary = tmp_path / "vocab.txt"
    tokens = sorted(tiny_tokenizer.vocab, key=tiny_tokenizer.vocab.__getitem__)
    vocabulary.write_text("\n".join(tokens), encoding="utf-8")
    common = [sys.executable, "-c", FILL, str(vocabulary), source, str(tmp_path / "cache")]
    flags = [str(tmp_path / "one"), str(tmp_path / "two")]
    package_root = str(Path(token_store_cache.__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": f"{package_root}:{os.environ['PYTHONPATH']}"}
    processes = [
        subprocess.Popen([*common, *order], stdout=subprocess.PIPE, text=True, env=environment)
        for order in (flags, flags[::-1])
    ]
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    store = open_store(data_config(), source, tiny_tokenizer)
    assert [process.returncode for process in processes] == [0, 0]
    assert outputs == [f"5000 {store.lengths.sum()}\n"] * 2
    assert [path.name for path in (tmp_path / "cache" / "tokens").iterdir()] == [store.key]
