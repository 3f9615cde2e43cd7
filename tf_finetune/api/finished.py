"""What a finished run and a finished search have in common."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from tf_finetune.api.model import Model
from tf_finetune.api.report_page import ReportPage
from tf_finetune.storage.run_directory import RunDirectory


class Finished:
    """A folder with a model and a report.

    Args:
        directory: The folder.
        held: What the run reads again when it is asked for; kept as long as this is.
    """

    def __init__(self, directory: RunDirectory, held: Sequence[object]):
        self._directory = directory
        self._held = held

    @property
    def path(self) -> Path:
        """The folder."""
        return self._directory.path

    @cached_property
    def model(self) -> Model:
        """The trained model."""
        return Model(self.path, self._held)

    @property
    def report(self) -> ReportPage:
        """The page with all that was found."""
        return ReportPage(self._directory.report)
