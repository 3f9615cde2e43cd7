import numpy as np
import pytest

from tf_finetune.data.folds import OUT_OF_FOLD, describe_folds, rounds_of, scored_split
from tf_finetune.data.loading import load_splits
from tf_finetune.errors import UserError

WORDS = ("film", "plot", "actors")


def examples(count, classes=2):
    return [(f"the {WORDS[i % 3]} {i}", f"class {i % classes}") for i in range(count)]


@pytest.fixture
def load(write_csv, data_config, tiny_tokenizer):
    """Load rows as splits with folds."""

    def make(rows, folds=5, **options):
        config = data_config(train=write_csv("train.csv", rows), folds=folds, **options)
        return load_splits(config, tiny_tokenizer)[0]

    return make


def test_every_training_example_is_scored_once_and_never_by_a_model_that_saw_it(load):
    splits = load(examples(53, classes=3))
    rounds = rounds_of(splits)

    assert [one.name for one in rounds] == [f"fold-{number}" for number in range(1, 6)]
    assert sorted(np.concatenate([one.scored for one in rounds])) == list(range(len(splits.train)))
    for one in rounds:
        seen = set(one.splits.train.source_rows)
        asked = set(one.splits.validation.source_rows)
        assert seen | asked == set(splits.train.source_rows)
        assert not seen & asked
        assert (
            one.splits.train.source_rows.tolist() == splits.train.source_rows[one.trained].tolist()
        )
        assert (one.splits.test, one.splits.folds) == (None, None)


def test_folds_hold_like_shares_of_each_class(load):
    splits = load(examples(60, classes=3), folds=4, test_fraction=0)
    counts = [np.bincount(one.splits.validation.labels) for one in rounds_of(splits)]
    assert [count.tolist() for count in counts] == [[5, 5, 5]] * 4


def test_rows_with_the_same_text_are_in_the_same_fold(load):
    splits = load(examples(30) * 3, folds=3)
    for one in rounds_of(splits):
        texts = [
            set(part.texts(np.arange(len(part))))
            for part in (one.splits.train, one.splits.validation)
        ]
        assert not texts[0] & texts[1]


def test_the_test_split_is_that_of_a_job_without_validation(load):
    rows = examples(60)
    with_folds, without = load(rows), load(rows, folds=None, validation_fraction=0)
    assert with_folds.test.source_rows.tolist() == without.test.source_rows.tolist()
    assert with_folds.train.source_rows.tolist() == without.train.source_rows.tolist()
    assert with_folds.validation is None


def test_folds_are_decided_by_the_split_seed_and_of_the_limited_examples(load):
    rows = examples(60)
    first, again, other = (
        load(rows, split_seed=seed, train_limit=40, test_fraction=0).folds for seed in (1, 1, 2)
    )
    assert len(first) == 40
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()


def test_targets_are_spread_over_the_folds(load):
    rows = [(f"the film {i}", f"{i / 10:.1f}5") for i in range(40)]
    splits = load(rows, folds=4, test_fraction=0)
    means = [one.splits.validation.labels.mean() for one in rounds_of(splits)]
    assert splits.labels.task == "regression"
    assert np.ptp(means) < 0.4  # of targets from 0 to 4


def test_classes_with_fewer_texts_than_folds_are_named(load):
    rows = [*examples(40), ("dull", "rare"), ("fine", "rare"), ("fine", "rare")]
    with pytest.raises(UserError) as caught:
        load(rows, test_fraction=0)
    assert caught.value.problems[0].endswith(
        "train.csv, row 42 and 43 and 44: received the class 'rare' with 2 distinct texts; "
        "accepted: at least 5, one for each fold"
    )
    assert "set data.folds to fewer" in caught.value.hint


def test_fewer_texts_than_folds_are_refused(load):
    with pytest.raises(UserError, match="received 3 distinct texts; accepted: at least 4, for 4"):
        load([("a", "0.5"), ("b", "1.5"), ("c", "2.5")], folds=4, test_fraction=0)


def test_without_folds_there_is_one_round_of_the_splits_as_they_are(load):
    splits = load(examples(40), folds=None)
    (one,) = rounds_of(splits)
    assert one.splits is splits
    assert (len(one.trained), len(one.scored)) == (len(splits.train), len(splits.validation))
    assert scored_split(splits) is splits.validation
    assert describe_folds(splits) == []


def test_folds_are_told_with_their_sizes(load):
    splits = load(examples(11), folds=3, test_fraction=0)
    assert describe_folds(splits) == [
        "folds: 3 of 4, 4, 3 training examples (data.folds), each scored by a model trained on "
        "the others; the final model is trained on all"
    ]
    scored = scored_split(splits)
    assert (scored.name, len(scored)) == (OUT_OF_FOLD, 11)
