"""Programs that tests need and a machine may lack."""

import os
import shutil

import pytest


def find(program: str) -> str | None:
    """Where a program is; brokers live in a folder that is not on everybody's path."""
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def needs(program: str) -> str:
    """The program's path; without it the test is skipped, or fails where CI must have everything."""
    path = find(program)
    if path is None:
        reason = f"{program} is not installed; scripts/test installs it where apt can be used"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return path
