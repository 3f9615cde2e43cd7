"""`predict` streams texts in and one JSON object a line out."""

import csv
import io
import json
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tf_finetune.errors import UserError
from tf_finetune.runs.trained_model import TrainedModel
from trainers.cli import run_command
from trainers.predict import main

pytestmark = [pytest.mark.eager, pytest.mark.usefixtures("keep_model")]

TEXTS = ["the film 1 was good and great !", "", "the plot 2 was very very bad and dull ."]


@pytest.fixture
def lines(finished_run, capsys):
    """Run the command and read its lines."""

    def predict(*argv):
        assert run_command(main, [str(finished_run), *argv]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return predict


def test_texts_of_a_file_in_order(lines, tmp_path):
    path = tmp_path / "new.csv"
    path.write_text("text\n" + "\n".join(text for text in TEXTS if text) + "\n")

    found = lines(str(path))

    assert [line["text"] for line in found] == [TEXTS[0], TEXTS[2]]
    for line in found:
        assert set(line) == {"text", "label", "probabilities"}
        assert line["label"] == max(line["probabilities"], key=line["probabilities"].get)
        assert sum(line["probabilities"].values()) == pytest.approx(1, abs=1e-5)


def test_lines_of_standard_input(lines, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{TEXTS[0]}\n{TEXTS[2]}\n"))

    assert [line["text"] for line in lines("-")] == [TEXTS[0], TEXTS[2]]


def test_answer_does_not_depend_on_the_batch(lines, monkeypatch, written_rounding):
    text = "\n".join([TEXTS[0], TEXTS[2]] * 3) + "\n"
    found = []
    for size in (1, 4, 64):
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))
        found.append(lines("-", f"evaluation.batch_size={size}"))

    for other in found[1:]:
        for line, expected in zip(other, found[0], strict=True):
            near = pytest.approx(expected["probabilities"], abs=written_rounding)
            assert line["probabilities"] == near


def test_output_file_appears_complete(lines, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{TEXTS[0]}\n"))
    path = tmp_path / "answers.jsonl"

    assert lines("-", "--output", str(path)) == []

    assert json.loads(path.read_text())["text"] == TEXTS[0]
    assert [p.name for p in tmp_path.iterdir()] == ["answers.jsonl"]


def test_output_that_cannot_be_written_is_named(finished_run, tmp_path, command_fails, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("text\n"))

    path = tmp_path / "no" / "x.jsonl"
    error = command_fails(main, str(finished_run), "-", "--output", str(path))

    assert "--output: " in error and "cannot be written" in error


def test_missing_file_is_named(finished_run, command_fails):
    error = command_fails(main, str(finished_run), "nowhere.csv")

    assert "nowhere.csv: no such file" in error
    assert "If it is meant as a text: --text nowhere.csv" in error


def test_a_text_in_the_command_is_answered_like_a_line(lines, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{TEXTS[0]}\n{TEXTS[2]}\n"))
    expected = lines("-")

    assert lines("--text", TEXTS[0], "--text", TEXTS[2]) == expected
    [line] = lines(TEXTS[0])
    assert (line["text"], line["label"]) == (TEXTS[0], expected[0]["label"])
    assert line["probabilities"] == pytest.approx(expected[0]["probabilities"], abs=2e-6)
    assert [line["text"] for line in lines("--text", "nowhere.csv")] == ["nowhere.csv"]


def test_mistakes_are_told_before_anything_slow_is_imported(finished_run):
    program = (
        "import sys; from trainers.predict import main; from trainers.cli import run_command; "
        "code = run_command(main, sys.argv[1:]); slow = {'tensorflow', 'transformers', 'sklearn', "
        "'matplotlib', 'scipy.stats'}; print(code, sorted(slow & sys.modules.keys()))"
    )
    command = [sys.executable, "-c", program, str(finished_run), "nowhere.csv"]

    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout == "2 []\n"


def test_everything_that_is_wrong_is_told_at_once(finished_run, command_fails, tmp_path):
    path = str(tmp_path / "a.pdf")
    error = command_fails(main, str(finished_run), "nowhere.csv", "--top-k", "9", "--output", path)

    assert "nowhere.csv: no such file" in error
    assert "--top-k: received '9'" in error
    assert "a.pdf: the ending" in error


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "nothing to predict; accepted: a text in quotes, FILE, - for standard input"),
        (("",), "received ''"),
        (("a film", "--text", "another"), "beside --text; accepted: one of the two"),
        (("new.csv", "--text", "a film"), "new.csv: received beside --text"),
        (("a film", "--text-pair", "another"), "this model reads single texts"),
    ],
)
def test_texts_that_cannot_be_answered_are_told(finished_run, command_fails, arguments, said):
    assert said in command_fails(main, str(finished_run), *arguments)


