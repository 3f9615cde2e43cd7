"""Commands on questions about texts: from SQuAD's JSON to answers with their places."""

import json

import numpy as np
import pandas as pd
import pytest

import tf_finetune as tft
from tf_finetune.runs.model_folder import read_labels
from tf_finetune.sources.records import Record
from tf_finetune.tasks.spans.spans import Spans
from trainers import evaluate, explain, export, predict, search, train, validate
from trainers.cli import run_command

pytestmark = pytest.mark.eager

ACTORS = ("very good", "poor", "great", "dull")


def questions(count, *, unanswered=0):
    """SQuAD 2.0's JSON; the last questions have no answer."""
    paragraphs = []
    for number in range(count):
        answer = ACTORS[number % len(ACTORS)]
        context = f"the plot {number} is bad . " * 3 + f"the actors {number} was {answer} ."
        start = context.index(answer)
        lacks = number >= count - unanswered
        answers = [] if lacks else [{"text": answer, "answer_start": start}]
        question = {"question": "was the film fine ?", "id": str(number), "answers": answers}
        paragraphs.append({"context": context, "qas": [question | {"is_impossible": lacks}]})
    return json.dumps({"version": "v2.0", "data": [{"paragraphs": paragraphs}]})


@pytest.fixture(scope="module")
def run(tiny_encoder, tmp_path_factory):
    """A run of questions that may lack an answer, whose contexts are several windows."""
    folder = tmp_path_factory.mktemp("spans")
    (folder / "train.json").write_text(questions(12, unanswered=3))
    (folder / "test.json").write_text(questions(4, unanswered=1))
    arguments = [
        f"data.train={folder / 'train.json'}",
        f"data.test={folder / 'test.json'}",
        f"encoder.name={tiny_encoder}",
        f"data.cache_dir={folder / 'cache'}",
        "data.max_length=32",
        "data.validation_fraction=0.25",
        "evaluation.explained_mistakes=1",
        "training.epochs=1",
        "training.batch_size=4",
        "evaluation.threshold=auto",
        f"run.dir={folder / 'run'}",
        "run.tensorboard=false",
    ]
    assert run_command(validate.main, arguments[:6]) == 0
    assert run_command(train.main, arguments) == 0
    return folder / "run"


def test_a_run_is_scored_over_the_windows_of_its_questions(run, capsys):
    metrics = json.loads((run / "metrics.json").read_text())
    found = metrics["test"]
    assert set(found) == {"token_f1", "exact_match", "loss"}
    report = json.loads((run / "evaluation.json").read_text())["test"]
    assert report["n"] == 4
    capsys.readouterr()
    data = str(run.parent / "test.json")
    assert run_command(evaluate.main, [str(run), data]) == 0
    assert f"{found['token_f1']['value']:.4f}" in capsys.readouterr().out


