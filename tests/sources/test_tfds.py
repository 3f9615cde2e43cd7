"""Data sets of TensorFlow Datasets, without the network."""

import functools
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.columns import resolve_columns
from tf_finetune.sources.fingerprints import fingerprint
from tf_finetune.sources.reading import read_records
from tf_finetune.sources.records import Record

tfds = pytest.importorskip("tensorflow_datasets")

_CONFIG = DataConfig(text_column="sentence", label_column="label")


class TinyReviews(tfds.core.GeneratorBasedBuilder):
    """Three training examples and a test example without its label."""

    # TFDS looks up the files of a module with a dotted name, with a package it does not require.
    __module__ = "tiny_reviews"
    VERSION = tfds.core.Version("1.2.0")

    def _info(self):
        features = {
            "sentence": tfds.features.Text(),
            "label": tfds.features.ClassLabel(names=["bad", "good"]),
            "topics": tfds.features.Sequence(tfds.features.ClassLabel(names=["plot", "cast"])),
            "words": tfds.features.Sequence(tfds.features.Text()),
            "grade": np.float32,
        }
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(3), "test": self._generate_examples(1)}

    def _generate_examples(self, count):
        for i in range(count):
            yield (
                i,
                {
                    "sentence": f"très {i}",
                    "label": i % 2 if count > 1 else -1,
                    "topics": ["plot", "cast"][:i],
                    "words": ["très"],
                    "grade": 3.8,
                },
            )


class TinyQuestions(tfds.core.GeneratorBasedBuilder):
    """A question with one answer."""

    __module__ = "tiny_questions"
    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        answers = {"text": tfds.features.Text(), "answer_start": np.int32}
        features = {
            "question": tfds.features.Text(),
            "context": tfds.features.Text(),
            "answers": tfds.features.Sequence(answers),
        }
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        answers = {"text": ["Île"], "answer_start": [2]}
        yield 0, {"question": "Où ?", "context": "L'Île.", "answers": answers}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory) -> str:
    """A folder in which the data set is prepared."""
    folder = str(tmp_path_factory.mktemp("tfds"))
    for builder in (TinyReviews, TinyQuestions):
        builder(data_dir=folder).download_and_prepare()
    return folder


@pytest.fixture(autouse=True)
def prepared(data_dir, monkeypatch) -> Iterator[None]:
    """Makes TFDS look for data sets in that folder."""
    monkeypatch.setattr(tfds, "builder", functools.partial(tfds.builder, data_dir=data_dir))
    yield


def test_texts_are_decoded_and_class_names_are_labels(read):
    records = sorted(read("tfds:tiny_reviews"), key=lambda record: record.text)
    assert [(r.text, r.label) for r in records] == [
        ("très 0", "bad"),
        ("très 1", "good"),
        ("très 2", "bad"),
    ]
    assert sorted(record.row for record in records) == [1, 2, 3]


def test_sequences_of_structures_are_answers(read):
    (record,) = read("tfds:tiny_questions")
    assert (record.text, record.label, record.spans) == ("Où ?", ("Île",), ((2, 5),))


def test_sequences_of_classes_and_of_texts_are_label_sets(read):
    records = read("tfds:tiny_reviews", label_column="topics")
    assert {r.text: r.label for r in records} == {
        "très 0": (),
        "très 1": ("plot",),
        "très 2": ("plot", "cast"),
    }
    assert read("tfds:tiny_reviews", label_column="words")[0].label == ("très",)


def test_single_precision_targets_keep_their_decimal_value(read):
    records = read("tfds:tiny_reviews@train[:1]", label_column="grade", task="regression")
    assert [record.label for record in records] == [3.8]


def test_hidden_labels_are_a_problem():
    with pytest.raises(UserError, match=r"tiny_reviews, example 1 of test, column 'label': rec"):
        list(read_records(_CONFIG, "tfds:tiny_reviews", split="test"))
    records = list(read_records(_CONFIG, "tfds:tiny_reviews", split="test", labelled=False))
    assert records == [Record(1, "très 0", None, None)]


@pytest.mark.parametrize("test", ["tfds:tiny_reviews", "tfds:tiny_reviews@test"])
def test_validation_falls_back_to_the_test_split_unless_that_is_the_test(test):
    source = "tfds:tiny_reviews"
    records = list(read_records(_CONFIG, source, split="validation", labelled=False))
    assert len(records) == 1
    with pytest.raises(UserError, match=r"data.validation: .* has no validation split"):
        resolve_columns(DataConfig(train=source, validation=source, test=test))


def test_unknown_split_lists_the_splits():
    with pytest.raises(UserError, match=r"split 'dev' is unknown; accepted: 'train', 'test'"):
        resolve_columns(DataConfig(train="tfds:tiny_reviews@dev"))


def test_unknown_name_suggests_the_nearest():
    with pytest.raises(UserError, match=r"not a data set .*nearest name is tfds:imdb_reviews"):
        resolve_columns(DataConfig(train="tfds:imdb_reviewz"))


def test_unknown_version_is_named():
    with pytest.raises(UserError, match=r"imdb_reviews:9.9.9: not a data set .*only: 1.0.0"):
        resolve_columns(DataConfig(train="tfds:imdb_reviews:9.9.9"))


def test_data_set_that_was_not_downloaded_says_how():
    with pytest.raises(UserError, match=r"was not downloaded .*builder\('glue/sst2'\)\.download"):
        resolve_columns(DataConfig(train="tfds:glue/sst2"))


def test_missing_package_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(UserError, match=r"pip install tensorflow-datasets"):
        resolve_columns(DataConfig(train="tfds:glue/sst2"))


def test_fingerprint_tells_splits_apart():
    train = fingerprint(_CONFIG, "tfds:tiny_reviews")
    assert fingerprint(_CONFIG, "tfds:tiny_reviews@train") == train
    assert fingerprint(_CONFIG, "tfds:tiny_reviews@train[:2]") != train
    assert fingerprint(_CONFIG, "tfds:tiny_reviews", split="test") != train
