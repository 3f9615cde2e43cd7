"""Folders and patterns of data files."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.columns import resolve_columns
from tf_finetune.sources.fingerprints import fingerprint
from tf_finetune.sources.opening import open_table
from tf_finetune.sources.reading import read_records


@pytest.fixture
def save(tmp_path):
    """Saves a data set as the datasets library does, in parts of two rows; gives its folder."""

    def save_set(name, texts):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        names = []
        for number in range(0, len(texts), 2):
            names.append(f"data-{number // 2:05}-of-00009.arrow")
            part = pa.table({"text": texts[number : number + 2], "label": ["x", "y"]})
            with pa.ipc.new_stream(str(folder / names[-1]), part.schema) as file:
                file.write_table(part)
        (folder / "dataset_info.json").write_text("{}")
        state = {"_data_files": [{"filename": name} for name in names], "_split": "train"}
        (folder / "state.json").write_text(json.dumps(state))
        return str(folder)

    return save_set


@pytest.fixture
def save_splits(tmp_path, save):
    def save_sets(*splits):
        for split in splits:
            save(f"set/{split}", [f"{split} one", f"{split} two"])
        (tmp_path / "set/dataset_dict.json").write_text(json.dumps({"splits": splits}))
        return str(tmp_path / "set")

    return save_sets


def texts_of(source, split="train", **options):
    config = resolve_columns(DataConfig(**{"train": source, split: source, **options}))
    return [record.text for record in read_records(config, source, split=split)]


def test_a_set_that_the_datasets_library_saved_is_read_in_the_order_of_its_parts(save):
    texts = [f"text {number}" for number in range(6)]
    folder = save("set", texts)
    config = resolve_columns(DataConfig(train=folder))
    found = list(read_records(config, folder))
    assert [record.text for record in found] == texts
    assert [record.row for record in found] == [1, 2, 3, 4, 5, 6]


def test_a_saved_set_of_splits_gives_each_its_own(save_splits):
    folder = save_splits("train", "validation", "test")
    for split in ("train", "validation", "test"):
        assert texts_of(folder, split) == [f"{split} one", f"{split} two"]
    assert texts_of(f"{folder}/test") == ["test one", "test two"]


def test_splits_that_nobody_asked_for_are_told(save_splits):
    folder = save_splits("train", "test")
    (note,) = open_table(DataConfig(train=folder), folder).notes
    assert note == (
        "only the train split is read, not test; to use them, give the same folder as "
        "data.validation and data.test"
    )
    assert not open_table(DataConfig(train=folder, test=folder, validation="x"), folder).notes


def test_a_test_split_is_not_taken_twice(save_splits):
    folder = save_splits("train", "test")
    assert texts_of(folder, "validation") == ["test one", "test two"]
    with pytest.raises(UserError, match=r"its test split is data.test; accepted: null"):
        resolve_columns(DataConfig(train=folder, validation=folder, test=folder))


@pytest.mark.parametrize(
    ("state", "fault"),
    [
        ({"_data_files": []}, "names no data files"),
        ({"_data_files": [{"filename": "../../secret.arrow"}]}, "which is not a file there"),
        ({"_data_files": [{"filename": "gone.arrow"}]}, "which is not a file there"),
        ({"_data_files": [{"filename": 7}]}, "is not a list of names"),
        ({"_data_files": 7}, "is not what the datasets library writes"),
        ([], "is not what the datasets library writes"),
    ],
)
def test_a_saved_set_with_a_wrong_state_is_refused(tmp_path, save, state, fault):
    folder = save("set", ["one", "two"])
    (tmp_path / "secret.arrow").write_bytes(b"x")
    (tmp_path / "set/state.json").write_text(json.dumps(state))
    with pytest.raises(UserError, match=fault):
        resolve_columns(DataConfig(train=folder))


def write_parquet(path, *texts):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"text": texts, "label": ["x"] * len(texts)}), str(path))


@pytest.mark.parametrize("inner", ["", "data/", "plain_text/"])
def test_a_repository_of_the_hub_gives_each_split_its_own(tmp_path, inner):
    root = tmp_path / "set"
    write_parquet(root / f"{inner}train-00000-of-00002.parquet", "one")
    write_parquet(root / f"{inner}train-00001-of-00002.parquet", "two")
    write_parquet(root / f"{inner}test-00000-of-00001.parquet", "three")
    (root / "README.md").write_text("about")
    (root / "dataset_infos.json").write_text("{}")
    assert texts_of(str(root)) == ["one", "two"]
    assert texts_of(str(root), "test") == ["three"]


def test_parts_that_a_cluster_wrote_are_one_table(tmp_path):
    for number in (2, 0, 1):
        write_parquet(tmp_path / f"set/part-0000{number}-c000.snappy.parquet", f"text {number}")
    (tmp_path / "set/_SUCCESS").write_text("")
    (tmp_path / "set/.part-00000.crc").write_bytes(b"crc")
    assert texts_of(str(tmp_path / "set")) == ["text 0", "text 1", "text 2"]


def test_folders_named_by_values_give_a_column(tmp_path):
    for label in ("pos", "neg"):
        for part in ("a", "b"):
            path = tmp_path / f"set/label={label}/{part}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(pa.table({"text": [f"{label} {part}"]}), str(path))
    config = resolve_columns(DataConfig(train=str(tmp_path / "set")))
    found = [(r.text, r.label) for r in read_records(config, str(tmp_path / "set"))]
    assert found == [("neg a", "neg"), ("neg b", "neg"), ("pos a", "pos"), ("pos b", "pos")]


def test_a_pattern_names_files_of_any_text_format(write, tmp_path):
    write("a-1.csv.gz", gzip.compress(b"text,label\none,x\n\n"))
    write("a-2.csv.gz", gzip.compress(b"text,label\ntwo,y\n"))
    source, notes = f"{tmp_path}/a-*.csv.gz", []
    config = resolve_columns(DataConfig(train=source))
    records = list(read_records(config, source, notes=notes))
    assert [(record.text, record.label) for record in records] == [("one", "x"), ("two", "y")]
    assert notes == ["blank lines, which were skipped: 1, such as a-1.csv.gz, row 3"]


def test_a_fault_in_one_of_several_files_names_it(write, tmp_path):
    write("part-1.csv", "text,label\none,x\n")
    write("part-2.csv", "text,label\n,y\n")
    with pytest.raises(UserError, match=r"part-2.csv, row 2, column 'text': received ''"):
        texts_of(f"{tmp_path}/part-*.csv")


def test_files_of_other_columns_or_formats_are_not_joined(write, tmp_path):
    write("set/a.csv", "text,label\none,x\n")
    write("set/b.csv", "text,kind\none,x\n")
    with pytest.raises(UserError, match=r"b.csv: has the columns 'text', 'kind'; accepted: those"):
        texts_of(str(tmp_path / "set"))
    write("set/b.csv", "text,label\none,x\n")
    write("set/c.jsonl", '{"text": "two", "label": "y"}\n')
    with pytest.raises(UserError, match=r"holds files with the endings '.csv', '.jsonl'"):
        texts_of(str(tmp_path / "set"))


def test_files_of_splits_beside_others_are_not_mixed(write, tmp_path):
    for name in ("train.csv", "test.csv", "more.csv"):
        write(f"set/{name}", "text,label\none,x\n")
    with pytest.raises(UserError, match=r"holds files of splits \('test', 'train'\) and others"):
        texts_of(str(tmp_path / "set"))


def test_a_folder_a_class_stays_one_whatever_lies_beside(write, tmp_path):
    write("set/pos/1.txt", "fine")
    write("set/neg/1.txt", "dull")
    write("set/sources.csv", "file,url\n1,x\n")
    assert texts_of(str(tmp_path / "set")) == ["dull", "fine"]


def test_a_pattern_that_names_nothing_is_a_source_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match=r"no-\*.csv: no such file or folder"):
        texts_of(f"{tmp_path}/no-*.csv")


def test_the_order_and_names_of_parts_count_for_the_fingerprint(write, tmp_path):
    write("set/a.csv", "text,label\none,x\n")
    write("set/b.csv", "text,label\ntwo,x\n")
    source = str(tmp_path / "set")
    config = resolve_columns(DataConfig(train=source))
    first = fingerprint(config, source)
    assert fingerprint(config, source) == first
    (tmp_path / "set/a.csv").rename(tmp_path / "set/c.csv")
    assert fingerprint(config, source) != first
