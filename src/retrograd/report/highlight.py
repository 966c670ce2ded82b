"""Python source in colours, for terminals and notebooks."""

from __future__ import annotations


def terminal(source: str) -> str:
    """The source with the escape sequences of a terminal."""
    from pygments import highlight
    from pygments.formatters import TerminalFormatter
    from pygments.lexers import PythonLexer

    return str(highlight(source, PythonLexer(), TerminalFormatter()))


def html(source: str) -> str:
    """The source as HTML that carries its own styles."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    return str(highlight(source, PythonLexer(), HtmlFormatter(noclasses=True)))
