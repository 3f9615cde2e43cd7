"""The page that a person opens after a run or a search: one offline HTML file."""

from tf_finetune.reports.page.content import (
    Command,
    DepthRow,
    ReportContent,
    SearchAnswer,
    TrialRow,
)
from tf_finetune.reports.page.run_content import run_content
from tf_finetune.reports.page.writing import render_page, write_report_page

__all__ = [
    "Command",
    "DepthRow",
    "ReportContent",
    "SearchAnswer",
    "TrialRow",
    "render_page",
    "run_content",
    "write_report_page",
]
