"""Every task keeps what the rest of the project relies on."""

import pytest
from check_task import check_task

from tf_finetune.tasks.table import TASKS


@pytest.mark.parametrize("name", TASKS)
def test_task_keeps_its_contract(name):
    check_task(name)
