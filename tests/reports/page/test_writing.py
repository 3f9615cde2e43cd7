import base64
import hashlib
import json
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from tf_finetune.evaluation.attributions import Explanation, Piece, Word
from tf_finetune.evaluation.report import FoldScores, Mistake
from tf_finetune.reports.page import numbers
from tf_finetune.reports.page.content import NextStep
from tf_finetune.reports.page.writing import render_page, write_report_page
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.several_classes import SeveralClasses
from tf_finetune.tasks.values import Values

VOID = {"meta", "link", "br", "img", "input", "hr"}
LOADING = {"src", "srcset", "href", "action", "formaction", "data", "poster", "background", "ping"}
THIRTY = Classes(tuple(f"category {i}" for i in range(30)))
TAGS = SeveralClasses(("red", "green", "blue"))
NUMBER = Values()
CJK = Classes(("否定的な", "肯定的な"))
DEPTHS = {0: (0.9, 5e-5, 70.0, 22_000_000, None), 6: (0.8, 1e-3, 7.0, 150_000, None)}
QUICK = {"n": 120, "examples": 80, "splits": ("test",), "seeds": 1, "factors": (0.5, 1.0)}
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></title></svg><b onclick='x()'>",
    "{{ 7 * 7 }} {% raw %} $a_b$ &lt;",
)


class Page(HTMLParser):
    """What a browser would make of a page; fails where elements do not nest."""

    def __init__(self, text: str):
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    def values(self, attribute: str) -> list[str]:
        return [found[attribute] or "" for _, found in self.elements if attribute in found]

    def text_of(self, *tags: str) -> list[str]:
        return [text.strip() for tag, text in self.texts if tag in tags and text.strip()]


def check_page(text: str) -> Page:
    page = Page(text)
    ids = Counter(page.values("id"))
    assert [name for name, count in ids.items() if count > 1] == []
    for reference in page.values("href"):
        assert reference.startswith("data:image/png") or reference[1:] in ids
    for target in re.findall(r"url\(([^)]*)\)", text):
        assert target.startswith("#") and target[1:] in ids
    for svg in (found for tag, found in page.elements if tag == "svg"):
        assert svg["role"] == "img" and svg["aria-labelledby"] in ids
    return page


@pytest.fixture(scope="module")
def written(search_content, tmp_path_factory):
    """The content of a search with a failed trial, its page and its JSON."""
    content, path = search_content(failures=1), tmp_path_factory.mktemp("page") / "report.html"
    write_report_page(path, content)
    stored = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    return content, path.read_text(encoding="utf-8"), stored


def test_a_page_asks_for_nothing_outside_itself(written):
    _, text, _ = written
    page = check_page(text)
    for attribute in LOADING - {"href"}:
        assert page.values(attribute) == []
    assert "@import" not in text
    assert re.findall(r"https?:", text) == []
    assert {tag for tag, _ in page.elements} & {"link", "iframe", "img", "object", "base"} == set()


def test_the_answer_comes_first_and_every_section_is_there(written):
    content, text, _ = written
    page = check_page(text)
    assert page.text_of("p")[1:3] == [content.search.answer, content.search.certainty]
    assert page.values("id")[:1] == ["depths"]
    for section in (
        "depths",
        "rates",
        "curves",
        "model",
        "plan",
        "data",
        "preflight",
        "commands",
        "trials",
    ):
        assert section in page.values("id") and f"#{section}" in page.values("href")
    assert [c.line for c in content.commands] == [
        text for text in page.text_of("code") if text.startswith("python -m")
    ]


def test_only_the_script_of_the_page_may_run(written):
    _, text, _ = written
    (script,) = [text for tag, text in Page(text).texts if tag == "script"]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = next(v for v in Page(text).values("content") if "default-src" in v)
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert policy.endswith(f"script-src 'sha256-{digest}'")


def test_texts_of_the_user_stay_texts(search_content):
    everything = " ".join(HOSTILE)
    content = search_content(Classes(HOSTILE), depths=DEPTHS, failures=1, **QUICK)
    mistake = Mistake(0, 2, everything, everything, HOSTILE[0], HOSTILE[1], 0.9)
    bad_trial = replace(content.trials[0], reason=everything, extra={HOSTILE[1]: HOSTILE[0]})
    data = {**content.data, "warnings": HOSTILE}
    data["splits"] = tuple({**split, "source": everything} for split in data["splits"])
    content = replace(
        content,
        title=everything,
        encoder=everything,
        trials=(bad_trial, *content.trials[1:]),
        reports={"test": replace(content.reports["test"], mistakes=(mistake,))},
        data=data,
        commands=(NextStep(everything, everything),),
        config=everything,
        search=replace(content.search, answer=everything, notes=HOSTILE, alternatives=HOSTILE),
    )
    page = check_page(render_page(content))
    tags = Counter(tag for tag, _ in page.elements)
    assert (tags["script"], tags["img"], tags["style"]) == (1, 0, 1)
    assert tags["title"] == tags["svg"] + 1
    assert not [name for _, found in page.elements for name in found if name.startswith("on")]
    for place in ("title", "h1", "p", "blockquote", "code"):
        assert everything in page.text_of(place), place
    for place in ("th", "li", "b"):
        assert HOSTILE[0] in page.text_of(place), place
    # matplotlib draws at most so many characters of a class name.
    drawn = {text.rstrip("…") for text in page.text_of("text")}
    assert {hostile[:20] for hostile in HOSTILE} <= {text[:20] for text in drawn}


