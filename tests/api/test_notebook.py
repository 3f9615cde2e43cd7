"""In a notebook a call has one output: a bar over the last lines, folded up in the end."""

import html

import IPython.display
import pytest
from rich.text import Text

from tf_finetune.api.notebook import NotebookConsole, in_notebook
from tf_finetune.live_display import LiveDisplay


class Output:
    """The output of a cell, which keeps what it showed."""

    def __init__(self):
        self.pages = []

    def update(self, shown):
        """Shows something else."""
        self.pages.append(html.unescape(shown.data))


@pytest.fixture
def output(monkeypatch):
    """The output that the next console opens."""
    output = Output()
    monkeypatch.setattr(IPython.display, "display", lambda *_, **__: output)
    return output


def test_bar_stands_over_the_lines_and_goes_in_the_end(output):
    console = NotebookConsole()
    console.open()
    console.print("6 cells race")
    with LiveDisplay(console, lambda: Text("trials  2 done")):
        console._update(console._page(folded=False))
    console.print("first <answer>")
    console.close()

    while_it_ran = next(page for page in output.pages if "2 done" in page)
    assert while_it_ran.index("2 done") < while_it_ran.index("6 cells race")
    assert "<summary>2 lines of what was done</summary>" in output.pages[-1]
    assert "6 cells race\nfirst <answer>" in output.pages[-1]
    assert "2 done" not in output.pages[-1]


def test_lines_are_not_outputs_of_their_own(output, monkeypatch, capsys):
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    from tf_finetune.searches.running.runner import line_console

    lines = []
    line_console(lines.append).print("epoch 1/3")
    console = NotebookConsole()
    console.print("6 cells race")

    assert lines == ["epoch 1/3"]
    assert "6 cells race" in console._page(folded=False)
    assert output.pages == []
    assert capsys.readouterr().out == ""


def test_a_test_is_no_notebook():
    assert not in_notebook()
