import io
import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from tf_finetune.data import token_store_cache
from tf_finetune.data.batches import epoch_batches
from tf_finetune.data.loading import load_split, load_splits
from tf_finetune.errors import UserError
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.several_classes import SeveralClasses
from tf_finetune.tasks.values import Values

WORDS = ("film", "plot", "actors")


def examples(count, classes=2, start=0):
    return [
        (f"the {WORDS[i % 3]} {i}", f"class {i % classes}") for i in range(start, start + count)
    ]


def texts_of(split):
    return [text for text, _ in split.texts(np.arange(len(split)))]


def rows_of(splits):
    parts = (splits.train, splits.validation, splits.test)
    return [None if split is None else split.source_rows.tolist() for split in parts]


def test_given_splits_are_taken_whole(write_csv, data_config, tiny_tokenizer):
    config = data_config(
        train=write_csv("train.csv", examples(8)),
        validation=write_csv("dev.csv", examples(4, start=100)),
        test=write_csv("test.csv", examples(2, start=200)),
    )
    splits, _ = load_splits(config, tiny_tokenizer)
    assert rows_of(splits) == [list(range(2, 10)), [2, 3, 4, 5], [2, 3]]
    assert splits.labels == Classes(("class 0", "class 1"))
    assert splits.validation.labels.tolist() == [0, 1, 0, 1]
    assert texts_of(splits.test) == ["the actors 200", "the film 201"]
    assert splits.train.lengths.tolist() == [5] * 8


def test_missing_splits_are_made_stratified(write_csv, data_config, tiny_tokenizer):
    config = data_config(
        train=write_csv("train.csv", examples(200, classes=4)),
        validation_fraction=0.2,
        test_fraction=0.1,
    )
    splits, _ = load_splits(config, tiny_tokenizer)
    assert [len(split) for split in (splits.train, splits.validation, splits.test)] == [140, 40, 20]
    assert np.bincount(splits.test.labels).tolist() == [5, 5, 5, 5]
    rows = np.concatenate(rows_of(splits))
    assert sorted(rows) == list(range(2, 202))


