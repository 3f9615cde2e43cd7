import numpy as np
import pytest

from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.pseudo_examples import MOST_EXAMPLES
from tf_finetune.tasks.several_classes import SeveralClasses
from tf_finetune.tasks.values import Values

THREE = Classes(("a", "b", "c"))
SETS = SeveralClasses(("a", "b", "c", "d"))
NUMBERS = Values()


@pytest.mark.parametrize("seed", range(5))
def test_one_class_is_answered_rightly_or_wrongly(seed):
    rng = np.random.default_rng(seed)
    targets = rng.integers(3, size=40).astype(np.int32)
    logits = rng.normal(size=(40, 3)).astype(np.float32)
    logits[:10] = 0.0  # all alike
    for kind, right in (("right", True), ("wrong", False)):
        made, answers = THREE.pseudo_examples(targets, logits, kind, seed)
        assert len(made) == 40
        assert ((THREE.predicted(answers) == made) == right).all()


def test_a_wrong_class_is_one_that_other_examples_have():
    targets = np.repeat([0, 2], [30, 10]).astype(np.int32)
    made, answers = THREE.pseudo_examples(targets, np.eye(3)[targets], "wrong", 0)
    assert (THREE.predicted(answers) == np.where(made == 0, 2, 0)).all()


def test_where_one_class_is_all_there_is_any_other_is_wrong():
    targets = np.zeros(20, np.int32)
    _, answers = THREE.pseudo_examples(targets, np.eye(3)[targets], "wrong", 0)
    assert set(THREE.predicted(answers)) == {1, 2}


def test_answers_keep_their_confidence():
    targets, logits = np.zeros(9, np.int32), np.tile([5.0, -1.0, -2.0], (9, 1))
    _, answers = THREE.pseudo_examples(targets, logits, "wrong", 0)
    assert np.sort(answers, axis=1) == pytest.approx(np.tile([-2.0, -1.0, 5.0], (9, 1)), abs=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_sets_are_missed_whole_and_as_many_labels_given(seed):
    rng = np.random.default_rng(seed)
    targets = (rng.random((40, 4)) < 0.4).astype(np.float32)
    targets[0], targets[1] = 0.0, 1.0
    logits = rng.normal(size=(40, 4))
    made, answers = SETS.pseudo_examples(targets, logits, "right", seed)
    assert (SETS.predicted(answers) == made).all()
    made, answers = SETS.pseudo_examples(targets, logits, "wrong", seed)
    given = SETS.predicted(answers)
    assert (given * made == 0.0).all()
    wanted = np.minimum(np.maximum(made.sum(axis=1), 1), 4 - made.sum(axis=1))
    assert (given.sum(axis=1) == wanted).all()


def test_a_number_is_met_or_missed_by_the_largest_error():
    targets = np.arange(10, dtype=np.float32)
    logits = targets[:, None] + np.linspace(-1, 3, 10)[:, None]
    made, answers = NUMBERS.pseudo_examples(targets, logits, "right", 0)
    assert answers[:, 0] == pytest.approx(made)
    made, answers = NUMBERS.pseudo_examples(targets, logits, "wrong", 0)
    assert np.abs(answers[:, 0] - made) == pytest.approx(np.full(10, 3.0))
    assert len(set(np.sign(answers[:, 0] - made))) == 2


def test_numbers_without_an_error_are_missed_by_one_step_of_the_targets():
    targets = np.array([1, 1, 2, 3, 3, 5], np.float32)
    made, answers = NUMBERS.pseudo_examples(targets, targets, "wrong", 0)
    assert answers.shape == (6,)
    assert np.abs(answers - made) == pytest.approx(np.ones(6))


def test_a_rare_class_is_copied_as_often_as_a_frequent_one():
    targets = np.repeat([0, 1, 2], [190, 8, 2]).astype(np.int32)
    made, _ = THREE.pseudo_examples(targets, np.eye(3)[targets], "wrong", 0)
    assert np.bincount(made).min() > MOST_EXAMPLES / 6
    sets = np.eye(4, dtype=np.float32)[targets]
    made, _ = SETS.pseudo_examples(sets, sets - 0.5, "wrong", 0)
    assert made.sum(axis=0)[:3].min() > MOST_EXAMPLES / 6
    assert made.sum(axis=0)[3] == 0


def test_a_class_that_was_only_answered_is_a_target_too():
    targets, logits = np.zeros(40, np.int32), np.eye(3)[np.repeat([0, 2], [39, 1])]
    made, answers = THREE.pseudo_examples(targets, logits, "right", 0)
    assert set(made) == {0, 2}
    assert (THREE.predicted(answers) == made).all()
    sets = np.eye(4, dtype=np.float32)[targets]
    made, answers = SETS.pseudo_examples(
        sets, np.eye(4)[np.repeat([0, 2], [39, 1])] - 0.5, "right", 0
    )
    assert set(made.sum(axis=1)) == {1, 2}
    assert (made.sum(axis=0)[[1, 3]] == 0).all()
    assert (SETS.predicted(answers) == made).all()


def test_sets_without_a_label_can_be_wrong():
    made, answers = SETS.pseudo_examples(np.zeros((5, 4), np.float32), -np.ones((5, 4)), "wrong", 0)
    assert (made == 0).all()
    assert (SETS.predicted(answers).sum(axis=1) == 1).all()


def test_the_copied_examples_depend_on_the_seed_alone():
    targets = np.arange(500, dtype=np.int32) % 3
    one, other = np.eye(3)[targets], np.eye(3)[(targets + 1) % 3]
    first, _ = THREE.pseudo_examples(targets, one, "right", 4)
    second, _ = THREE.pseudo_examples(targets, other, "wrong", 4)
    assert len(first) == MOST_EXAMPLES
    assert (first == second).all()
