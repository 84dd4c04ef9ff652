"""What is kept about servients, so that it need not be said each time."""

from collections.abc import Callable
from pathlib import Path

import pytest

from servient.app import App
from servient.config import Config
from tests.cli.command import Ended, command
from tests.cli.test_failures import stranger
from tests.security.people import PRINCIPALS, TOKENS


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "wasm-servient" / "client.toml"
    path.parent.mkdir()
    path.touch(mode=0o600)
    return path


async def kept(file: Path, *words: str) -> Ended:
    return await command(*words, env={"XDG_CONFIG_HOME": str(file.parent.parent)})


async def test_each_servient_is_shown_its_own_token(
    file: Path, settings: Callable[..., Config]
) -> None:
    async with (
        App(settings(bindings=("http",), principals=PRINCIPALS)) as app,
        stranger(b"[]") as other,
    ):
        url = app.addresses()["http"]
        file.write_text(f'url = "{url}"\n["{url}/"]\ntoken = "{TOKENS["reader"]}"\n')
        assert (await kept(file, "things", "--json")).json
        (await kept(file, "things", "--token", "another")).failed(4)
        assert (await kept(file, "things", "--url", other.url, "--json")).json == []
        assert b"authorization" not in other.requests[0].lower()
        file.chmod(0o640)
        (await kept(file, "things")).failed(2, "others may read", "chmod 600")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x", "not TOML"), ("\udcff", "not TOML"), ("url = 5", "`url`"), ('tokn = "x"', "'tokn'"),
        ('["http://a"]\ntoken = 5', "'http://a'"), ('["http://a"]\ntokn = "secret"', "'http://a'"),
        ('url = "nonsense"', "no URL"),
    ],
)  # fmt: skip
async def test_what_is_wrong_in_it_is_told(text: str, said: str, file: Path) -> None:
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    ended = await kept(file, "things")
    ended.failed(2, said)
    assert "secret" not in ended.err
