"""Noise between the tokens of a spec: blanks, line breaks and comments that mean nothing."""

from hypothesis import strategies as st

from graphdsl.syntax.formatting.pieces import tokens_of
from graphdsl.syntax.grammar import read_tree

GAPS = (
    " ",
    " ",
    " ",
    "  ",
    "\n",
    "\n",
    "\n\n",
    "\n\n\n\t",
    " # a comment\n",
    "\n# own line\n",
    "\n\n  # apart\n\n",
    "#\n#\n",
)


def words(text: str) -> list[str]:
    """Tokens of a spec and its comments, in order, without what is around them."""
    said: list[str] = []
    end = 0
    for token in tokens_of(read_tree(text)):
        said += [line.strip() for line in text[end : token.start_pos].splitlines()]
        said.append(str(token))
        end = (token.start_pos or 0) + len(token)
    said += [line.strip() for line in text[end:].splitlines()]
    return [word for word in said if word]


@st.composite
def noisy(draw: st.DrawFn, text: str) -> str:
    """The text with other gaps between its tokens."""
    out = draw(st.sampled_from(("", "", "\n", "# first\n\n")))
    sparse = draw(st.booleans())
    for token in tokens_of(read_tree(text)):
        out += str(token)
        out += " " if sparse and draw(st.integers(0, 9)) else draw(st.sampled_from(GAPS))
    return out
