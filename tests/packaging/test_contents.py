"""What is in the wheel and in the source distribution, held against the checkout."""

import email.message
import email.parser
import tomllib
import zipfile

import pytest

from servient.version import VERSION
from tests.packaging.distributions import PACKAGES, ROOT, Distributions

# Of which a library of the page is put together.
SOURCES = "servient/console/libraries/"
FOREIGN = ("tests/", "benchmarks/", "examples/", "scripts/", "docs/", "packaging/")


def files_of(distributions: Distributions, folder: str = ".") -> set[str]:
    """What a clone has of it, as paths from the checkout's root."""
    root = distributions.checkout
    # The builder's notes are made beside the sources.
    found = (each.relative_to(root) for each in (root / folder).rglob("*") if each.is_file())
    return {str(each) for each in found if not each.parts[0].endswith(".egg-info")}


@pytest.fixture(scope="module")
def metadata(distributions: Distributions) -> email.message.Message:
    with zipfile.ZipFile(distributions.wheel) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
        return email.parser.Parser().parsestr(archive.read(name).decode())


@pytest.mark.parametrize("package", PACKAGES)
def test_the_wheel_has_every_file_of_its_packages(
    distributions: Distributions, package: str
) -> None:
    """Also those that no import shows: assets of the page, Thing Models, schemas."""
    files = files_of(distributions, package)
    of_developers = {name for name in files if name.endswith(".md") or name.startswith(SOURCES)}
    assert files - of_developers - distributions.in_wheel == set()


def test_the_wheel_has_nothing_else(distributions: Distributions) -> None:
    found = distributions.in_wheel
    own = {name for name in found if name.startswith(tuple(f"{each}/" for each in PACKAGES))}
    meta = {name for name in found if name.startswith(f"wasm_servient-{VERSION}.d")}
    assert found == own | meta
    assert not [name for name in found if name.startswith(FOREIGN)]
    assert {name for name in meta if ".data/" in name} == {
        f"wasm_servient-{VERSION}.data/data/share/wasm-servient/wasm-servient.service"
    }


def test_the_source_distribution_has_what_a_clone_has(distributions: Distributions) -> None:
    missing = files_of(distributions) - distributions.in_source
    assert missing == set()
    assert not [name for name in distributions.in_source if "node_modules" in name]


def test_the_metadata_say_what_it_is(metadata: email.message.Message) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert metadata["Name"] == "wasm-servient"
    assert metadata["Version"] == VERSION
    assert metadata["Summary"] == project["description"]
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == project["license"]
    licences = [each for pattern in project["license-files"] for each in sorted(ROOT.glob(pattern))]
    assert metadata.get_all("License-File") == [str(each.relative_to(ROOT)) for each in licences]
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_payload() == (ROOT / "README.md").read_text()
    assert set(metadata.get_all("Classifier") or ()) == set(project["classifiers"])


def test_every_extra_can_be_asked_for(metadata: email.message.Message) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    offered = set(metadata.get_all("Provides-Extra") or ())
    assert offered == set(project["optional-dependencies"])
