"""Answers that a model is not sure of are marked and counted."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from tf_finetune.api.model import answer_row
from tf_finetune.errors import UserError
from tf_finetune.prediction.conversion import conversion
from tf_finetune.prediction.readable import readable_lines
from tf_finetune.prediction.sureness import Sureness, check_at_least
from tf_finetune.runs.outputs import Outputs
from tf_finetune.sources.records import Record
from tf_finetune.storage.files import json_line
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.values import Values

TWO = Classes(("no", "yes"))
RECORDS = [Record(1, "sure", None, None), Record(2, "unsure", None, None)]
OUTPUTS = Outputs(RECORDS, [], np.log([[0.9, 0.1], [0.4, 0.6]]))


def test_an_answer_is_sure_from_the_probability_on():
    sureness = Sureness(0.8)
    assert [one["sure"] for one in sureness.answers(OUTPUTS, TWO)] == [True, False]
    assert sureness.sentence() == "1 of 2 answers are not sure: less than 0.8 probable"


def test_without_a_probability_answers_are_as_they_were():
    sureness = Sureness()
    assert list(sureness.answers(OUTPUTS, TWO)) == list(OUTPUTS.answers(TWO))
    assert sureness.sentence() == ""


@pytest.mark.parametrize("value", ["0", "1.5", "nan", "often"])
def test_what_is_no_probability_is_refused(value):
    with pytest.raises(UserError, match="--at-least: received.*accepted: a number above 0, at mos"):
        check_at_least(value, TWO)


def test_a_model_of_numbers_is_not_asked():
    with pytest.raises(UserError, match="--at-least: received 0.9: a regression task has no one"):
        check_at_least("0.9", Values())


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_files_have_a_column(tmp_path, ending):
    lines, target = tmp_path / "lines", tmp_path / f"answers.{ending}"
    found = zip(RECORDS, Sureness(0.8).answers(OUTPUTS, TWO), strict=True)
    lines.write_text("".join(json_line({"text": r.text, **one}) + "\n" for r, one in found))
    convert = conversion(target, TWO, pairs=False, listed=False, separator=None, marked=True)
    convert(lines, target)
    if ending == "csv":
        head, first, second = target.read_text("utf-8-sig").splitlines()
        assert head.startswith('"row","text","label","probability","sure","probability of no"')
        assert first.startswith('1,"sure","no",0.9,True,')
        assert second.startswith('2,"unsure","yes",0.6,False,')
    else:
        assert pq.read_table(target).column("sure").to_pylist() == [True, False]


def test_a_terminal_shows_a_question_mark():
    line = readable_lines(TWO, 60, listed=False)
    shown = [line(*pair) for pair in zip(RECORDS, Sureness(0.8).answers(OUTPUTS, TWO), strict=True)]
    assert [one[:6] for one in shown] == ["  no  ", "? yes "]


def test_a_table_in_python_has_a_column():
    one = next(iter(Sureness(0.8).answers(OUTPUTS, TWO)))
    assert answer_row(one, "label", None) == {"label": "no", "probability": 0.9, "sure": True}
