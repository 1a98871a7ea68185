"""Mutates every spec of the repository and checks the result: whatever the input, there is an answer, and soon.

    python tests/properties/fuzz.py [--inputs 200000] [--seed 0] [--every] [--keep FOLDER]

Mutations are of tokens (left out, doubled, exchanged, moved, taken from another spec) and of characters. An input is a
finding when checking raises, gives a place outside the text, or takes longer than `SLOW` seconds. Findings are kept in a
folder; once mended they go to `tests/golden/bad/`.
"""

import argparse
import random
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from graphdsl.api import check_source
from graphdsl.text import Diagnostic, SourceText

ROOT = Path(__file__).parent.parent.parent
SLOW = 2.0
"""Seconds of processor time; the specs of the repository take a hundredth of it."""
TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|\#[^\n]*|\s+|\w+|-\[|\]->|<-\[|\]-|->|\*\*|.', re.DOTALL)
_WORDS = """
schema model train node edge metapath nodes edges repeat share drop predict combine weight budget reverse optional on
import amends replace graph sequential negatives keep_target from gnn { } ( ) [ ] -[ ]-> <-[ ]- -> : = , | ? . * ** + - / %
0 1 -1 64 1e9 20M 99999999999999999999 0.5 "" "\\" # true false none relu residual cat jump LayerNorm SAGEConv é 漢 ∞ 😀 ﬁ
"""
_CALLS = (
    "GATConv(8, heads = 4)",
    "HANConv(8)",
    "Embedding(4)",
    "MLP(8, 8)",
    '"a b"',
    "\x00",
    "\t",
    "\r\n",
    "\u2028",
    "\u0308",
)
_SOUP = (*_WORDS.split(), *_CALLS)

Mutation = Callable[[random.Random, list[str], list[list[str]]], list[str]]


def _drop(draw: random.Random, tokens: list[str], _all: list[list[str]]) -> list[str]:
    place = draw.randrange(len(tokens))
    return tokens[:place] + tokens[place + draw.choice((1, 1, 1, 2, 5, 30)) :]


def _double(draw: random.Random, tokens: list[str], _all: list[list[str]]) -> list[str]:
    place, count = draw.randrange(len(tokens)), draw.choice((1, 1, 3, 20))
    return tokens[: place + count] + tokens[place:]


def _exchange(draw: random.Random, tokens: list[str], _all: list[list[str]]) -> list[str]:
    tokens = list(tokens)
    tokens[draw.randrange(len(tokens))] = draw.choice(_SOUP)
    return tokens


def _insert(draw: random.Random, tokens: list[str], _all: list[list[str]]) -> list[str]:
    place = draw.randrange(len(tokens) + 1)
    return [*tokens[:place], draw.choice((" ", "")), draw.choice(_SOUP), draw.choice((" ", "")), *tokens[place:]]


def _swap(draw: random.Random, tokens: list[str], _all: list[list[str]]) -> list[str]:
    tokens = list(tokens)
    first, second = draw.randrange(len(tokens)), draw.randrange(len(tokens))
    tokens[first], tokens[second] = tokens[second], tokens[first]
    return tokens


def _splice(draw: random.Random, tokens: list[str], everything: list[list[str]]) -> list[str]:
    other = draw.choice(everything)
    place, start = draw.randrange(len(tokens)), draw.randrange(len(other))
    return tokens[:place] + other[start : start + draw.randrange(1, 60)] + tokens[place + draw.randrange(20) :]


def _cut(draw: random.Random, tokens: list[str], _all: list[list[str]]) -> list[str]:
    return tokens[: draw.randrange(1, len(tokens) + 1)]


def _rename(draw: random.Random, tokens: list[str], _all: list[list[str]]) -> list[str]:
    words = [place for place, token in enumerate(tokens) if token.isidentifier()]
    if not words:
        return tokens
    tokens = list(tokens)
    tokens[draw.choice(words)] = tokens[draw.choice(words)]
    return tokens


