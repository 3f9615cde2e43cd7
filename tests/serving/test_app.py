"""Routes, refusals and their status codes."""

import logging
import re
import threading
import time
from pathlib import Path

import pytest
import yaml

from tf_finetune.serving.limits import Limits
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.several_classes import SeveralClasses
from tf_finetune.tasks.values import Values

TOKEN = "a-token-of-some-length"
JSON = {"Content-Type": "application/json"}


def test_texts_are_answered_in_their_order(make_client):
    response = make_client().post("/predict", json={"texts": ["good", "dull", "a good one"]})

    assert response.status_code == 200
    content = response.json()
    assert content["model"] == "first"
    assert [one["label"] for one in content["predictions"]] == ["pos", "neg", "pos"]
    assert content["predictions"][0]["probabilities"] == {"neg": 0.119203, "pos": 0.880797}


def test_one_text_is_answered_as_a_list_of_one(make_client):
    client = make_client()

    alone = client.post("/predict", json={"text": "good", "top_k": 1})

    assert alone.status_code == 200
    assert alone.json() == client.post("/predict", json={"texts": ["good"], "top_k": 1}).json()


def test_one_pair_needs_both_texts(make_client, served):
    client = make_client(served(pairs=True))

    whole = client.post("/predict", json={"text": "good", "text_pair": "dull"})
    half = client.post("/predict", json={"text": "good"})

    assert [one["label"] for one in whole.json()["predictions"]] == ["pos"]
    assert half.status_code == 422
    assert "accepted: texts (a list), or text and text_pair (one)" in half.text


def test_root_leads_to_the_page_of_the_api(make_client):
    client = make_client(token=TOKEN)

    assert client.get("/", follow_redirects=False).headers["location"] == "docs"
    assert "<title>tf-finetune: API</title>" in client.get("/").text


def test_top_k(make_client):
    response = make_client().post("/predict", json={"texts": ["good"], "top_k": 1})
    assert response.json()["predictions"][0]["probabilities"] == {"pos": 0.880797}


def test_pairs(make_client, served):
    client = make_client(served(pairs=True))
    pair = {"text": "good", "text_pair": "dull"}

    assert client.post("/predict", json={"texts": [pair]}).json()["predictions"][0]["label"]
    assert client.post("/predict", json={"texts": ["good"]}).status_code == 422
    assert make_client().post("/predict", json={"texts": [pair]}).status_code == 422


def test_answers_of_other_tasks(make_client, served):
    several = make_client(served(SeveralClasses(("dull", "good"))))
    number = make_client(served(Values()))

    (answer,) = several.post("/predict", json={"texts": ["good"]}).json()["predictions"]
    assert answer["labels"] == ["good"] and set(answer["probabilities"]) == {"dull", "good"}
    assert number.post("/predict", json={"texts": ["good"]}).json()["predictions"] == [
        {"value": 2.0}
    ]
    assert number.post("/predict", json={"texts": ["good"], "top_k": 1}).status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"texts": []}',
        b'{"texts": "good"}',
        b'{"texts": ["good"], "text": "good"}',
        b'{"texts": null, "text": "good"}',
        b'{"text": ["good"]}',
        b'{"text": " "}',
        b'{"text": "good", "text_pair": "good"}',
        b'{"top_k": 1}',
        b'{"texts": [1]}',
        b'{"texts": [NaN]}',
        b'{"texts": [""]}',
        b'{"texts": [" \\n"]}',
        b'{"texts": ["a\\u0000"]}',
        b'{"texts": ["\\ud800"]}',
        b'{"texts": ["good"], "top_k": 0}',
        b'{"texts": ["good"], "top_k": 3}',
        b'{"texts": ["good"], "top_k": true}',
        b'{"texts": ["good"], "\\ud800": 1}',
        b'{"texts": ["good", "good", "good", "good", "good"]}',
        b'{"texts": ["' + b"a" * 101 + b'"]}',
    ],
)
def test_bodies_that_are_not_as_described(make_client, body):
    client = make_client(limits=Limits(max_texts=4, max_characters=100))

    response = client.post("/predict", content=body, headers=JSON)

    assert response.status_code == 422
    assert response.json()["detail"]
    assert client.get("/health").status_code == 200


def test_refusals_do_not_repeat_the_text(make_client):
    response = make_client().post("/predict", json={"texts": ["my secret", 5]})
    assert response.status_code == 422 and "secret" not in response.text


def test_bytes_that_are_not_utf8(make_client):
    response = make_client().post("/predict", content=b'{"texts": ["\xff"]}', headers=JSON)
    assert response.status_code in (400, 422)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json; charset=latin-1"},
        {**JSON, "Content-Encoding": "gzip"},
    ],
)
def test_wrong_content_types(make_client, headers):
    response = make_client().post("/predict", content=b'{"texts": ["a"]}', headers=headers)
    assert response.status_code == 415


def test_charset_of_json_may_be_said(make_client):
    headers = {"Content-Type": 'application/json; charset="UTF-8"'}
    response = make_client().post("/predict", content=b'{"texts": ["a"]}', headers=headers)
    assert response.status_code == 200


def test_oversized_bodies_said_or_not(make_client):
    client = make_client(limits=Limits(max_body_bytes=100))
    pieces = (b"x" * 60 for _ in range(3))

    assert client.post("/predict", content=b"x" * 101, headers=JSON).status_code == 413
    assert client.post("/predict", content=pieces, headers=JSON).status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/elsewhere", 404),
        ("POST", "/nowhere", 404),
        ("GET", "/predict", 405),
        ("PUT", "/health", 405),
    ],
)
def test_unknown_routes_and_methods(make_client, method, path, status):
    response = make_client().request(method, path)
    assert response.status_code == status
    assert response.json()["detail"]


