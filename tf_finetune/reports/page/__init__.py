"""The pages that a person opens after a run or a search, each one offline HTML file."""

from tf_finetune.reports.page.content import (
    Command,
    DepthRow,
    ReportContent,
    SearchAnswer,
    TrialRow,
    scored_on,
)
from tf_finetune.reports.page.explanations import (
    ExplainedText,
    answer_text,
    explanation_details,
    write_explanations_page,
)
from tf_finetune.reports.page.run_content import run_content
from tf_finetune.reports.page.writing import render_page, write_report_page

__all__ = [
    "Command",
    "DepthRow",
    "ExplainedText",
    "ReportContent",
    "SearchAnswer",
    "TrialRow",
    "answer_text",
    "explanation_details",
    "render_page",
    "run_content",
    "scored_on",
    "write_explanations_page",
    "write_report_page",
]