def test_a_person_at_a_terminal_reads_label_and_probability(finished_run, monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    assert run_command(main, [str(finished_run), TEXTS[0]]) == 0
    assert run_command(main, [str(finished_run), TEXTS[0], "--top-k", "2"]) == 0

    line, text, *listed = capsys.readouterr().out.splitlines()
    label, probability, shown = line.split(maxsplit=2)
    assert shown == text == TEXTS[0]
    assert listed[0].split() == [label, probability]
    assert sum(float(one.split()[1]) for one in listed) == pytest.approx(1, abs=1e-4)


def test_output_format_that_is_not_written_is_named(finished_run, tmp_path, command_fails):
    for name in ("answers.xlsx", "answers"):
        error = command_fails(main, str(finished_run), "-", "--output", str(tmp_path / name))
        assert "accepted: .jsonl, .ndjson, .csv, .tsv, .parquet, .pq" in error
    assert "is a folder" in command_fails(main, str(finished_run), "-", "--output", str(tmp_path))


def test_every_format_gives_the_same_answers(lines, tmp_path):
    texts = [TEXTS[0], TEXTS[2]]
    (tmp_path / "a.csv").write_text("text\n" + "\n".join(texts) + "\n")
    (tmp_path / "a.tsv").write_text("id\ttext\n" + "".join(f"1\t{text}\n" for text in texts))
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in texts))
    pq.write_table(pa.table({"text": texts}), tmp_path / "a.parquet")

    found = [lines(str(tmp_path / f"a.{kind}")) for kind in ("csv", "tsv", "jsonl", "parquet")]

    assert all(other == found[0] for other in found)


def test_csv_output_holds_what_the_lines_hold(lines, tmp_path, capsys):
    path = tmp_path / "answers.csv"
    texts = [word for text in (TEXTS[0], TEXTS[2]) for word in ("--text", text)]
    expected = lines(*texts)

    assert lines(*texts, "--output", str(path)) == []

    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["text"], row["label"]) for row in rows] == [
        (line["text"], line["label"]) for line in expected
    ]
    for row, line in zip(rows, expected, strict=True):
        for name, probability in line["probabilities"].items():
            assert float(row[f"probability of {name}"]) == probability
    assert [p.name for p in tmp_path.iterdir()] == ["answers.csv"]


def test_parquet_output_and_top_k(lines, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{TEXTS[0]}\n{TEXTS[2]}\n"))
    path = tmp_path / "answers.parquet"

    assert lines("-", "--output", str(path), "--top-k", "1") == []

    rows = pq.read_table(path).to_pylist()
    assert [row["text"] for row in rows] == [TEXTS[0], TEXTS[2]]
    assert all([name for name, _ in row["probabilities"]] == [row["label"]] for row in rows)


def test_bad_rows_are_told_before_any_work(finished_run, tmp_path, command_fails, monkeypatch):
    monkeypatch.setattr(TrainedModel, "logits_of", None)
    path = tmp_path / "new.csv"
    path.write_text('id,text\n1,good\n2," "\n3,fine\n4,\n')

    error = command_fails(main, str(finished_run), str(path), "--output", str(tmp_path / "a.jsonl"))

    assert "row 3, column 'text': received ' '" in error and "row 5, column 'text'" in error
    assert [p.name for p in tmp_path.iterdir()] == ["new.csv"]


def test_standard_input_that_is_not_utf8_is_named(
    finished_run, tmp_path, command_fails, monkeypatch
):
    piped = io.TextIOWrapper(io.BytesIO(b"caf\xe9\n"), encoding="latin-1")
    monkeypatch.setattr(sys, "stdin", piped)
    output = str(tmp_path / "a.jsonl")

    error = command_fails(main, str(finished_run), "-", "--output", output)

    assert "cannot be decoded soon after row 0" in error
    assert list(tmp_path.iterdir()) == []


def test_interrupted_command_says_what_is_kept(finished_run, tmp_path, monkeypatch, capsys):
    path = tmp_path / "new.txt"
    path.write_text("".join(f"the film {number}\n" for number in range(2100)))
    command = [str(finished_run), str(path), "--output", str(tmp_path / "a.jsonl")]
    with monkeypatch.context() as patch:
        answer = TrainedModel.logits_of
        calls = []

        def stop_at_the_second(self, records, batch_size, **options):
            calls.append(len(records))
            if len(calls) == 2:
                raise KeyboardInterrupt
            return answer(self, records, batch_size)

        patch.setattr(TrainedModel, "logits_of", stop_at_the_second)
        assert run_command(main, command) == 130
    assert calls == [2048, 52]
    assert "2,048 texts are kept; the same command goes on" in capsys.readouterr().err

    assert run_command(main, command) == 0

    assert "going on after 2,048 texts" in capsys.readouterr().err
    found = [json.loads(line)["text"] for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert found == path.read_text().splitlines()


def test_answers_are_kept_when_the_device_is_gone_or_a_piped_text_is_bad(
    finished_run, tmp_path, monkeypatch, capsys
):
    texts = b"".join(b"the film %d\n" % number for number in range(3000))
    command = [str(finished_run), "-", "--output", str(tmp_path / "a.jsonl")]

    def predict_piped(content):
        piped = io.TextIOWrapper(io.BytesIO(content), encoding="latin-1")
        monkeypatch.setattr(sys, "stdin", piped)
        code = run_command(main, command)
        return code, capsys.readouterr().err

    code, said = predict_piped(texts + b"caf\xe9\n")
    assert code == 2
    assert "2,048 texts are kept; the same command goes on" in said
    with monkeypatch.context() as patch:
        patch.setattr("tf_finetune.training.strategy.build_strategy", _no_device)
        code, said = predict_piped(texts)
    assert code == 2
    assert "no GPU" in said and "2,048 texts are kept" in said

    code, said = predict_piped(texts)

    assert code == 0
    assert "going on after 2,048 texts" in said
    assert len((tmp_path / "a.jsonl").read_text().splitlines()) == 3000


def _no_device(name):
    raise UserError("training.strategy: TensorFlow sees no GPU")
