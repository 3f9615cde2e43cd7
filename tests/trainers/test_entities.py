"""What people see of a model that finds entities, from its report to each answer."""

import csv
import json
import re

import numpy as np
import pyarrow.parquet as pq
import pytest

import tf_finetune as tft
from tests.untraced import untraced
from tf_finetune.runs.opening import open_model
from tf_finetune.sources.reading import check_texts
from trainers import evaluate, explain, predict, rank, train
from trainers.cli import run_command

pytestmark = pytest.mark.eager

TEXT = "the film 7 was good and the plot 3 was bad"


@pytest.fixture(scope="module")
def run(tiny_encoder, tmp_path_factory):
    """A run on 40 texts, in which numbers are of the kind number, and "film" of the kind thing."""
    folder = tmp_path_factory.mktemp("entities")
    lines = []
    for number in range(40):
        words = ["the", "film", str(number % 10), "was", ("good", "dull")[number % 2]]
        tags = {1: "B-thing", 2: "B-number"}
        lines += [f"{word}\t{tags.get(place, 'O')}" for place, word in enumerate(words)] + [""]
    (folder / "train.conll").write_text("\n".join(lines), encoding="utf-8")
    job = [
        f"data.train={folder / 'train.conll'}",
        f"encoder.name={tiny_encoder}",
        f"run.dir={folder / 'run'}",
        f"data.cache_dir={folder / 'cache'}",
        "data.max_length=12",
        "data.validation_fraction=0.2",
        "data.test_fraction=0.2",
        "evaluation.bootstrap_resamples=100",
        "evaluation.explained_mistakes=1",
        "evaluation.baselines=false",
        "freeze.depth=2",
        "training.epochs=2",
        "training.batch_size=16",
        "training.learning_rate=0.003",
    ]
    with untraced():
        assert run_command(train.main, job) == 0
    return folder / "run"


def test_the_report_holds_wrong_entities_and_why(run):
    report = json.loads((run / "evaluation.json").read_text(encoding="utf-8"))["test"]
    page = (run / "report.html").read_text(encoding="utf-8")

    assert [one["name"] for one in report["per_class"]] == ["number", "thing"]
    worst = report["mistakes"][0]
    for part in worst["parts"]:
        for one in filter(None, (part["gold"], part["given"])):
            assert worst["text"][one["start"] : one["end"]] == one["text"]
    assert worst["label"] == [
        f'{p["gold"]["label"]} "{p["gold"]["text"]}"' for p in worst["parts"] if p["gold"]
    ]
    assert worst["explanation"]["words"]
    assert "Entities of each kind" in page and "the commonest class" not in page
    assert re.search(r'<mark class="(gold|given)-', page)


def test_evaluate_shows_mistakes_by_their_texts(run, capsys):
    assert run_command(evaluate.main, [str(run)]) == 0

    said = capsys.readouterr()
    assert re.search(r"(missed|invented|found as) (thing|number)", said.out + said.err)


def test_answers_have_the_places_of_the_text_in_every_form(run, tmp_path, capsys):
    table, rows = tmp_path / "a.parquet", tmp_path / "a.csv"

    for target in (table, rows):
        command = [str(run), "--text", TEXT, "--text", "dull !", "--output", str(target)]
        assert run_command(predict.main, command) == 0
    assert run_command(predict.main, [str(run), TEXT]) == 0

    answer = json.loads(capsys.readouterr().out)
    found = answer["entities"]
    assert [TEXT[one["start"] : one["end"]] for one in found] == [one["text"] for one in found]
    first, _ = pq.read_table(table).to_pylist()
    assert [one["text"] for one in first["entities"]] == [one["text"] for one in found]
    with rows.open(encoding="utf-8-sig", newline="") as file:
        of_first = [row for row in csv.DictReader(file) if row["row"] == "1"]
    assert [row["entity"] for row in of_first] == [one["text"] for one in found] or not found


def test_top_k_is_refused_in_words(run, command_fails):
    assert "answers with the entities that a text names" in command_fails(
        predict.main, str(run), TEXT, "--top-k", "2"
    )


def test_an_entity_of_a_kind_is_explained(run, capsys):
    assert run_command(explain.main, [str(run), TEXT, "--label", "number"]) == 0

    said = json.loads(capsys.readouterr().out)
    assert said["explained"]["label"] == "number"
    label, text = said["explained"]["label"], said["explained"]["text"]
    assert said["explanation"]["label"] == f'{label} "{text}"'
    assert {word["text"] for word in said["explanation"]["words"]} <= set(TEXT.split())


def test_python_gives_the_same(run, capsys):
    assert run_command(predict.main, [str(run), TEXT]) == 0
    said = json.loads(capsys.readouterr().out)["entities"]
    model = tft.load(run)

    found = model.predict([TEXT, "good"])

    assert found.columns.tolist() == ["entities"]
    assert [one["text"] for one in found.entities[0]] == [one["text"] for one in said]
    assert model.labels == ("number", "thing")
    scores = model.evaluate()
    assert scores.classes.index.name == "kind"
    assert scores.classes.index.tolist() == ["number", "thing"]
    why = model.explain(TEXT, label="thing")
    assert why.found.explanation.label.startswith('thing "')
    assert str(why).startswith(why.found.explanation.label)
    with pytest.raises(tft.UserError, match="predicts the entities that a text names; accepted: p"):
        model.predict_proba(TEXT)
    with pytest.raises(tft.UserError, match="entity: received 0; accepted: a whole number from 1"):
        model.explain(TEXT, entity=0)
    with pytest.raises(tft.UserError, match="label: received 'x'; accepted: number, thing"):
        model.explain(TEXT, label="x")


def test_texts_to_label_next_have_their_least_sure_word(run, tmp_path):
    texts, target = tmp_path / "new.csv", tmp_path / "next.csv"
    texts.write_text(f"text\n{TEXT}\nthe film was dull\n")

    command = [str(run), str(texts), "--count", "2", "--by", "margin", "--output", str(target)]
    assert run_command(rank.main, command) == 0

    found = [*csv.DictReader(target.read_text(encoding="utf-8-sig").splitlines())]
    assert {one["text"] for one in found} == {TEXT, "the film was dull"}
    assert all(one["reason"].startswith('least sure of the word "') for one in found)


def test_the_state_of_a_text_is_the_mean_of_its_words(run):
    (member,) = open_model(str(run)).load().members
    records = check_texts([TEXT, "dull !"], [], ("text", "pair"), task="token_classification")
    rows = member.rows_of(records)

    vectors = member.vectors_of(records, 8, rows=rows)

    # The head is linear, so that it makes the mean of the words' logits of it.
    found = member.classifier.head_logits(vectors).numpy()
    outputs = member.logits_of(records, 8, rows=rows)
    for text, record in enumerate(records):
        of_text = [place for place, row in enumerate(rows) if row.example == text]
        words = outputs[of_text].reshape(-1, member.labels.num_outputs).sum(axis=0)
        np.testing.assert_allclose(found[text], words / len(record.spans), atol=1e-5)
