"""A page that does not tell the truth is found out."""

from pathlib import Path

import pytest
import yaml

from tests.docs.pages import Command, read_blocks
from tests.docs.places import Places
from tests.docs.terminal import CommandFailed, Terminal
from tests.docs.test_pages import take

HONEST = """
```sh
word=hello
mkdir folder && cd folder
```

```console
$ echo "$word from $(basename "$PWD")"
hello from folder
$ printf '%s\\n' one \\
    two
one
two
$ date
…
```

<!-- exit code: 3 -->
```console
$ (exit 3)
```

<!-- stays, saying: ready -->
```sh
bash -c 'echo ready; sleep 600'
```

```json kept.json
{"port": 5000}
```

```console
$ cat ../kept.json
{"port": 5000}
```

<!-- not run: it would never end -->
```sh
sleep infinity
```
"""

LIES = {
    "a command fails": "```sh\nfalse\necho after\n```",
    "a command does not fail": "<!-- exit code: 1 -->\n```console\n$ true\n```",
    "other output": "```console\n$ echo 1\n2\n```",
    "more output": "```console\n$ seq 2\n1\n```",
    "less output": "```console\n$ echo 1\n1\n2\n```",
    "nothing stays": "<!-- stays, saying: ready -->\n```sh\necho steady\n```",
    "no reason": "<!-- not run: no -->\n```sh\ntrue\n```",
    "no shell": "<!-- not run: it is not done here -->\n```sh\nif true\n```",
    "a failing program": "```python\nraise SystemExit(1)\n```",
}
BROKEN = {
    "no JSON": "```json\n{\n```",
    "no JSON in a file": "```json a.json\n{\n```",
    "no YAML": "```yaml\na: [\n```",
    "no setting": "```toml\nno_such_setting = 1\n```",
}


async def read(page: str, folder: Path) -> None:
    places = Places()
    async with Terminal(folder, places) as terminal:
        for block in read_blocks(page):
            await take(block, terminal, folder, places)


async def test_an_honest_page(tmp_path: Path) -> None:
    await read(HONEST, tmp_path)


@pytest.mark.parametrize("lie", LIES)
async def test_a_page_that_lies(lie: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        await read(LIES[lie], tmp_path)


@pytest.mark.parametrize("fault", BROKEN)
async def test_text_that_is_not_what_it_says(fault: str, tmp_path: Path) -> None:
    with pytest.raises((ValueError, yaml.YAMLError)):
        await read(BROKEN[fault], tmp_path)


def test_a_fence_without_an_end() -> None:
    with pytest.raises(ValueError, match="line 2"):
        list(read_blocks("\n```sh\ntrue\n"))


def test_what_a_page_leaves_out_may_be_anything() -> None:
    command = Command("", '{"id":"…","n":1}')
    assert command.matches('{"id":"a\nb","n":1}\n')
    assert not command.matches('{"id":"a","n":2}')
    assert not command.matches('{"id":"a","n":1} and more')


def test_ports_are_put_in_place_and_back() -> None:
    places = Places()
    text = "http://localhost:5000/a?n=5000 ws://x:5001 150000 5.5000 at 1883"
    here = places.to_here(text)
    assert "5000/a" not in here
    assert int(places.port(5001)) == int(places.port(5000)) + 1
    assert "150000 5.5000" in here
    assert places.to_page(here) == text


async def test_what_stays_is_ended_with_the_page(tmp_path: Path) -> None:
    page = "<!-- stays, saying: here -->\n```sh\nbash -c 'echo here; echo $$ > pid; exec sleep 600'\n```"
    await read(page, tmp_path)
    process = Path("/proc", (tmp_path / "pid").read_text().strip())
    assert not process.exists()


async def test_a_program_that_does_not_start_is_shown(tmp_path: Path) -> None:
    page = "<!-- stays, saying: x -->\n```sh\nno-such-program-at-all\n```"
    with pytest.raises(CommandFailed, match="no-such-program-at-all"):
        await read(page, tmp_path)
