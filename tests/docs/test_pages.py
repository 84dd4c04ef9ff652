"""Every block of every page: what it says to type is typed, what it says to write is written."""

import ast
import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from servient.config import load_config
from tests.docs.pages import EXAMPLES, PAGES, ROOT, Block, read_blocks
from tests.docs.places import Places
from tests.docs.terminal import CommandFailed, Terminal
from tests.interop.node_wot import node_with_packages
from tests.tools import needs

PROGRAMS = ("clang", "wasm-ld", "curl", "mosquitto", "mosquitto_rr", "openssl")
# What pages find in the folder that they are read in, which is a checkout.
CHECKOUT = ("docs", "packaging", "scripts", "constraints.txt")
BEFORE_EXAMPLES = (
    ("python3 -m http.server 8000 --bind 127.0.0.1 --directory examples", "Serving HTTP"),
    ("wasm-servient run", "Stop with Ctrl-C."),
)


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_does_what_it_says(page: str, tmp_path: Path) -> None:
    places = make_checkout(tmp_path)
    async with Terminal(tmp_path, places) as terminal:
        await read(page, terminal, tmp_path, places)


@pytest.mark.parametrize("page", EXAMPLES)
async def test_an_example_does_what_it_says(page: str, tmp_path: Path) -> None:
    """In its folder, and with what examples/README.md says to start before."""
    places = make_checkout(tmp_path)
    folder = (tmp_path / page).parent
    async with Terminal(tmp_path, places) as terminal:
        for command, saying in BEFORE_EXAMPLES:
            await terminal.stay(places.to_here(command), saying)
        await terminal.type(f"cd {folder}")
        await read(page, terminal, folder, places)


async def read(page: str, terminal: Terminal, folder: Path, places: Places) -> None:
    for block in read_blocks((ROOT / page).read_text()):
        try:
            await take(block, terminal, folder, places)
        except AssertionError as error:
            error.add_note(f"{page}, line {block.line}")
            raise


def make_checkout(folder: Path) -> Places:
    """What a reader has: the programs, and the files of this project."""
    node_with_packages()
    for program in PROGRAMS:
        needs(program)
    places = Places()
    (folder / ".venv").symlink_to(sys.prefix)
    for name in CHECKOUT:
        (folder / name).symlink_to(ROOT / name)
    examples = folder / "examples"
    left = shutil.ignore_patterns("node_modules", "__pycache__")
    shutil.copytree(ROOT / "examples", examples, ignore=left, symlinks=True)
    for manifest in examples.glob("*/manifest*.json"):
        manifest.write_text(places.to_here(manifest.read_text()))
    return places


async def take(block: Block, terminal: Terminal, folder: Path, places: Places) -> None:
    """One step."""
    if "first ended" in block.notes:
        await terminal.interrupt(block.notes["first ended"])
    if "not run" in block.notes:
        assert len(block.notes["not run"]) > 10, "the reason is missing"
        await look_at(block, terminal)
    elif block.file:
        file = folder / block.file
        file.write_text(places.to_here(block.text))
        check_text(block)
    elif block.language == "sh":
        await type_all(block, terminal, places)
    elif block.language == "console":
        await type_each(block, terminal, places)
    elif block.language == "python":
        (folder / ".program.py").write_text(places.to_here(block.text))
        await type_all(Block(block.line, "sh", "", "python .program.py\n"), terminal, places)
    else:
        check_text(block)


async def type_all(block: Block, terminal: Terminal, places: Places) -> None:
    """Each line has to succeed."""
    commands = places.to_here(block.text).rstrip("\n")
    if "stays, saying" in block.notes:
        *before, last = commands.split("\n")
        await terminal.type("\n".join(("true", *before)))
        await terminal.stay(last, block.notes["stays, saying"])
        return
    code, output = await terminal.type(f"set -e\n{commands}\nset +e")
    if code:
        raise CommandFailed(f"exit code {code}:\n{commands}\n{output}")


async def type_each(block: Block, terminal: Terminal, places: Places) -> None:
    """Each command has to print what the page says that it does."""
    expected = int(block.notes.get("exit code", "0"))
    for command in block.commands():
        code, output = await terminal.type(places.to_here(command.typed))
        shown = places.to_page(output)
        if code != expected:
            raise CommandFailed(f"exit code {code}:\n{command.typed}\n{shown}")
        if not command.matches(shown):
            raise CommandFailed(f"{command.typed}\nprints\n{shown}\nnot\n{command.printed}")


async def look_at(block: Block, terminal: Terminal) -> None:
    """What is not done has to be of its language, at least."""
    if block.language in ("sh", "console"):
        typed = [each.typed for each in block.commands()] or [block.text]
        for commands in typed:
            process = await asyncio.create_subprocess_exec("bash", "-n", "-c", commands)
            assert await process.wait() == 0, commands
    else:
        check_text(block)


def check_text(block: Block) -> None:
    if block.language in CHECKS:
        CHECKS[block.language](block.text)


def check_toml(text: str) -> None:
    """Settings of a servient."""
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(text)
        file.flush()
        load_config(Path(file.name))


CHECKS: dict[str, Callable[[str], object]] = {
    "json": json.loads,
    "yaml": yaml.safe_load,
    "toml": check_toml,
    "python": ast.parse,
}
