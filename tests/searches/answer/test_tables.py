"""The table of a search's answer fits a terminal, whatever the settings of its methods."""

import io

import numpy as np
import pytest
from rich.console import Console

from tf_finetune.methods.settings import setting_text
from tf_finetune.methods.table import METHODS
from tf_finetune.searches.answer.recommendation import recommend
from tf_finetune.searches.answer.tables import render_recommendation, short_names
from tf_finetune.tasks.classes import Classes

TARGETS = ["query", "key", "value", "output", "up", "down"]
ALL_TARGETS = "rank=16 targets=[query, key, value, output, up, down]"


def text_of(name, **options):
    return setting_text(METHODS[name](**options))


@pytest.fixture
def printed(trial_of):
    """Print the answer of a search that tried settings of methods at two depths."""

    def of(methods, width=80):
        trials = [
            trial_of(depth, np.arange(20) > 2, seconds=100.0 + depth, extra={"method": text})
            for text in methods
            for depth in (0, 4)
        ]
        found = recommend(trials, Classes(("no", "yes")), "accuracy", True, num_layers=6)
        stream = io.StringIO()
        render_recommendation(Console(file=stream, width=width), found, [])
        return stream.getvalue().splitlines()

    return of


def test_long_settings_stand_below_a_table_that_stays_in_one(printed):
    lines = printed(
        [
            *(text_of("full"), text_of("prefix_tuning")),
            *(text_of("lora", rank=16, targets=TARGETS), text_of("lora", rank=4)),
        ]
    )

    assert sum(line.split()[:2] == ["depth", "rate"] for line in lines) == 1
    row = next(line for line in lines if "4, lora 1" in line)
    assert len(row) <= 80
    assert "104 s" in row
    assert f"lora 1: {ALL_TARGETS}" in lines
    assert any("4, lora rank=4" in line for line in lines)
    assert not any(line.startswith(("prefix_tuning:", "lora 2:")) for line in lines)


def test_a_long_setting_is_numbered_only_beside_others_of_its_method():
    long = text_of("lora", rank=16, targets=TARGETS)

    assert short_names((text_of("full"), long)) == {"lora": f"lora {ALL_TARGETS}"}
    assert short_names((text_of("lora"), long)) == {"lora 2": f"lora {ALL_TARGETS}"}
