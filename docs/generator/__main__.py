"""`python -m docs.generator`: write docs/reference/; with `--check`, only say whether that is needed."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from docs.generator.commands import commands
from docs.generator.errors import errors
from docs.generator.host_imports import host_imports
from docs.generator.paths import paths
from docs.generator.settings import settings
from docs.generator.things import things
from docs.generator.vocabulary import vocabulary

FOLDER = Path(__file__).parents[1] / "reference"
PAGES: Mapping[str, Callable[[], str]] = {
    "settings": settings,
    "commands": commands,
    "paths": paths,
    "errors": errors,
    "things": things,
    "vocabulary": vocabulary,
    "host-imports": host_imports,
}


def main() -> int:
    is_check = sys.argv[1:] == ["--check"]
    stale = 0
    for name, write in PAGES.items():
        file, text = FOLDER / f"{name}.md", write()
        if file.is_file() and file.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        if not is_check:
            file.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{file.name}: {'out of date' if is_check else 'written'}\n")
    return 1 if is_check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
