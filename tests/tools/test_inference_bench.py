"""The inference suite: what is read, counted and said of the aim."""

import argparse
import json

import pytest

from tools.benchmarks import inference_measurement, inference_report
from tools.benchmarks.inference_measurement import InferenceMeasurement, parse_inference
from tools.benchmarks.program_run import ProgramRun


def answered(accuracy, *pass_seconds, foreign_load=0.0):
    measurement = InferenceMeasurement(
        versions={},
        texts=100,
        ready_seconds=2.0,
        pass_seconds=pass_seconds,
        accuracy=accuracy,
        size_bytes=3 * 2**20,
        peak_rss_bytes=5 * 2**20,
    )
    return ProgramRun(measurement, foreign_load)


def test_aim_is_reached_with_both_speed_and_accuracy():
    runs = {
        "pytorch-pipeline": answered(0.9, 3.0, 4.0, 8.0),
        "fast": answered(0.896, 1.0),
        "slow": answered(0.9, 1.01),
        "poor": answered(0.894, 0.5),
    }

    assert inference_report.verdicts(runs) == [
        "fast: 4.00 times the pipeline's throughput, accuracy -0.0040; the aim of 4 times within "
        "0.005 is reached",
        "slow: 3.96 times the pipeline's throughput, accuracy +0.0000; the aim of 4 times within "
        "0.005 is not reached",
        "poor: 8.00 times the pipeline's throughput, accuracy -0.0060; the aim of 4 times within "
        "0.005 is not reached",
    ]


def test_table_gives_the_median_pass_and_marks_disturbed_runs():
    runs = {"ours": answered(0.9, 1.0, 2.0, 5.0, foreign_load=0.5)}

    _, _, row, note = inference_report.render(runs).splitlines()

    assert row.split()[:4] == ["ours", "50!", "20-100", "0.9000"]
    assert note.startswith("! other processes")


def test_answers_are_scored_and_the_record_is_read_back(tmp_path, capsys):
    path = tmp_path / "texts.tsv"
    path.write_text('text\tlabel\na "fine" film\t1\ndull\t0\ntoo long\t0\n', encoding="utf-8")
    asked = []

    def answer(texts):
        asked.append(texts)
        return [1, 0, 1][: len(texts)]

    arguments = argparse.Namespace(texts=path, passes=2, started_at=0.0)
    inference_measurement.measure(arguments, answer, {"torch": "2"}, 7)

    record = parse_inference(capsys.readouterr().out)
    assert asked == [['a "fine" film', "dull", "too long"]] * 3
    assert record.accuracy == pytest.approx(2 / 3)
    assert (record.texts, len(record.pass_seconds), record.size_bytes) == (3, 2, 7)


def test_results_hold_what_was_measured():
    results = inference_report.results({"ours": answered(0.9, 4.0)})

    assert json.loads(json.dumps(results))["runs"]["ours"]["texts_per_second"] == 25.0
    assert results["verdicts"] == []
