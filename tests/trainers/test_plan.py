"""`plan` shows what would be trained and what it costs, without weights or TensorFlow."""

import subprocess
import sys
from pathlib import Path

import pytest

from tf_finetune.config.uses import PLAN
from tf_finetune.plans.precision import FORETOLD
from trainers.cli import run_command
from trainers.plan import main

ROOT = Path(__file__).parents[2]


@pytest.fixture
def shown(tiny_encoder, capsys, monkeypatch):
    """Run the command and give what it prints."""
    monkeypatch.setenv("COLUMNS", "160")

    def plan(*argv):
        assert run_command(main, [f"encoder.name={tiny_encoder}", *argv]) == 0
        return capsys.readouterr().out

    return plan


def test_plan_and_price_of_every_depth(shown):
    text = shown("freeze.depth=2", "--num-labels", "5")

    # A layer has 4 x (32 x 32 + 32) + 2 x 64 + 32 x 64 + 64 + 64 x 32 + 32 parameters; the
    # pooler 32 x 32 + 32, the head 32 x 5 + 5.
    assert "5 outputs" in text
    assert "layer 2" in text and "8,544" in text
    trained = 8_544 + 1_056 + 165
    assert f"{trained:,} of " in text
    rows = [line.split("│")[1].strip() for line in text.splitlines() if line.count("│") == 7]
    assert rows[-4:] == ["0", "1", "2", "3"]


def test_a_precision_that_is_to_be_timed_is_foretold(shown):
    assert FORETOLD in shown("training.precision=auto").replace("\n", " ")
    solved = shown("training.precision=auto", "freeze.depth=3", "encoder.pooling=mean")
    assert "precision: float32, because a head that is solved takes no steps\n" in solved


def test_phases_are_priced_as_a_sum(shown):
    text = shown("freeze.depth=2", "freeze.thaw=[{from_epoch: 3, depth: 0, learning_rate: 1e-4}]")

    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines()]
    first, second, total = (
        row for row in cells if len(row) == 8 and row[2] in ("usual", "1e-4", "")
    )
    assert [row[1:3] for row in (first, second)] == [["2", "usual"], ["0", "1e-4"]]
    for column in (5, 6):
        parts = float(first[column]) + float(second[column])
        assert float(total[column]) == pytest.approx(parts, abs=0.011)  # two roundings
    assert (second[7], total[7]) == ("", first[7])


def test_rows_name_every_variable(shown):
    text = shown("--rows")

    assert "bert/encoder/layer_._2/attention/output/LayerNorm/beta" in text
    assert "classifier/bias" in text


def test_rules_get_a_row_of_their_own(shown):
    assert "as configured" in shown("freeze.embeddings=true")


@pytest.mark.parametrize("number", ["0", "-1", "two", "1.5"])
def test_number_of_outputs_must_be_positive(tiny_encoder, command_fails, number):
    error = command_fails(main, f"encoder.name={tiny_encoder}", f"--num-labels={number}")

    assert f"--num-labels: received '{number}'; accepted: a whole number of at least 1" in error


def test_depth_over_the_layers_is_refused(tiny_encoder, command_fails):
    error = command_fails(main, f"encoder.name={tiny_encoder}", "freeze.depth=4")

    assert "freeze.depth: received 4; accepted: 0 to 3" in error


def test_plan_loads_no_tensorflow(tiny_encoder):
    script = (
        "import sys; from trainers.plan import main; main(sys.argv[1:]); "
        "raise SystemExit([m for m in ('tensorflow', 'transformers') if m in sys.modules] != [])"
    )

    done = subprocess.run(
        [sys.executable, "-c", script, f"encoder.name={tiny_encoder}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_with_examples_it_says_whether_their_states_would_be_kept(
    shown, tiny_csv, tmp_path, options_read
):
    folder = f"data.cache_dir={tmp_path}"
    given = (str(tiny_csv), folder, "data.max_length=32", "freeze.depth=2")

    kept = shown(*given, "cache.mode=memory").splitlines()[-1]
    timed = shown(*given, "training.epochs=50", "training.precision=auto").splitlines()[-1]
    nothing = shown(*given[:-1], "freeze.depth=0").splitlines()[-1]

    assert set(PLAN.names(file=True)) <= options_read  # none is accepted and ignored
    assert kept.startswith("prefix cache at depth 2: as float32 in memory, ")
    assert "50 passes through the frozen layers would take" in timed
    assert nothing == "prefix cache: off; the embeddings train"
    assert not (tmp_path / "prefix").exists()


def test_what_the_head_reads_is_told_and_decides_what_there_is_to_train(tiny_encoder, capsys):
    arguments = [f"encoder.name={tiny_encoder}", "freeze.depth=3"]

    told = []
    for pooling in ("first", "mean"):
        assert run_command(main, [*arguments, f"encoder.pooling={pooling}"]) == 0
        output = capsys.readouterr()
        assert "does not use" not in output.err
        told.append(output.out)

    assert "pooling: mean (the mean of all tokens), as encoder.pooling says\n" in told[1]
    assert ["pooler" in text for text in told] == [True, False]