def test_texts_that_are_no_utf_8_and_control_characters_can_be_written(search_content, tmp_path):
    strange = "a\ud800b\x00c\x1b[31md\uffff\u202e"
    content = search_content(Classes((strange, "plain")), depths=DEPTHS, **QUICK)
    report = content.reports["test"]
    mistake = Mistake(0, 2, strange, None, strange, "plain", 0.9)
    content = replace(content, reports={"test": replace(report, mistakes=(mistake,))})
    write_report_page(tmp_path / "report.html", content)
    page = check_page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert any(text.startswith("a\ufffdbcd") for text in page.text_of("blockquote"))


def test_equal_contents_give_equal_pages(run_content):
    content = run_content()
    assert render_page(content) == render_page(content)


def leaves(value):
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    if isinstance(value, list):
        return [len(value), *(leaf for item in value for leaf in leaves(item))]
    return [value] if isinstance(value, int | float) else []


def test_every_number_of_the_tables_is_in_the_json(written):
    _, text, stored = written
    found = set(leaves(stored))
    formats = (
        *(numbers.score, numbers.count, numbers.seconds, numbers.plain_seconds, numbers.memory),
        *(numbers.multiple, numbers.percent, numbers.p_value, "{:,}".format, "{:.3f}".format),
    )
    shown = {form(value) for value in found for form in formats}
    shown |= {numbers.rate(value) for value in found if value > 0}
    page = Page(text)
    sums = {"1,774,464"}  # of the parts of a layer, in the table of the plan
    cells = page.text_of("td")
    assert len(cells) > 300
    for cell in cells:
        parts = re.split(r" ± | to | \(|\)| ↓| ↑", cell)
        for part in (part for part in parts if re.match(r"[<\d]", part)):
            assert part in shown | sums, cell


def test_the_json_holds_what_the_search_found(written):
    content, _, stored = written
    assert stored["recommendation"]["depths"][0]["score"] == content.search.depths[0].score
    assert stored["recommendation"]["pareto_depths"] == [
        row.depth for row in content.search.pareto_front
    ]
    assert len(stored["trials"]) == 24
    assert stored["trials"][0]["reason"] == "the loss diverged in step 12"
    assert stored["trials"][1]["history"][2]["loss"] == content.trials[1].history[2]["loss"]
    assert stored["reports"]["test"]["confusion"][0][0] > 0
    assert stored["plan"]["rows"][0]["part"] == "embeddings"


@pytest.mark.parametrize(
    "case",
    [
        pytest.param({"depths": {4: DEPTHS[0]}}, id="one depth"),
        pytest.param({"depths": {4: DEPTHS[0]}, "factors": (1.0,)}, id="one trial"),
        pytest.param({"factors": (1.0,), "n": 20}, id="few examples"),
        pytest.param({"factors": tuple(1.1**i for i in range(14))}, id="many rates"),
        pytest.param({"labels": NUMBER, "metric": "spearman"}, id="regression"),
        pytest.param({"labels": NUMBER, "metric": "mse", "higher_is_better": False}, id="mse"),
        pytest.param({"labels": TAGS, "metric": "micro_f1"}, id="multi-label"),
        pytest.param({"labels": THIRTY, "metric": "macro_f1"}, id="30 classes"),
        pytest.param({"labels": CJK, "metric": "loss", "higher_is_better": False}, id="CJK"),
    ],
)
def test_any_search_has_a_page(case, search_content):
    content = search_content(**{"depths": DEPTHS, **QUICK, **case})
    page = check_page(render_page(content))
    assert any("◆" in text for text in page.text_of("th"))
    if content.reports["test"].confusion:
        assert content.data["label_names"][0] in page.text_of("text")
    assert "nan" not in " ".join(page.text_of("td", "th", "text", "strong")).lower().split()