def _character(draw: random.Random, tokens: list[str], _all: list[list[str]]) -> list[str]:
    text = "".join(tokens)
    place = draw.randrange(len(text))
    return [
        text[:place],
        draw.choice(("", chr(draw.randrange(1, 0x3000)), draw.choice('{}()[]"#\n'))),
        text[place + 1 :],
    ]


MUTATIONS: tuple[Mutation, ...] = (
    _drop, _double, _exchange, _exchange, _insert, _insert, _swap, _splice, _cut, _rename, _rename, _character,
)  # fmt: skip


def seeds() -> list[str]:
    """Texts of all specs of the repository."""
    places = ("specs", "examples", "tests/golden")
    files = sorted(path for place in places for path in (ROOT / place).rglob("*.gnn"))
    return [path.read_text(encoding="utf-8", errors="replace") for path in files]


def outside(item: Diagnostic, source: SourceText) -> bool:
    """Whether a finding points to where there is no text."""
    for label in item.labels:
        span = label.span
        if span.file != source.name:
            continue
        if not 1 <= span.line <= span.end_line <= len(source.lines) or span.column < 1:
            return True
        if span.column > len(source.lines[span.line - 1]) + 1:
            return True
    return False


def examine(text: str) -> str | None:
    """What is wrong with the answer to a text, if anything."""
    source = SourceText("fuzz.gnn", text)
    start = time.process_time()
    try:
        found = check_source(source, pedantic=True)
    except Exception:
        return traceback.format_exc()
    spent = time.process_time() - start
    if spent > SLOW:
        return f"took {spent:.1f} s"
    wrong = next((item for item in found if outside(item, source)), None)
    return f"place outside the text: {wrong}" if wrong else None


def mutate(draw: random.Random, tokens: list[list[str]]) -> str:
    """A spec with one to four mutations."""
    mutated = draw.choice(tokens)
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        mutated = draw.choice(MUTATIONS)(draw, mutated, tokens)
        mutated = [token for token in mutated if token] or [" "]
    return "".join(mutated)


def every_slip(tokens: list[list[str]]) -> Iterator[str]:
    """Every prefix of every spec, and every spec without one token or with one twice."""
    for spec in tokens:
        for place, token in enumerate(spec):
            if not token.isspace():
                yield "".join(spec[: place + 1])
                yield "".join([*spec[:place], *spec[place + 1 :]])
                yield "".join([*spec[: place + 1], " ", *spec[place:]])


def _kind(problem: str) -> str:
    """What findings of one cause have in common: the last line, and the function that raised."""
    raised = re.findall(r"line \d+, in \w+", problem)
    return f"{problem.strip().splitlines()[-1][:60]} ({raised[-1] if raised else 'checking'})"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--inputs", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--every", action="store_true", help="every prefix, and every token left out or doubled, instead"
    )
    parser.add_argument("--longest", type=int, default=3000, help="characters of the longest spec that is mutated")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-findings"))
    options = parser.parse_args()
    draw = random.Random(options.seed)
    tokens = [TOKEN.findall(text) for text in seeds() if 0 < len(text) <= options.longest]
    texts = every_slip(tokens) if options.every else (mutate(draw, tokens) for _ in range(options.inputs))
    kinds: dict[str, int] = {}
    start = time.perf_counter()
    for number, text in enumerate(texts, 1):
        problem = examine(text)
        if problem is not None:
            kind = _kind(problem)
            kinds[kind] = kinds.get(kind, 0) + 1
            if kinds[kind] <= 3:
                options.keep.mkdir(exist_ok=True)
                (options.keep / f"{len(kinds)}-{kinds[kind]}.gnn").write_text(text, encoding="utf-8")
                print(f"input {number}: {problem}", flush=True)
        if number % 10_000 == 0:
            print(f"{number} inputs, {sum(kinds.values())} findings, {time.perf_counter() - start:.0f} s", flush=True)
    for kind, count in sorted(kinds.items()):
        print(f"{count:>6}  {kind}")
    return 1 if kinds else 0


if __name__ == "__main__":
    sys.exit(main())
