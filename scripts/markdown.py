"""Parts that all writers of reference pages share."""

import re
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
DOCS: Final = ROOT / "docs"
NOTICE: Final = "<!-- Written by `make docs`; changes made here are lost. -->\n\n"

WIDTH: Final = 100
_MARKER: Final = re.compile(r"\s*(?:[-*] |\d+\. )?")
_CODE: Final = re.compile(r"`[^`]*`")
# Stands for a space within code, where a line must not break.
_SPACE: Final = "\x01"


def table(head: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table."""
    columns = list(head)
    lines: list[Iterable[object]] = [columns, ["---"] * len(columns), *rows]
    return "".join(
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |\n" for line in lines
    )


def wrap_lines(text: str) -> str:
    """Return a page with its long lines wrapped; code blocks, tables and headings stay."""
    lines: list[str] = []
    is_code = False
    for line in text.split("\n"):
        is_code ^= line.lstrip().startswith("```")
        if is_code or len(line) <= WIDTH or line.lstrip().startswith(("#", "|", "![", "```")):
            lines.append(line)
        else:
            lines += _wrap(line)
    return "\n".join(lines)


def _wrap(line: str) -> list[str]:
    marker = _MARKER.match(line)
    indent = " " * (marker.end() if marker is not None else 0)
    whole = _CODE.sub(lambda code: code[0].replace(" ", _SPACE), line)
    wrapped = textwrap.wrap(
        whole, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return [piece.replace(_SPACE, " ") for piece in wrapped]
