"""What is wrong with a command and needs no model is told before anything slow is imported."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SLOW = ("tensorflow", "tf_keras", "transformers", "keras_tuner", "sklearn", "matplotlib", "pandas")
SCRIPT = """
import contextlib, io, json, sys
from trainers.cli import main
found = []
for argv in json.load(sys.stdin):
    with contextlib.redirect_stdout(io.StringIO()):
        with contextlib.redirect_stderr(io.StringIO()) as said:
            code = main(argv)
    slow = [name for name in sys.argv[1:] if name in sys.modules]
    found.append((code, said.getvalue(), slow))
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def mistakes(finished_run, tiny_csv, tiny_encoder):
    """Commands that cannot work, and a part of what each is told."""
    run, csv, encoder = str(finished_run), str(tiny_csv), f"encoder.name={tiny_encoder}"
    gone, short = "nowhere.csv: no such file or folder", "data.max_length=32"
    on_examples = [
        ([verb, "nowhere.csv", encoder, short], gone)
        for verb in ("train", "search", "validate", "profile", "plan")
    ]
    on_a_run = [
        ([verb, "nowhere", *more], "nowhere: no run here")
        for verb, *more in (
            ("evaluate",),
            ("check",),
            ("predict", csv),
            ("explain", "--text", "a"),
            ("rank", csv),
            ("serve",),
            ("export", "--to", "litert"),
            ("verify",),
        )
    ]
    return [
        *on_examples,
        *on_a_run,
        (["trian"], "unknown command; nearest: train"),
        (["train", csv, "encoder.name=./nowhere"], "the folder ./nowhere does not exist"),
        (["train", csv, "training.epochs=0"], "received 0; accepted: a whole number"),
        (["init", "nowhere.csv"], gone),
        (["preflight", encoder, "--chips", "v9"], "--chips: received 'v9'"),
        (["evaluate", run, "nowhere.csv"], gone),
        (["check", run, "nowhere.csv"], gone),
        (["check", run, "--by", "colour"], "slices: received 'colour'"),
        (["evaluate", run, "evaluation.mistaks=1"], "nearest: evaluation.mistakes"),
        (["predict", run, "nowhere.csv"], "nowhere.csv"),
        (["predict", run, csv, "--output", "answers.foo"], "the ending '.foo'"),
        (["predict", run, csv, "--top-k", "9"], "--top-k: received"),
        (["predict", run, csv, "training.epochs=1"], "predict does not use it"),
        (["explain", run, "nowhere.csv"], "nowhere.csv"),
        (["explain", run, "--text", "a", "--label", "zz"], "--label: received 'zz'"),
        (["explain", run, "--text", "a", "--output", "a.foo"], "the ending '.foo'"),
        (["rank", run, "nowhere.csv"], gone),
        (["rank", run, csv, "--count", "0"], "--count: received '0'"),
        (["rank", run, csv, "--by", "doubt"], "accepted: margin, entropy, coverage"),
        (["rank", run, csv, "--output", "next.json"], "the ending '.json'"),
        (["rank", run, csv, "--labelled", "nowhere.csv"], f"--labelled: {gone}"),
        (["rank", run, csv, "--count", "9"], "holds 0 different texts that are not labelled yet"),
        (["serve", run, "--token-file", "nowhere"], "--token-file: nowhere"),
        (["serve", run, "--port", "x"], "--port: received 'x'"),
        (["export", run, "--to", "onnx"], "onnx"),
        (["export", run, "nowhere.csv", "--to", "savedmodel"], gone),
        (["export", run, csv, "--to", "huggingface"], "measures nothing; accepted: no FILE"),
    ]


def test_mistakes_are_told_before_slow_imports(mistakes):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *SLOW],
        input=json.dumps([argv for argv, _ in mistakes]),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    for (argv, told), (code, said, slow) in zip(mistakes, json.loads(done.stdout), strict=True):
        assert (code, slow) == (2, []), (argv, said)
        assert told in said, argv
