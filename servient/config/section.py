"""What the sections of the settings are made of."""

import re
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, ConfigDict
from pydantic_settings import NoDecode

PREFIX = "WASM_SERVIENT_"

Item = TypeVar("Item")


class Section(BaseModel):
    """Settings about one thing. `Config` is all sections at once: their names are one flat space."""

    # Built when it is used: of the sections only `Config` is, and of that what `load_config` makes.
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, defer_build=True)


class Entry(BaseModel):
    """A table of the configuration file, of which a setting holds several."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


def also(name: str, *aliases: str) -> Any:
    """A setting's own variable, and those that users of a wasmiot supervisor set already."""
    return AliasChoices(name, PREFIX + name.upper(), *aliases)


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value


def _is_of_the_web(value: str) -> str:
    url = urlsplit(value)
    is_web = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    if not is_web or not re.fullmatch(r"[!-~]+", value):
        raise ValueError("it is given as http[s]://host[:port]")
    return value


# In a variable or an argument, with commas between them.
Listed = Annotated[tuple[Item, ...], NoDecode, BeforeValidator(_split)]
WebUrl = Annotated[str, AfterValidator(_is_of_the_web)]
