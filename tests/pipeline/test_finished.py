"""Commands that only read results refuse those that are not finished."""

import pytest

from her2study.pipeline import open_chain
from her2study.pipeline.finished import check_finished, mending_command
from her2study.types import StudyError


def test_the_message_names_the_first_missing_step_and_the_command(project):
    chain = open_chain("tiny", "smoke", str(project.data))
    with pytest.raises(StudyError) as caught:
        check_finished(chain)
    message = str(caught.value)
    assert "01_cohort: has not run yet (7 more steps are due)" in message
    assert message.startswith(str(chain.run.folder))
    assert message.endswith(f"make reproduce STUDY=tiny PROFILE=smoke DATA={project.data}")


def test_the_command_leaves_out_what_is_usual():
    assert mending_command(open_chain("hong2025")) == "make reproduce"
    assert mending_command(open_chain("hong2025", "smoke")) == "make reproduce PROFILE=smoke"
