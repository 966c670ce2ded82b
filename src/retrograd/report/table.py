"""Tables for people: as text with aligned columns, and as HTML."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from html import escape


def text(head: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[int] = (),
         foot: Sequence[str] = ()) -> str:
    """The table as text; the columns `right` are aligned at their right end."""
    lines = [*([head] if head else []), *rows, *([foot] if foot else [])]
    widths = [max(len(line[k]) for line in lines) for k in range(len(head))]
    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    shown = ["  ".join(cell.rjust(w) if k in right else cell.ljust(w)
                       for k, (cell, w) in enumerate(zip(line, widths, strict=True))).rstrip()
             for line in lines]
    return "\n".join([shown[0], rule, *shown[1:len(rows) + 1],
                      *([rule, shown[-1]] if foot else [])])


def html(head: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[int] = (),
         code: Collection[int] = (), foot: Sequence[str] = ()) -> str:
    """The table as HTML; everything in it is escaped, and the columns `code` are code."""
    def line(cells: Sequence[str], tag: str) -> str:
        parts = []
        for k, cell in enumerate(cells):
            inner = escape(cell)
            if k in code and tag == "td" and cell:
                inner = f"<code>{inner}</code>"
            side = "right" if k in right else "left"
            parts.append(f'<{tag} style="text-align: {side}">{inner}</{tag}>')
        return f"<tr>{''.join(parts)}</tr>"

    body = "".join(line(row, "td") for row in rows)
    end = f"<tfoot>{line(foot, 'th')}</tfoot>" if foot else ""
    return f"<table><thead>{line(head, 'th')}</thead><tbody>{body}</tbody>{end}</table>"