def test_splits_are_decided_by_the_seed(write_csv, data_config, tiny_tokenizer):
    train = write_csv("train.csv", examples(60))
    first, again, other = (
        rows_of(load_splits(data_config(train=train, split_seed=seed), tiny_tokenizer)[0])
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_a_fraction_of_zero_makes_no_split(write_csv, data_config, tiny_tokenizer):
    config = data_config(
        train=write_csv("train.csv", examples(20)), validation_fraction=0, test_fraction=0
    )
    splits, _ = load_splits(config, tiny_tokenizer)
    assert splits.validation is None
    assert splits.test is None
    assert len(splits.train) == 20


def test_rows_with_the_same_text_go_into_the_same_split(write_csv, data_config, tiny_tokenizer):
    config = data_config(train=write_csv("train.csv", examples(40) * 3))
    splits, _ = load_splits(config, tiny_tokenizer)
    assert not set(texts_of(splits.train)) & set(texts_of(splits.test))
    assert not set(texts_of(splits.train)) & set(texts_of(splits.validation))
    assert splits.summary.shared_texts == ()


def test_a_lone_label_is_a_mistake(write_csv, data_config, tiny_tokenizer):
    rows = [*examples(20), ("dull", "lone"), ("fine", "twice"), ("fine", "twice")]
    with pytest.raises(UserError) as caught:
        load_splits(data_config(train=write_csv("train.csv", rows)), tiny_tokenizer)
    first, second = caught.value.problems
    assert first.endswith(
        "train.csv, row 22: received the class 'lone' with 1 distinct text; accepted: at least 3, "
        "one each for train and test and validation"
    )
    assert "row 23 and 24: received the class 'twice' with 1 distinct text" in second
    assert "give data.validation and data.test" in caught.value.hint


def test_a_lone_label_is_fine_where_no_split_is_made(write_csv, data_config, tiny_tokenizer):
    rows = [*examples(20), ("dull", "lone")]
    config = data_config(train=write_csv("train.csv", rows), validation_fraction=0, test_fraction=0)
    assert load_splits(config, tiny_tokenizer)[0].labels.names[-1] == "lone"


def test_fractions_have_to_leave_training_examples(write_csv, data_config, tiny_tokenizer):
    config = data_config(
        train=write_csv("train.csv", examples(20)), validation_fraction=0.5, test_fraction=0.5
    )
    with pytest.raises(UserError, match="received 1 in sum; accepted: less than 1"):
        load_splits(config, tiny_tokenizer)


def test_too_few_texts_to_divide_are_refused(write_csv, data_config, tiny_tokenizer):
    config = data_config(train=write_csv("train.csv", [("dull", "0.5"), ("fine", "1.5")]))
    with pytest.raises(UserError, match="received 2 distinct texts; accepted: at least 3"):
        load_splits(config, tiny_tokenizer)


def test_the_training_limit_is_a_stratified_sample(write_csv, data_config, tiny_tokenizer):
    train = write_csv("train.csv", examples(300, classes=3))
    whole, _ = load_splits(data_config(train=train), tiny_tokenizer)
    limited, _ = load_splits(data_config(train=train, train_limit=30), tiny_tokenizer)
    assert np.bincount(limited.train.labels).tolist() == [10, 10, 10]
    assert set(limited.train.source_rows) < set(whole.train.source_rows)
    assert rows_of(limited)[1:] == rows_of(whole)[1:]


def test_a_training_limit_below_the_number_of_classes_is_refused(
    write_csv, data_config, tiny_tokenizer
):
    config = data_config(train=write_csv("train.csv", examples(60, classes=5)), train_limit=4)
    with pytest.raises(UserError, match="data.train_limit: received 4, fewer than the 5 classes"):
        load_splits(config, tiny_tokenizer)


@pytest.mark.parametrize(
    "labels",
    [("0", "1"), ("neg", "pos"), ("0.25", "1", "2.5"), ("5", "1", "3"), ("[0, 1]", "[1, 1]")],
    ids=["integers", "names", "targets", "numbered", "multi-hot"],
)
def test_loading_with_what_was_inferred_gives_the_same_without_tokenising(
    write_csv, data_config, tiny_tokenizer, monkeypatch, labels
):
    rows = [(f"film {i}", labels[i % len(labels)]) for i in range(40)]
    config = data_config(train=write_csv("train.csv", rows), text_column=None, label_column=None)
    first, filled = load_splits(config, tiny_tokenizer)
    monkeypatch.setattr(token_store_cache, "write_tokens", None)
    monkeypatch.setattr(token_store_cache, "read_records", None)
    again, filled_again = load_splits(filled, tiny_tokenizer)
    assert filled.text_column == "text"
    assert filled.task == first.labels.task
    assert filled_again == filled
    assert again.labels == first.labels
    assert rows_of(again) == rows_of(first)
    assert again.train.labels.tolist() == first.train.labels.tolist()
    # Nothing is a guess any more.
    assert replace(again.summary, warnings=()) == replace(first.summary, warnings=())
    assert again.summary.warnings == ()


def test_columns_of_zeros_and_ones_are_labels(write_csv, data_config, tiny_tokenizer, monkeypatch):
    rows = [(f"film {i}", i % 2, 1) for i in range(30)]
    train = write_csv("train.csv", rows, ("text", "x", "y"))
    config = data_config(train=train, label_column=None, label_columns=("x", "y"))
    splits, filled = load_splits(config, tiny_tokenizer)
    assert splits.labels == SeveralClasses(("x", "y"))
    assert splits.train.labels[:, 0].tolist() == [row % 2 for row in splits.train.source_rows]
    assert splits.train.labels[:, 1].all()
    monkeypatch.setattr(token_store_cache, "write_tokens", None)
    assert load_splits(filled, tiny_tokenizer)[0].labels == splits.labels


def test_classes_that_are_too_rare_come_with_what_the_labels_were_taken_for(
    write_csv, data_config, tiny_tokenizer
):
    rows = [(f"film {i}", i // 3) for i in range(61)]
    with pytest.raises(UserError, match="'20' with 1 distinct text") as caught:
        load_splits(data_config(train=write_csv("train.csv", rows)), tiny_tokenizer)
    assert "data.task is taken to be single_label, because the labels are 21" in caught.value.hint


def test_several_labels_become_multi_hot_rows(write_csv, data_config, tiny_tokenizer):
    rows = [(f"film {i}", "a;b" if i % 2 else "b") for i in range(30)]
    config = data_config(train=write_csv("train.csv", rows), label_separator=";")
    splits, filled = load_splits(config, tiny_tokenizer)
    assert filled.task == "multi_label"
    assert splits.train.labels.shape == (24, 2)
    assert splits.train.labels[:, 1].all()


def test_without_training_examples_nothing_is_loaded(data_config, tiny_tokenizer):
    with pytest.raises(UserError, match="data.train: received null; accepted: a file"):
        load_splits(data_config(), tiny_tokenizer)


def test_the_mistakes_of_all_files_are_told_at_once(write_csv, data_config, tiny_tokenizer):
    config = data_config(
        train=write_csv("train.csv", [*examples(4), ("", "class 0")]),
        test=write_csv("test.csv", [("dull", "")]),
    )
    with pytest.raises(UserError, match=r"(?s)train.csv, row 6.*test.csv, row 2"):
        load_splits(config, tiny_tokenizer)


def test_a_file_is_scored_with_the_decimal_mark_of_the_training_run(
    write_csv, data_config, tiny_tokenizer
):
    config = data_config(
        train=write_csv("train.csv", [(f"film {i}", f"{i},5") for i in range(20)]),
    )
    splits, filled = load_splits(config, tiny_tokenizer)
    assert (splits.labels.task, filled.decimal_mark) == ("regression", "comma")
    new = write_csv("new.csv", [("a film", "1,250"), ("a plot", "2")])
    split = load_split(filled, new, tiny_tokenizer, Values())
    assert split.labels.tolist() == [1.25, 2.0]


def test_a_file_is_scored_with_the_labels_of_the_training_run(
    write_csv, data_config, tiny_tokenizer
):
    config = data_config(train="gone.csv", label_names=("neg", "pos"), task="single_label")
    labels = Classes(("neg", "pos"))
    source = write_csv("other.csv", [("dull", "neg"), ("fine", "1")])
    split = load_split(config, source, tiny_tokenizer, labels)
    assert split.name == "test"
    assert split.labels.tolist() == [0, 1]
    unknown = write_csv("unknown.csv", [("dull", "mixed")])
    with pytest.raises(UserError, match="unknown.csv, row 2: received the label 'mixed'"):
        load_split(config, unknown, tiny_tokenizer, labels)


def test_batches_of_a_split_cover_its_texts(write_csv, data_config, tiny_tokenizer):
    splits, _ = load_splits(data_config(train=write_csv("train.csv", examples(50))), tiny_tokenizer)
    train = splits.train
    seen = 0
    for batch in epoch_batches(train.lengths, 16, seed=0, epoch=0):
        tokens = train.gather(batch)
        texts = [text for text, _ in train.texts(batch)]
        expected = tiny_tokenizer(texts, padding=True, return_tensors="np")["input_ids"]
        assert tokens.token_ids.tolist() == expected.tolist()
        seen += len(batch)
    assert seen == 40


def test_what_was_loaded_is_shown_and_can_be_written_as_json(
    write_csv, data_config, tiny_tokenizer
):
    config = data_config(train=write_csv("train.csv", examples(50)))
    shown = io.StringIO()
    splits, _ = load_splits(config, tiny_tokenizer, console=Console(file=shown, width=100))
    assert "Tokenised 50 texts" in shown.getvalue()
    assert "class 1" in shown.getvalue()
    assert json.loads(json.dumps(splits.summary.to_dict()))["splits"][0]["rows"] == 40