def test_a_depth_that_failed_is_in_the_table_of_trials(search_content):
    page = check_page(
        render_page(
            search_content(
                depths=DEPTHS, failures=6, **{**QUICK, "factors": (0.5, 1.0, 2.0), "seeds": 2}
            )
        )
    )
    assert page.text_of("td").count("failed: the loss diverged in step 12") == 6
    assert page.text_of("text").count("failed") == 3  # of two seeds each
    assert "Depth 0 has no completed trial and is left out." in page.text_of("li")


def test_without_a_test_split_the_page_warns(run_content):
    content = run_content()
    assert "There is no test split." not in render_page(content)
    content = replace(content, reports={"validation": content.reports["validation"]})
    text = render_page(content)
    assert "There is no test split." in text
    assert "validation accuracy" in check_page(text).text_of("dt")


def test_a_single_run_has_a_page(run_content):
    content = run_content()
    page = check_page(render_page(content))
    assert content.summary[0] in page.text_of("p")
    assert not {"depths", "rates", "trials"} & set(page.values("id"))
    assert page.text_of("caption").count("Each epoch") == 1
    assert {"training", "validation"} <= set(page.text_of("text"))


def test_choices_stand_numbered_below_their_text_whether_explained_or_not(run_content):
    def word(text, attribution):
        return Word(text, 0, len(text), attribution, (Piece(text, attribution),))

    plain = Mistake(0, 2, "why", None, "1: so", "0: no", 0.9, choices=("no", "so"))
    why = Explanation("0", 1.5, 0.25, 0.0, 8, True, (word("why", 1.0),))
    why = replace(why, choice_words=((word("no", 0.5),), (word("so", -0.25),)))
    content = run_content()
    (name, report), *_ = content.reports.items()

    def quotes(mistake):
        reports = {name: replace(report, mistakes=(mistake,))}
        html = render_page(replace(content, reports=reports))
        check_page(html)
        found = re.findall(r"<blockquote[^>]*>(.*?)</blockquote>", html, re.DOTALL)
        return html, [re.sub(r"<sub>.*?</sub>|<[^>]*>|&NoBreak;", "", one).strip() for one in found]

    assert quotes(plain)[1] == ["why", "0 no", "1 so"]
    html, found = quotes(replace(plain, explanation=why))
    assert found == ["why", "0 no", "1 so"]
    assert "lead of <b" in html and "logit of" not in html
    assert re.search(r'class="for"[^>]*>no', html) and re.search(r'class="against"[^>]*>so', html)


def test_a_run_with_nothing_to_show_but_itself_has_a_page(run_content):
    content = run_content()
    bare = replace(content.trials[0], history=(), score=None, epochs=0, train_seconds=0.0)
    content = replace(content, trials=(bare,), reports={}, plan=None, data=None, commands=())
    page = check_page(render_page(content))
    assert [tag for tag, _ in page.elements if tag == "section"] == ["section"]


def test_a_preflight_is_told_cell_by_cell(written):
    content, text, stored = written
    cells = check_page(text).text_of("td", "th")

    start = cells.index("v5e")
    assert cells[start : start + 8] == [
        *("v5e", "4", "32", "yes", "256 MiB", "117 G", "0.0029 s", "2.7 s")
    ]
    assert cells[start + 8 : start + 12] == ["v4", "0", "16,384", "no"]
    assert stored["preflight"] == content.preflight
    assert "preflight" not in check_page(render_page(replace(content, preflight=None))).values("id")


def test_page_of_a_search_over_folds_says_what_decided(search_content):
    content = search_content(depths=DEPTHS, **QUICK | {"splits": ("test", "out-of-fold")})
    report = content.reports["out-of-fold"]
    folds = tuple(FoldScores(f"fold-{i}", 16, report.metrics) for i in range(1, 6))

    page = render_page(
        replace(
            content,
            search=replace(content.search, folds=5),
            reports=content.reports | {"out-of-fold": replace(report, folds=folds)},
        )
    )

    text = " ".join(re.sub(r"<[^>]*>", " ", page).split())
    assert "training examples, each answered out of its fold (5 folds), and seeds" in text
    assert "best mean out-of-fold accuracy over its seeds" in text
    assert "Each fold, by the model that was trained on the others" in text
    assert "validation accuracy" not in text.lower()


def test_where_layers_are_left_out_the_page_says_how_many_are_used(search_content):
    content = search_content(depths={4: DEPTHS[6]}, factors=(1.0,), seeds=1)
    (row,) = content.search.depths
    cell = replace(row.cell, learning_rate=None, extra=(("encoder.layers", 4),))
    found = replace(content.search, depths=(replace(row, cell=cell),))

    page = check_page(render_page(replace(content, search=found)))

    assert page.text_of("dt")[:2] == ["layers used", "head"]
    assert "4 of 6" in page.text_of("strong")
    assert any("first 4" in text for text in page.text_of("td", "th"))
