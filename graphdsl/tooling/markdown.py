"""Markdown of our own pages on a terminal: headings, code and lists, without a Markdown package to load."""

import re

_BOLD, _CODE, _FRAME, _RESET = "\x1b[1m", "\x1b[36m", "\x1b[1;34m", "\x1b[0m"
_INLINE = re.compile(r"`([^`\n]+)`")


def show_markdown(text: str) -> str:
    """Headings in bold without their signs, blocks of code set off by a bar, other code coloured.

    >>> show_markdown("## Bad").replace(_BOLD, "<b>").replace(_RESET, "</b>")
    '<b>Bad</b>'
    """
    lines: list[str] = []
    inside = False
    for line in text.splitlines():
        if line.startswith("```"):
            inside = not inside
        elif inside:
            lines.append(f"{_FRAME}  |{_RESET} {line}".rstrip())
        elif line.startswith("#"):
            lines.append(f"{_BOLD}{line.lstrip('# ')}{_RESET}")
        else:
            lines.append(_INLINE.sub(rf"{_CODE}\1{_RESET}", line))
    return "\n".join(lines)
