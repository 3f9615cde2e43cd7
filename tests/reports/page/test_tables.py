"""What the cells of a page's tables say."""

from dataclasses import replace

import pytest

from tf_finetune.reports.page.tables import depth_table, trials_table
from tf_finetune.reports.page.writing import _tiles
from tf_finetune.results.trial import Place


@pytest.fixture(scope="module")
def content(search_content):
    return search_content(heads=True, depths={}, n=60, examples=20, splits=("test",))


def column(table, name):
    place = table.columns.index(name)
    return {row[0].split(" ◆")[0].split(" ★")[0]: row[place] for row in table.rows}


def test_what_an_answer_takes_is_a_column_where_layers_are_left_out(content):
    shares = {
        **{"first 1": "17 %", "first 2": "33 %", "first 3": "50 %", "first 4": "67 %"},
        **{"first 5": "83 %", "6": "100 %"},
    }

    assert column(depth_table(content.search), "answer") == shares
    assert column(trials_table(content), "answer") == shares
    assert "completed" in column(trials_table(content), "status").values()


def test_it_is_no_column_where_all_answers_take_the_same(content):
    depths = tuple(replace(row, relative_answer=1.001) for row in content.search.depths)
    trials = tuple(replace(trial, answer_flops=5e8) for trial in content.trials)
    alike = replace(content, trials=trials, search=replace(content.search, depths=depths))

    assert "answer" not in depth_table(alike.search).columns
    assert "answer" not in trials_table(alike).columns


def test_a_tile_says_what_an_answer_of_the_first_layers_takes(content):
    found = replace(content.search, recommended_place=Place(3))

    name, value, detail = _tiles(replace(content, search=found))[0]
    assert (name, value) == ("layers used", "3 of 6")
    assert detail.startswith("an answer takes 50 % of the work; ")
