"""Texts are ranked as they stream by, with a model that is made up."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from tf_finetune.errors import UserError
from tf_finetune.jobs.rank import rank
from tf_finetune.ranking.request import check_request
from tf_finetune.runs.outputs import Outputs
from tf_finetune.sources.records import Record
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.values import Values


class MadeUp:
    """Reads the number that a text is: a class by its sign, the surer the greater it is."""

    def __init__(self, labels):
        self.labels = labels
        self.members = [self]
        self.answered = 0

    def outputs_of(self, records, batch_size):
        assert batch_size == 4
        self.answered += len(records)
        numbers = np.array([[float(one.text)] for one in records], np.float32)
        width = self.labels.num_logits
        return Outputs(records, (), numbers if width == 1 else np.hstack([-numbers, numbers]))

    def rows_of(self, records):
        return []

    def vectors_of(self, records, batch_size, rows):
        """One direction for numbers below 0, one for others, hardly any difference beside that."""
        return np.array(
            [
                [1.0, 0.0, abs(float(r.text)) / 1000] if float(r.text) < 0 else [0.0, 1.0, 0.0]
                for r in records
            ],
            np.float32,
        )


def ranked(labels, numbers, count, by=None, balanced=False):
    model = MadeUp(labels)
    records = (Record(n, str(number), None, None) for n, number in enumerate(numbers, 1))
    request = check_request(labels, count, by, balanced=balanced, seed=0)
    done = []
    found = rank(lambda: model, records, request, batch_size=4, on_progress=done.append)
    assert model.answered == (done or [0])[-1]
    return [float(one.record.text) for one in found], found


def test_the_least_sure_come_first_whatever_their_class():
    numbers, _ = ranked(Classes(("neg", "pos")), [5, -0.1, 2, 0.2, -3, -0.1], 3)

    assert numbers == [-0.1, 0.2, 2.0]


def test_of_each_class_as_many_where_they_are_balanced():
    numbers, _ = ranked(Classes(("neg", "pos")), [5, 0.1, 2, 0.2, -3, -4], 4, balanced=True)

    assert numbers == [0.1, 0.2, -3.0, -4.0]


def test_coverage_takes_from_each_side():
    numbers, found = ranked(Classes(("neg", "pos")), [-0.1, -0.2, -0.3, 0.4, 9], 2, "coverage")

    assert [number < 0 for number in numbers] == [True, False]
    assert found[0].reason.startswith("stands for 3 of 5 doubtful texts; unsure between neg")


def test_numbers_are_covered_from_an_even_draw():
    numbers, found = ranked(Values(), [-1, -2, 3, 4, 5], 2)

    assert {number < 0 for number in numbers} == {True, False}
    assert {one.reason for one in found} == {
        *("stands for 2 of 5 texts drawn at random", "stands for 3 of 5 texts drawn at random"),
    }


def test_the_draw_is_not_of_the_first_texts_alone():
    _, found = ranked(Values(), range(-100, 100), 4)

    assert all(one.reason.endswith("of 40 texts drawn at random") for one in found)
    assert max(one.record.row for one in found) > 40


def test_no_text_needs_no_model():
    request = check_request(Values(), 2, None, balanced=False, seed=0)

    def refuse():
        raise AssertionError

    assert rank(refuse, iter(()), request, batch_size=4) == []


def test_a_model_that_diverged_is_told():
    labels = Classes(("neg", "pos"))
    with pytest.raises(UserError, match="NaN or infinite"):
        ranked(labels, [1, "nan"], 1)


def test_a_long_stream_is_read_in_parts_and_kept_by_its_best():
    model = MadeUp(Classes(("neg", "pos")))
    request = SimpleNamespace(
        **{"count": 3, "by": "margin", "balanced": False, "seed": 0, "kept": 3},
        measure=lambda labels: "margin",
    )
    stream = (Record(n, str(n % 5000 + 1), None, None) for n in itertools.count())
    found = rank(lambda: model, itertools.islice(stream, 9000), request, batch_size=4)

    assert [one.record.text for one in found] == ["1", "2", "3"]