def test_more_texts_than_may_wait(make_client, served):
    client = make_client(served(seconds=0.5), limits=Limits(max_texts=2, max_waiting=2))
    statuses = []

    def ask():
        response = client.post("/predict", json={"texts": ["good", "dull"]})
        statuses.append((response.status_code, response.headers.get("retry-after")))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses, key=str) == [(200, None), (503, "1"), (503, "1")]


def test_answers_of_a_server_that_ends_close_their_connections(make_client):
    client = make_client()
    assert "connection" not in client.get("/health").headers
    client.service.ending = True
    assert client.get("/health").headers["connection"] == "close"


def test_token_is_asked_for(make_client):
    client = make_client(token=TOKEN)
    body = {"texts": ["good"]}

    for wrong in (None, "Bearer ", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer \xe9"):
        headers = {} if wrong is None else {"Authorization": wrong.encode("latin-1")}
        refused = client.post("/predict", json=body, headers=headers)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == "Bearer"
        assert client.get("/metrics", headers=headers).status_code == 401
    right = {"Authorization": f"bearer {TOKEN}"}
    assert client.post("/predict", json=body, headers=right).status_code == 200
    assert client.get("/metrics", headers=right).status_code == 200
    assert client.get("/health").status_code == 200


def test_fault_of_the_model_is_answered_and_survived(make_client, served, monkeypatch, caplog):
    model = served()
    client = make_client(model)
    with monkeypatch.context() as patch:
        patch.setattr(model.trained, "outputs_of", None)
        response = client.post("/predict", json={"texts": ["good"]})
    assert response.status_code == 500
    assert "TypeError" in caplog.text

    assert client.post("/predict", json={"texts": ["good"]}).status_code == 200


def test_reload_answers_with_the_new_model(make_client, served):
    client = make_client(served(), served(version="second"))
    assert client.portal.call(client.service.reload)

    assert client.get("/health").json()["model"] == "second"
    answer = client.post("/predict", json={"texts": ["good"]}).json()
    assert answer["model"] == "second"
    assert 'reloads_total{result="done"} 1.0' in client.get("/metrics").text


def test_reload_during_requests_drops_none(make_client, served):
    client = make_client(served(seconds=0.02), served(version="second"))
    found = []

    def ask():
        for _ in range(10):
            response = client.post("/predict", json={"texts": ["good"]})
            found.append((response.status_code, response.json()["model"]))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    assert client.portal.call(client.service.reload)
    for thread in threads:
        thread.join()

    assert {status for status, _ in found} == {200}
    assert {version for _, version in found} == {"first", "second"}


def test_model_of_another_task_does_not_take_over(make_client, served, caplog):
    other = served(Classes(("yes", "no")), version="second")
    client = make_client(served(), other)

    assert not client.portal.call(client.service.reload)

    assert "the new model's labels are ('yes', 'no')" in caplog.text
    assert client.get("/health").json()["model"] == "first"


def test_texts_are_not_logged_unless_asked(make_client, caplog):
    caplog.set_level(logging.INFO)
    body = {"texts": ["a good film, write to ann@example.org or call +49 30 1234567"]}

    make_client().post("/predict", json=body)
    assert "POST /predict 200" in caplog.text and "film" not in caplog.text
    make_client(log_texts=True).post("/predict", json=body)

    assert "a good film, write to [email] or call [phone]" in caplog.text
    assert "example.org" not in caplog.text and "1234567" not in caplog.text


def test_metrics_tell_requests_answers_and_drift(make_client):
    client = make_client()
    client.post("/predict", json={"texts": ["good", "good"]})
    client.get("/nowhere/else")

    text = client.get("/metrics").text

    for line in (
        'tf_finetune_requests_total{path="/predict",status="200"} 1.0',
        'tf_finetune_requests_total{path="other",status="404"} 1.0',
        'tf_finetune_answers_total{label="pos"} 2.0',
        "tf_finetune_batch_texts_sum 2.0",
        "tf_finetune_waiting_texts 0.0",
        'tf_finetune_drift_window_values{quantity="label"} 2.0',
        'tf_finetune_model_info{task="single_label",version="first"} 1.0',
    ):
        assert line in text
    assert float(re.search(r'drift_psi\{quantity="label"\} (.*)', text)[1]) > 1


def test_alert_rules_ask_for_metrics_that_there_are(make_client):
    client = make_client()
    client.post("/predict", json={"texts": ["good"]})
    shown = client.get("/metrics").text
    rules = yaml.safe_load((Path(__file__).parents[2] / "docs/serving_alerts.yml").read_text())

    alerts = [rule for group in rules["groups"] for rule in group["rules"]]

    assert len(alerts) >= 5
    for alert in alerts:
        names = set(re.findall(r"tf_finetune_\w+", alert["expr"]))
        assert names and all(f"\n{name}" in shown for name in names), alert["alert"]
        assert alert["annotations"]["summary"] and alert["labels"]["severity"]


def test_page_of_the_api_loads_nothing_from_elsewhere(make_client):
    response = make_client().get("/docs")
    assert response.status_code == 200
    assert not re.search(r"https?://|//cdn|src=", response.text)
    assert "openapi.json" in response.text


def test_limits_that_make_no_sense():
    with pytest.raises(Exception, match="--max-texts: received 0; accepted: 1 or more"):
        Limits(max_texts=0)
    with pytest.raises(Exception, match=r"--max-waiting: received 4; accepted: at least"):
        Limits(max_waiting=4)
