import io

import pytest
from rich.console import Console

from tf_finetune.data.loading import load_splits
from tf_finetune.data.summary_tables import render_summary


@pytest.fixture
def load(write_csv, data_config, tiny_tokenizer):
    """Load given rows as train and test, and give the summary."""

    def load_rows(train, test, **options):
        config = data_config(
            train=write_csv("train.csv", train),
            test=write_csv("test.csv", test),
            validation_fraction=0,
            **options,
        )
        return load_splits(config, tiny_tokenizer)[0].summary

    return load_rows


def render(summary):
    file = io.StringIO()
    render_summary(summary, Console(file=file, width=120))
    return file.getvalue()


def test_figures_of_a_split_are_counted_and_lengths_are_those_before_the_cut(load):
    train = [("film", "a"), ("the film", "a"), ("the film", "a"), ("a very very bad film", "b")]
    figures = load(train, [("plot", "b")], max_length=6).splits[0]
    assert (figures.name, figures.rows, figures.class_counts) == ("train", 4, (3, 1))
    assert (figures.length_p50, figures.length_p90, figures.length_max) == (4, 7, 7)
    assert figures.truncated_share == 0.25
    assert figures.duplicates == 1


def test_texts_in_two_splits_are_found(load):
    train = [(f"film {i}", "ab"[i % 2]) for i in range(20)]
    test = [("plot", "a"), ("film 7", "b"), ("film 3", "b"), ("film 3", "b")]
    summary = load(train, test)
    (shared,) = summary.shared_texts
    assert (shared.first, shared.second, shared.count) == ("train", "test", 3)
    assert shared.examples == ((9, 3), (5, 4), (5, 5))
    assert summary.warnings == (
        "test: texts that are in train too: 3, such as row 3 (train row 9); its scores "
        "will flatter",
    )


def test_the_same_text_with_different_labels_is_found(load):
    train = [("film", "a"), ("plot", "b"), ("film", "b"), ("film", "a"), ("dull", "a")]
    summary = load(train, [("great", "a"), ("bad", "b")])
    assert summary.conflicting_texts == 1
    assert summary.conflict_examples == ((5, 4),)
    assert summary.warnings == ("train: texts with different labels: 1, such as rows 5 and 4",)


def test_conflicts_of_several_labels_are_found(load):
    train = [("film", "a;b"), ("film", "b;a"), ("plot", "a"), ("plot", "")]
    summary = load(train, [("bad", "b")], label_separator=";")
    assert summary.conflicting_texts == 1


def test_imbalance_missing_classes_and_truncation_are_warned_of(load):
    train = [(f"very very good film {i}", "b" if i == 30 else "a") for i in range(31)]
    warnings = load(train, [("bad", "a")], max_length=5).warnings
    assert warnings[0] == "test: no examples of 'b'"
    assert "the commonest class has 30 times the examples of the rarest" in warnings[1]
    assert warnings[2] == "train: 100% of the texts were cut to data.max_length (5 tokens)"


def test_unknown_tokens_are_warned_of_with_their_share(load):
    train = [("film 漢 字 good", "a"), ("plot good", "b")]
    summary = load(train, [("good film", "a")])
    assert [split.unknown_share for split in summary.splits] == [2 / 6, 0.0]
    (warning,) = [w for w in summary.warnings if "unknown" in w]
    assert warning.startswith("train: 33% of the tokens are unknown to the encoder's tokenizer, ")
    assert "such as '漢', '字': the model sees nothing of them" in warning


def test_what_the_labels_were_taken_for_is_the_first_warning(load):
    rows = [(f"film {i}", f"{i % 2},5") for i in range(4)]
    warnings = load(rows, [("film 1", "0,5")]).warnings
    assert [warning.partition(" ")[0] for warning in warnings] == ["data.task", "the", "test:"]


def test_targets_have_a_range_and_no_classes(load):
    summary = load([("film", "0.5"), ("plot", "2.5"), ("bad", "3")], [("good", "1")])
    assert summary.splits[0].target_range == (0.5, 2.0, 3.0)
    assert summary.splits[0].class_counts == ()
    assert "\ntask: regression, 1 output, a number\n" in render(summary)
    assert ["train", "0.5", "2", "3"] in [line.split() for line in render(summary).splitlines()]


def test_a_summary_of_many_classes_and_warnings_is_short(load):
    train = [(f"film {i}", f"[b]class {i % 40}") for i in range(80)]
    train += [(f"very good film {i}", "[b]class 0") for i in range(40)]
    shown = render(load(train, train[:3] + train[-3:], max_length=4))
    lines = shown.splitlines()
    assert len(lines) <= 25
    assert max(map(len, lines)) <= 120
    assert "and 33 more" in shown
    assert "\ntask: single_label, 40 classes: [b]class 0, [b]class 1, " in shown
    assert "[b]class 0" in shown
