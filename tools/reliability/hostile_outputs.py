"""A job whose texts, labels and names are markup and escapes; its page and console stay clean."""

import contextlib
import html.parser
import io
import re
from pathlib import Path

from tools.reliability.tiny_job import job_arguments

SCRIPT = "<script>alert(1)</script>"
TEXTS = (
    SCRIPT,
    "</script><script>alert(2)</script>",
    "<img src=x onerror=alert(3)>",
    "<svg/onload=alert(4)>",
    "<a href=javascript:alert(5)>x</a>",
    "--><script>alert(6)</script><!--",
    '"><iframe src=//example.org>',
    "</textarea></title></style><base href=//example.org>",
    "\x1b]0;title\x07\x1b[2J\x1b[31mred",
    "\x9b31mred\x90q\x9c",
    "\x1b]8;;http://example.org\x1b\\click\x1b]8;;\x1b\\",
    "abc\r\x08\x08\x08xyz",
    "[bold red]x[/bold red][link=http://example.org]y[/link][/]",
    "{{ 7 * 7 }}{% for x in y %}",
    "\u202etxt.exe",
)
LABELS = (SCRIPT, "<img src=x onerror=alert(7)>", "[red]x[/red]", "{{ 7 * 7 }}")
_FORBIDDEN = {"iframe", "img", "base", "object", "embed", "form", "link"}


class _Page(html.parser.HTMLParser):
    """Collects what a browser would run or load."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        if tag in _FORBIDDEN:
            self.found.append(tag)
        for name, value in attrs:
            elsewhere = name in ("src", "href") and not (value or "").startswith(("#", "data:"))
            if name.startswith("on") or elsewhere:
                self.found.append(f"{tag} {name}={value}")


def try_outputs(folder: Path) -> dict[str, bool]:
    """Trains, exports and reports; gives each check and whether it held."""
    import csv

    from trainers import evaluate, export, predict, train

    folder.mkdir(parents=True)
    arguments = job_arguments(folder)
    source = folder / "<img src=x onerror=alert(8)>[red]\x1b[31m.csv"
    with source.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for number in range(6):
            for index, text in enumerate(TEXTS):
                writer.writerow([f"{text} {number}", LABELS[(index + number) % len(LABELS)]])
    run = folder / "run"
    said, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(errors):
        train.main([str(source), *arguments[1:], "freeze.depth=2", f"run.dir={run}"])
        evaluate.main([str(run)])
        export.main([str(run), "--to", "huggingface"])
    printed = said.getvalue()
    predicted = io.StringIO()
    with contextlib.redirect_stdout(predicted):
        predict.main([str(run), str(source)])
    page = _Page()
    text = (run / "report.html").read_text(encoding="utf-8")
    page.feed(text)
    card = (run / "export" / "huggingface" / "README.md").read_text(encoding="utf-8")
    # What stands before is quoted YAML, and a block of code shows what it holds.
    body = re.sub(r"(?ms)^```.*?^```$", "", card.split("\n---\n", 1)[1])
    return {
        f"report.html loads and runs nothing of the data: {page.found}": not page.found,
        "report.html has no script of the data": page.scripts == text.count("<script")
        and "<script>alert" not in text,
        "report.html has no terminal escapes": not _controls(text),
        "the console prints no terminal escapes": not _controls(printed),
        "the console shows markup as it is": "[red]x[/red]" in printed,
        "warnings have no terminal escapes": not _controls(errors.getvalue()),
        # JSON escapes what is below a space; programs read it, and UTF-8 is kept as it is.
        "predictions are JSON without raw escapes": "\x1b" not in predicted.getvalue(),
        "the model card runs no template": "{{ 7 * 7 }}" in card,
        "the model card has no script": not re.search(r"(?<!\\)<(script|img|svg)", body),
    }


def _controls(text: str) -> set[str]:
    """Characters that a terminal obeys, but for tabs and line ends."""
    return {c for c in text if (ord(c) < 32 or 127 <= ord(c) < 160) and c not in "\n\t\r"}
