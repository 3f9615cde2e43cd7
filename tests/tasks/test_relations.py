"""Relations are classes whose score is the official one of SemEval-2010 task 8."""

import numpy as np
import pytest

from tf_finetune.tasks.metrics import METRICS
from tf_finetune.tasks.relation_scores import negative_class, relations_of
from tf_finetune.tasks.relations import Relations

CAUSE, CAUSED = "Cause-Effect(e1,e2)", "Cause-Effect(e2,e1)"
PART, WHOLE = "Component-Whole(e1,e2)", "Component-Whole(e2,e1)"
NAMES = (CAUSE, CAUSED, PART, WHOLE, "Other")
SPACE = Relations(NAMES)


def from_confusion(matrix):
    """Targets and logits of examples counted by true (outer) and given class."""
    pairs = [
        (true, given)
        for true, row in enumerate(matrix)
        for given, count in enumerate(row)
        for _ in range(count)
    ]
    targets, answers = np.array(pairs, np.int32).T
    return targets, 5.0 * np.eye(len(matrix))[answers]


MATRIX = [
    [5, 2, 1, 0, 1],
    [1, 4, 0, 0, 0],
    [0, 1, 3, 1, 2],
    [0, 0, 2, 6, 0],
    [2, 0, 0, 1, 7],
]


def test_the_score_is_worked_out_from_the_confusion_matrix():
    # In both directions 14 causes, 15 times given (3 in the wrong direction), 9 right; 15 parts,
    # 14 times given, 9 right. The official script divides 9 by 12 + 3 and by 14.
    found = SPACE.score(*from_confusion(MATRIX))
    causes = 2 * (9 / 15) * (9 / 14) / (9 / 15 + 9 / 14)
    parts = 2 * (9 / 14) * (9 / 15) / (9 / 14 + 9 / 15)

    assert found["relation_f1"] == pytest.approx((causes + parts) / 2)
    assert found["accuracy"] == pytest.approx(25 / 39)
    assert tuple(found) == SPACE.metrics
    assert set(found) <= set(METRICS)
    assert SPACE.monitor("auto") == ("relation_f1", True)


def test_the_wrong_direction_is_wrong_twice():
    right = SPACE.score(*from_confusion(np.diag([4, 0, 4, 0, 1]).tolist()))
    turned = np.diag([4, 0, 4, 0, 1])
    turned[0] = [0, 4, 0, 0, 0]

    assert right["relation_f1"] == 1.0
    assert SPACE.score(*from_confusion(turned.tolist()))["relation_f1"] == 0.5


def test_to_find_no_relation_where_there_is_none_wins_nothing():
    matrix = np.diag([2, 0, 2, 0, 5])
    fewer = np.diag([2, 0, 2, 0, 1])

    for one in (matrix, fewer):
        assert SPACE.score(*from_confusion(one.tolist()))["relation_f1"] == 1.0
    matrix[4, 0] = 4  # but to find one where there is none costs
    assert SPACE.score(*from_confusion(matrix.tolist()))["relation_f1"] == pytest.approx(
        (2 * 2 / (2 + 6) + 1) / 2
    )


def test_a_relation_that_is_in_no_key_is_not_averaged_as_in_the_official_script():
    matrix = np.zeros((5, 5), int)
    matrix[0] = [3, 0, 1, 0, 0]

    assert SPACE.score(*from_confusion(matrix.tolist()))["relation_f1"] == pytest.approx(6 / 7)


def test_without_a_relation_in_the_key_the_score_is_zero():
    matrix = np.zeros((5, 5), int)
    matrix[4] = [0, 0, 0, 1, 3]

    assert SPACE.score(*from_confusion(matrix.tolist()))["relation_f1"] == 0.0


def official(targets, answers, names):
    """The formula of the official script, of (9+1)-way evaluation with directionality."""

    def relation(name):
        return name.partition("(")[0]

    right, key, proposed, turned = {}, {}, {}, {}
    for target, answer in zip(targets, answers, strict=True):
        wanted, given = names[target], names[answer]
        key[relation(wanted)] = key.get(relation(wanted), 0) + 1
        if relation(wanted) == relation(given) and wanted != given:
            turned[relation(given)] = turned.get(relation(given), 0) + 1
            continue
        proposed[relation(given)] = proposed.get(relation(given), 0) + 1
        right[relation(wanted)] = right.get(relation(wanted), 0) + (wanted == given)
    scores = []
    for one in key:
        if one == "Other":
            continue
        given = proposed.get(one, 0) + turned.get(one, 0)
        precision = right.get(one, 0) / given if given else 0
        recall = right.get(one, 0) / key[one]
        both = precision + recall
        scores.append(2 * precision * recall / both if both else 0)
    return sum(scores) / len(scores)


def test_random_answers_score_as_the_official_formula_says():
    rng = np.random.default_rng(0)
    names = tuple(f"R-{one}({way})" for one in range(9) for way in ("e1,e2", "e2,e1")) + ("Other",)
    space = Relations(names)
    for size in (1, 5, 40, 2717):
        targets = rng.integers(18, size=size).astype(np.int32)  # one of them is a relation
        targets[1:][rng.random(size - 1) < 0.2] = 18
        answers = np.where(rng.random(size) < 0.6, targets, rng.integers(19, size=size))
        answers = np.where(rng.random(size) < 0.2, np.minimum(answers ^ 1, 18), answers)
        found = space.score(targets, np.eye(19)[answers])["relation_f1"]
        assert found == pytest.approx(official(targets, answers, names))


def test_weights_that_are_whole_numbers_are_copies_of_sentences():
    targets, logits = from_confusion(MATRIX)
    counts = np.arange(len(targets)) % 4
    copies = SPACE.score(np.repeat(targets, counts), np.repeat(logits, counts, axis=0))
    weighted = SPACE.scored(targets, logits).scores(counts[None].astype(np.float64))

    assert {name: one[0] for name, one in weighted.items()} == pytest.approx(copies)


def test_without_directions_the_score_is_the_macro_f1_of_all_but_the_negative_class():
    space = Relations(("born_in", "no_relation", "works_for"))
    targets, logits = from_confusion([[3, 1, 1], [1, 5, 0], [0, 1, 2]])

    assert space.score(targets, logits)["relation_f1"] == pytest.approx(
        (2 * 3 / (5 + 4) + 2 * 2 / (3 + 3)) / 2
    )


def test_without_a_negative_class_every_relation_counts():
    space = Relations(("a", "b"))
    found = space.score(*from_confusion([[3, 1], [2, 4]]))

    assert found["relation_f1"] == pytest.approx(found["macro_f1"])


@pytest.mark.parametrize(
    ("names", "negative"),
    [
        (("Other", "x"), "Other"),
        (("no_relation", "x"), "no_relation"),
        (("No-Relation", "other", "NA"), "No-Relation"),
        (("per:other_family", "NA"), "NA"),
        (("x", "another"), None),
    ],
)
def test_the_negative_class_is_known_by_its_name(names, negative):
    assert negative_class(names) == negative


def test_both_directions_are_one_relation():
    names = ("Other", CAUSE, "part_of", CAUSED, "Cause-Effect (e2, e1)", "f(e1,e1)", "f")

    assert relations_of(names).tolist() == [-1, 0, 1, 0, 0, 2, 3]
    assert relations_of(("Other",)).tolist() == [-1]
