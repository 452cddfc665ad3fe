"""Where in a TOML file a table of an array stands, for those who must mend it."""

import re


def line_of(text: str, name: str, no: int) -> int:
    """Give the line of the header of the array's table `no`, counted from 0; 1 where it has no header of its own."""
    header = re.compile(rf"^[ \t]*\[\[[ \t]*{re.escape(name)}[ \t]*\]\]", re.MULTILINE)
    found = [text.count("\n", 0, match.start()) + 1 for match in header.finditer(text)]
    return found[no] if no < len(found) else 1
