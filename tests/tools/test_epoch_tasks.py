"""Both sides of the epoch suite read the same examples."""

import numpy as np
import pytest

from tools.benchmarks.epoch_tasks import EPOCH_TASKS, sample
from tools.benchmarks.pytorch_data import IGNORED, TokenisedTexts, read_conll


def test_a_sample_is_of_whole_examples_and_keeps_a_header():
    tagged = "\n".join(f"word{n}\tO\nnext\tB-x\n" for n in range(9))
    taken = sample(tagged, EPOCH_TASKS["token_classification"], 3)
    sentences = taken.strip("\n").split("\n\n")
    assert len(set(sentences)) == 3
    assert all(one.endswith("\nnext\tB-x") and one in tagged for one in sentences)
    texts = "text\tlabel\n" + "".join(f"good {n}\t1\n" for n in range(9))
    lines = sample(texts, EPOCH_TASKS["single_label"], 4).splitlines()
    assert lines[0] == "text\tlabel"
    assert len(lines) == 5


def test_more_examples_than_a_file_has_are_refused():
    with pytest.raises(ValueError, match="received 5; accepted: 1 to 2"):
        sample("text\tlabel\na\t0\nb\t1\n", EPOCH_TASKS["single_label"], 5)


def test_targets_of_words_are_padded_with_what_the_loss_ignores(tmp_path):
    path = tmp_path / "words.conll"
    path.write_text("play\tO\njazz\tB-music\n\nstop\tO\n")
    assert read_conll(path) == [(["play", "jazz"], ["O", "B-music"]), (["stop"], ["O"])]
    texts = TokenisedTexts(
        [[2, 7, 8, 3], [2, 9, 3]], [[IGNORED, 0, 1, IGNORED], [IGNORED, 0, -100]]
    )
    batch = texts.collate(np.array([1, 0]), None)
    assert batch["labels"].tolist() == [[-100, 0, -100, -100], [-100, 0, 1, -100]]
    assert batch["input_ids"].tolist() == [[2, 9, 3, 0], [2, 7, 8, 3]]
