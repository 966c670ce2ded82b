"""Print one of the README's two commands: `readme_command.py run` or `readme_command.py test`.

A command is the shell block that follows the line `<!-- command: run -->` in README.md.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"


def command(name: str) -> str:
    """The text of the shell block that is marked with this name."""
    pattern = rf"<!-- command: {re.escape(name)} -->\s*```(?:sh|bash|shell)\n(.*?)```"
    found = re.findall(pattern, README.read_text(encoding="utf-8"), flags=re.DOTALL)
    if len(found) != 1:
        raise SystemExit(f"README.md has {len(found)} blocks marked {name!r}; one is needed")
    return str(found[0]).strip()


if __name__ == "__main__":
    print(command(sys.argv[1]))
