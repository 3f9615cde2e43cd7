"""What the methods suite asks of a search, and the rows that it makes of an answer."""

import argparse
import sys
from pathlib import Path

from tf_finetune.config.loading import load_config
from tf_finetune.methods.table import METHODS
from tools.benchmarks.data_sets import DATA_SETS, MINILM
from tools.benchmarks.methods import _all_methods, _options, _rows, _shown


def test_a_search_takes_whole_settings_of_methods(tmp_path):
    for file in filter(None, DATA_SETS["titles-2000"].files):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text("")
    given = argparse.Namespace(
        data=tmp_path,
        texts=100,
        encoder=MINILM,
        epochs=2,
        depths="4,5",
        seeds=2,
        methods=["full", "{name: lora, rank: 4}"],
        oracle="race",
    )

    config = load_config(None, _options(DATA_SETS["titles-2000"], given, tmp_path))

    assert [item.setting.setting for item in config.search.methods] == ["full", "lora rank=4"]
    assert (config.search.seeds, config.data.train_limit) == ((0, 1), 100)
    assert config.data.validation is None


def test_without_any_all_methods_are_compared():
    root = Path(__file__).parents[2]

    assert _all_methods(Path(sys.executable), root) == list(METHODS)


def result(depth, method, rate, **extra):
    return {
        "cell": {"frozen_depth": depth, "learning_rate": rate, "extra": extra},
        **({} if method == "only" else {"method": method}),
        **{"score": 0.9, "low": 0.88, "high": 0.915, "seconds_per_epoch": 4.24},
        **{"peak_memory_bytes": 2**30, "trainable_parameters": 24576, "seeds": [0]},
        "to_best": {"difference": 0.0123} if method else None,
    }


def test_rows_go_by_method_and_then_depth():
    depths = [
        result(4, None, None, **{"encoder.layers": 4}),
        result(4, "lora rank=4", 3e-3),
        result(4, "full", 3e-4),
        result(5, "full", 5e-4),
    ]
    found = {"config": {"method": {"name": "full"}}, "recommendation": {"depths": depths}}

    rows = [_shown({"data": "titles"} | row) for row in _rows(found)]

    assert [row[1:4] for row in rows] == [
        ["head alone", "first 4", "exact"],
        ["full", "4", "3.0e-04"],
        ["full", "5", "5.0e-04"],
        ["lora rank=4", "4", "3.0e-03"],
    ]
    assert rows[-1][4:] == ["0.9000", "0.880 to 0.915", "0.0123", "4.2", "1,024", "24,576"]
    alone = found | {"recommendation": {"depths": [result(4, "only", 3e-4)]}}
    assert _rows(alone)[0]["method"] == "full"