def test_the_folder_is_one_of_the_librarys_question_answering(run):
    from transformers import TFBertForQuestionAnswering

    config = json.loads((run / "model" / "config.json").read_text())
    assert config["architectures"] == ["BertForQuestionAnswering"]
    assert config["id2label"] == {"0": "start", "1": "end"}
    labels = read_labels(config, "config.json")
    assert isinstance(labels, Spans)
    assert 0 < labels.threshold < 1
    library = TFBertForQuestionAnswering.from_pretrained(run / "model")

    from trainers.arguments import parse_arguments
    from trainers.trained_run import open_trained_run

    opened = open_trained_run(parse_arguments("predict", [str(run)]))
    (trained,) = opened.load().members
    record = Record(1, "was the film fine ?", "the actors was good .", None)
    (row,) = trained.rows_of([record])
    found = trained.logits_of([record], 1, rows=[row]).reshape(-1, 2)
    given = library(input_ids=np.array([row.ids]), token_type_ids=np.array([row.types]))
    expected = np.stack([given.start_logits[0], given.end_logits[0]], axis=1)[list(row.reads)]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_questions_are_answered_with_places(run, tmp_path, capsys):
    path = tmp_path / "new.jsonl"
    context = "the plot is bad . " * 6 + "the actors was great ."
    lines = [{"question": "was it ?", "context": text} for text in (context, "a film")]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    capsys.readouterr()
    assert run_command(predict.main, [str(run), str(path), "--top-k", "2"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [len(one["answers"]) for one in found] == [2, 2]
    for one in found:
        assert 0 < one["no_answer_probability"] < 1
        for span in one["answers"]:
            assert one["text_pair"][span["start"] : span["end"]] == span["text"]
    for ending in ("csv", "parquet"):
        target = tmp_path / f"answers.{ending}"
        assert run_command(predict.main, [str(run), str(path), "--output", str(target)]) == 0
        assert target.stat().st_size


def test_an_export_says_how_the_library_asks_it(run):
    assert run_command(export.main, [str(run), "--to", "huggingface"]) == 0
    card = (run / "export" / "huggingface" / "README.md").read_text()
    assert "pipeline_tag: question-answering" in card
    assert "\nfirst, last = divmod(" in card and "pipeline(" not in card
    assert "The two outputs of each token" in card
    assert "`reads`, int32 [texts, reads]: 0, for the first token, then where" in card
    assert "[texts, reads, 2]" in card


def test_questions_with_the_same_texts_are_told_by_example(run):
    data = json.loads((run / "report.json").read_text())["data"]
    (shared,) = data["shared_texts"]
    assert shared["count"] == 4
    assert data["conflicting_texts"] == 0


def test_a_saved_model_answers_as_the_run_does(run, capsys):
    assert run_command(export.main, [str(run), "--to", "savedmodel"]) == 0
    assert "takes token ids and no texts" in capsys.readouterr().out
    folder = run / "export" / "savedmodel"
    record = json.loads((folder / "assets.extra" / "export.json").read_text())
    assert record["reads"].startswith("0, for the first token")
    assert record["check"]["largest_logit_difference"] < 1e-5


def test_what_cannot_be_done_is_refused_in_a_sentence(run, capsys):
    smaller = [str(run), "--to", "litert", "--drop-layers", "1", "--output", str(run / "x")]
    assert run_command(export.main, smaller) == 2
    told = capsys.readouterr().err
    assert "received for a span model, whose answers are compared over a text" in told
    assert "Traceback" not in told


def test_what_decided_an_answer_is_told_and_shown(run, tmp_path, capsys):
    context = "the plot is bad . " * 6 + "the actors was great ."
    asked = [str(run), "--text", "was it ?", "--text-pair", context]
    page = tmp_path / "why.html"
    capsys.readouterr()
    assert run_command(explain.main, [*asked, "--answer", "great"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["explained"]["text"] == "great"
    assert context[found["explained"]["start"] :].startswith("great")
    why = found["explanation"]
    assert [word["text"] for word in why["words"]] == ["was", "it", "?"]
    assert {word["text"] for word in why["pair_words"]} >= {"great"}
    assert run_command(explain.main, [*asked, "--answer", "", "--output", str(page)]) == 0
    assert "no answer" in page.read_text(encoding="utf-8")
    assert run_command(explain.main, [*asked, "--answer", "Rome"]) == 2
    assert "received 'Rome'" in capsys.readouterr().err


def test_python_explains_the_same(run):
    table = pd.DataFrame({"question": ["was it ?"], "context": ["the actors was great ."]})
    model = tft.load(run)
    (why,) = model.explain(table, answer="great")
    assert str(why).startswith('answer "great" (probability')
    with pytest.raises(tft.UserError, match="entity: received 1, but this model predicts the part"):
        model.explain(table, entity=1)


def test_depths_are_searched_in_steps_as_no_head_can_be_solved(run, tiny_encoder):
    options = [
        f"data.train={run.parent / 'train.json'}",
        f"encoder.name={tiny_encoder}",
        f"data.cache_dir={run.parent / 'cache'}",
        f"run.dir={run.parent / 'search'}",
        *("data.max_length=32", "data.validation_fraction=0.25", "run.tensorboard=false"),
        *("training.epochs=1", "training.batch_size=4", "search.seeds=0"),
        "evaluation.bootstrap_resamples=100",
    ]
    steps = ["search.depths=2,3", "search.learning_rates=[1e-3]"]
    assert run_command(search.main, [*options, *steps]) == 0
    found = json.loads((run.parent / "search" / "search.json").read_text())
    depths = found["recommendation"]["depths"]
    assert {one["cell"]["frozen_depth"] for one in depths} == {2, 3}
    assert found["metric"] == "token_f1"
