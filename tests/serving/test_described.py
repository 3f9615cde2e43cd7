"""Whatever is sent, the answer is one that the server's own OpenAPI description names."""

import json
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tf_finetune.serving.limits import Limits

QUICK = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["texts", "top_k", "text", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)
KINDS = st.sampled_from(
    ["application/json", "application/json;charset=utf-8", "text/plain", "", "a/b;c"]
)


@pytest.fixture
def client(make_client):
    return make_client(limits=Limits(max_body_bytes=500, max_texts=3, max_characters=50))


def check_described(client, method, path, response):
    """The status is described, and the body has what its schema requires."""
    api = client.get("/openapi.json").json()
    described = api["paths"][path][method]["responses"]
    assert str(response.status_code) in described
    schema = described[str(response.status_code)]["content"]["application/json"]["schema"]
    model = api["components"]["schemas"][schema["$ref"].split("/")[-1]]
    assert set(model["required"]) <= set(response.json())
    assert set(response.json()) <= set(model["properties"])


@QUICK
@given(body=st.binary(max_size=600) | ANY_JSON.map(lambda v: json.dumps(v).encode()), kind=KINDS)
def test_any_body_gets_a_described_answer(client, body, kind):
    response = client.post("/predict", content=body, headers={"Content-Type": kind})
    assert response.status_code != 500
    check_described(client, "post", "/predict", response)


@QUICK
@given(data=st.data())
def test_bodies_made_from_the_description_are_answered(client, data):
    api = client.get("/openapi.json").json()
    schema = api["components"]["schemas"]["PredictRequest"]["properties"]
    texts, item = schema["texts"], schema["texts"]["items"]
    top_k = schema["top_k"]["anyOf"][0]
    text = st.text(
        string.printable + "é中😀\u0301",
        min_size=item["minLength"],
        max_size=item["maxLength"],
    ).filter(str.strip)
    number = data.draw(st.integers(texts["minItems"], texts["maxItems"]))
    body = {"texts": [data.draw(text) for _ in range(number)]}
    if data.draw(st.booleans()):
        body["top_k"] = data.draw(st.integers(top_k["minimum"], top_k["maximum"]))
    content = json.dumps(body).encode()

    response = client.post(
        "/predict", content=content, headers={"Content-Type": "application/json"}
    )

    assert response.status_code == (200 if len(content) <= 500 else 413)
    check_described(client, "post", "/predict", response)
    if response.status_code == 200:
        assert len(response.json()["predictions"]) == number


def test_other_routes_are_described(client):
    check_described(client, "get", "/health", client.get("/health"))
    assert "200" in client.get("/openapi.json").json()["paths"]["/metrics"]["get"]["responses"]
