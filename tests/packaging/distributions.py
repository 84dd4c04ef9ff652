"""What is handed out, made as for an upload: a source distribution, and the wheel that is built from it."""

import shutil
import subprocess
import tarfile
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from build import ProjectBuilder
from build.env import DefaultIsolatedEnv

ROOT = Path(__file__).parents[2]
PACKAGES = ("converters", "emulation", "servient", "thing_descriptions")
# What tools leave in a checkout, and no clone has.
LEFT = shutil.ignore_patterns(
    *(".*", "__pycache__", "*.pyc", "*.egg-info", "node_modules"), "build", "dist", "instance"
)
PATIENCE_SECONDS = 300


@dataclass(frozen=True)
class Distributions:
    """The two files, the names in them, and what they were made from."""

    checkout: Path
    source: Path
    wheel: Path

    @cached_property
    def in_source(self) -> frozenset[str]:
        """Paths below the folder that all of them are in."""
        with tarfile.open(self.source) as archive:
            files = (each.name for each in archive.getmembers() if each.isfile())
            return frozenset(name.partition("/")[2] for name in files)

    @cached_property
    def in_wheel(self) -> frozenset[str]:
        with zipfile.ZipFile(self.wheel) as archive:
            return frozenset(archive.namelist())


def copy_checkout(folder: Path) -> Path:
    """The files of a clone: what was built in the checkout before must not get in."""
    return Path(shutil.copytree(ROOT, folder, ignore=LEFT, symlinks=True))


def make_distributions(checkout: Path, out: Path) -> Distributions:
    """The wheel from what was unpacked of the source distribution, so that this one is complete."""
    with DefaultIsolatedEnv() as tools:
        builder = ProjectBuilder.from_isolated_env(tools, checkout)
        tools.install(builder.build_system_requires)
        source = Path(builder.build("sdist", out))
        with tarfile.open(source) as archive:
            archive.extractall(out, filter="data")
        unpacked = out / source.name.removesuffix(".tar.gz")
        wheel = Path(ProjectBuilder.from_isolated_env(tools, unpacked).build("wheel", out))
    return Distributions(checkout, source, wheel)


def run(*command: str) -> str:
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=PATIENCE_SECONDS, cwd="/"
    )
    assert done.returncode == 0, (command, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout
