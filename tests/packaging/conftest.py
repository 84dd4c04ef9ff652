"""The distributions, built once, and an environment that nothing but the wheel was installed in."""

import sys
from pathlib import Path

import pytest

from tests.packaging.distributions import (
    ROOT,
    Distributions,
    copy_checkout,
    make_distributions,
    run,
)


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    folder = tmp_path_factory.mktemp("distributions")
    return make_distributions(copy_checkout(folder / "checkout"), folder / "out")


@pytest.fixture(scope="session")
def installed(distributions: Distributions, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the programs of a fresh environment, as README.md makes one."""
    folder = tmp_path_factory.mktemp("installed") / "environment"
    run(sys.executable, "-m", "venv", str(folder))
    pip = (str(folder / "bin/python"), "-m", "pip", "--disable-pip-version-check", "install")
    run(
        *pip,
        "--no-compile",
        "--constraint",
        str(ROOT / "constraints.txt"),
        str(distributions.wheel),
    )
    return folder / "bin"
