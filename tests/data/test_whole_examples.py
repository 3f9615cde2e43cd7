"""Long tagged texts are told as they were, whatever rows they were cut into."""

import numpy as np
import pytest

from tf_finetune.data.joined_split import join_splits
from tf_finetune.data.loading import load_split
from tf_finetune.tasks.tags.tags import Tags

WORDS = ["the", "film", "was", "unwatchable", ",", "and", "the", "actors", "was", "fine"]


@pytest.fixture
def split(tmp_path, data_config, tiny_tokenizer):
    """Two texts, the first of which fills several rows of ten tokens, which overlap."""
    path = tmp_path / "test.conll"
    first = "".join(f"{word}\tO\n" for word in WORDS)
    path.write_text(f"{first}\ngood\tB-kind\nfilm\tI-kind\n", encoding="utf-8")
    config = data_config(
        text_column="1",
        label_column="2",
        task="token_classification",
        max_length=10,
    )
    labels = Tags(("O", "B-kind", "I-kind"))
    return load_split(config, str(path), tiny_tokenizer, labels)


def test_any_row_of_a_text_gives_the_whole_of_it(split):
    assert len(split) > 2 and split.num_examples == 2
    rows = np.arange(len(split))
    shown = sum(len(text) for text, _ in split.texts(rows[:-1]))
    assert shown > len(" ".join(WORDS))

    found = split.records(rows)

    text = " ".join(WORDS)
    assert [one.text for one in found] == [text] * (len(split) - 1) + ["good film"]
    assert [found[0].text[start:end] for start, end in found[0].spans] == WORDS
    assert (found[0].row, found[-1].row) == (1, 12)
    assert split.records(rows[-1:])[0].spans == ((0, 4), (5, 9))


def test_a_part_of_a_split_has_its_own_examples(split):
    (one,) = split.select(np.array([len(split) - 1])).records(np.array([0]))

    assert one.text == "good film"


def test_joined_splits_have_the_examples_of_both(split):
    joined = join_splits(split, split)

    found = joined.records(np.arange(len(joined)))

    assert found == 2 * split.records(np.arange(len(split)))


def test_what_no_row_shows_keeps_its_place(tmp_path, data_config, tiny_tokenizer):
    path = tmp_path / "test.conll"
    path.write_text(f"{'a' * 30}\tO\nfilm\tO\n", encoding="utf-8")
    config = data_config(
        text_column="1", label_column="2", task="token_classification", max_length=8
    )
    split = load_split(config, str(path), tiny_tokenizer, Tags(("O", "B-kind", "I-kind")))

    (one,) = split.records(np.array([0]))

    assert one.spans == ((0, 30), (31, 35))
    assert one.text[31:35] == "film"
