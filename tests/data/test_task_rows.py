"""Examples of several rows: kept in the store, divided and limited as wholes."""

import json

import numpy as np
import pytest

from tests.task_files import write_task_file
from tf_finetune.data.joined_split import join_splits
from tf_finetune.data.loading import load_splits
from tf_finetune.options.data import DataConfig
from tf_finetune.tasks.table import TASKS
from tf_finetune.tasks.tags.word_layout import WordTargets


@pytest.fixture
def tagged(tmp_path, tiny_tokenizer):
    """Twelve texts, every third of which takes several rows of 12 tokens."""
    lines = []
    for number in range(12):
        words = ["good", "film"] * (10 if number % 3 == 2 else 1)
        lines += [f"{number}\tO", *(f"{w}\tB-{w}" for w in words), ""]
    path = tmp_path / "tags.conll"
    path.write_text("\n".join(lines), encoding="utf-8")

    def load(**options):
        config = {"train": str(path), "cache_dir": str(tmp_path / "cache"), "max_length": 12}
        config |= {"validation_fraction": 0.25, "test_fraction": 0.0}
        return load_splits(DataConfig.model_validate(config | options), tiny_tokenizer)[0]

    return load


def test_rows_of_an_example_are_never_parted(tagged):
    splits = tagged()
    train, validation = splits.train, splits.validation
    assert train.num_examples + validation.num_examples == 12
    assert len(train) > train.num_examples
    assert not set(train.source_rows) & set(validation.source_rows)
    assert np.bincount(train.examples).min() == 1
    assert (np.diff(train.examples) >= 0).all()


def test_targets_say_which_rows_go_on(tagged):
    train = tagged().train
    words = WordTargets.of(train.labels)
    assert words.num_examples == train.num_examples
    assert words.goes_on.tolist() == [False, *(np.diff(train.examples) == 0)]
    spans = train.store.spans(train.rows)
    assert [len(one) for one in spans] == words.is_word.sum(axis=1).tolist()
    texts = [text for text, _ in train.texts(np.arange(len(train)))]
    found = [text[start:end] for text, one in zip(texts, spans, strict=True) for start, end in one]
    assert set(found) - set(map(str, range(12))) == {"good", "film"}


def test_a_limit_counts_examples(tagged):
    limited = tagged(train_limit=5).train
    assert limited.num_examples == 5
    assert WordTargets.of(limited.labels).num_examples == 5


def test_the_summary_counts_examples_and_entities(tagged):
    summary = tagged(validation_fraction=0.0).summary
    assert summary.splits[0].rows == 12
    assert summary.splits[0].duplicates == 0
    assert dict(zip(summary.label_names, summary.splits[0].class_counts, strict=True)) == {
        "film": 8 * 1 + 4 * 10,
        "good": 8 * 1 + 4 * 10,
    }


def test_folds_hold_whole_examples(tagged):
    splits = tagged(folds=3, validation_fraction=0.0)
    by_example = {}
    for example, fold in zip(splits.train.examples, splits.folds, strict=True):
        by_example.setdefault(example, set()).add(fold)
    assert all(len(folds) == 1 for folds in by_example.values())


def test_joined_splits_read_what_their_parts_do(tagged):
    splits = tagged()
    joined = join_splits(splits.train, splits.validation)
    assert joined.num_examples == 12
    assert len(joined) == len(splits.train) + len(splits.validation)
    parts = np.concatenate(
        [splits.train.is_read.sum(axis=1), splits.validation.is_read.sum(axis=1)]
    )
    assert joined.is_read.sum(axis=1).tolist() == parts.tolist()
    words = WordTargets.of(joined.labels)
    assert words.num_examples == 12
    assert words.is_word.sum() == parts.sum()


@pytest.mark.parametrize("task", TASKS)
def test_loading_with_what_was_inferred_gives_the_same_rows(task, tiny_tokenizer, tmp_path):
    options = write_task_file(task, tmp_path) | {"cache_dir": str(tmp_path / "cache")}

    first, resolved = load_splits(DataConfig.model_validate(options), tiny_tokenizer)
    again, found = load_splits(resolved, tiny_tokenizer)

    assert found == resolved
    assert again.labels == first.labels
    assert again.train.store.key == first.train.store.key
    assert (again.train.rows == first.train.rows).all()


def test_numbers_stay_the_tags_that_the_options_say(tiny_tokenizer, tmp_path):
    lines = [json.dumps({"tokens": [str(n), "film"], "tags": [1, n % 2]}) for n in range(12)]
    (tmp_path / "train.jsonl").write_text("\n".join(lines), encoding="utf-8")
    options = {"train": str(tmp_path / "train.jsonl"), "cache_dir": str(tmp_path / "cache")}
    options |= {"task": "token_classification", "label_names": ["B-film", "O", "I-film"]}

    first, resolved = load_splits(DataConfig.model_validate(options), tiny_tokenizer)
    again, _ = load_splits(resolved, tiny_tokenizer)

    assert first.labels.names == ("O", "B-film", "I-film")
    assert (again.train.labels == first.train.labels).all()
    assert set(first.train.labels[:, 0].tolist()) == {0}
