"""Parameters: types, defaults, and which value wins."""

import math

import pytest

from graphdsl import SpecError, loads
from graphdsl.model import UNKNOWN, parse_assignment, read_parameters
from graphdsl.model.values import show
from graphdsl.text import Diagnostic

SPEC = loads("""
schema s { node a { x: float[3], y: class[2] }  edge a -[r]-> a }
model m(hidden: int = 2 ** 3, half: int = hidden / 2, rate: float = 1, how: string = "mean", wide: bool = true,
        sizes: list = [hidden, half], free: int) on s {
  edges { r: SAGEConv(hidden + half, aggr = how, bias = wide) } | dropout(rate / 4)
  nodes { a: MLP(sizes, free) }
  predict a.y
}
""")


def values(**given):
    program, found = SPEC.model().bind(given)
    assert not found
    return dict(program.parameters)


def test_defaults_read_parameters_before_them() -> None:
    assert values() == {
        "hidden": 8, "half": 4, "rate": 1.0, "how": "mean", "wide": True, "sizes": (8, 4), "free": UNKNOWN,
    }  # fmt: skip
    assert isinstance(values()["rate"], float)


def test_given_values_win_over_defaults_and_keep_their_types() -> None:
    found = values(hidden=16, rate=2, sizes=[1, 2], free=5)
    assert (found["hidden"], found["half"], found["rate"], found["sizes"], found["free"]) == (16, 4, 2.0, (1, 2), 5)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"hidden": 1.5}, "GNN202"),
        ({"hidden": True}, "GNN202"),
        ({"hidden": "8"}, "GNN202"),
        ({"hidden": None}, "GNN202"),
        ({"rate": "fast"}, "GNN202"),
        ({"rate": math.nan}, "GNN204"),
        ({"rate": math.inf}, "GNN204"),
        ({"hidden": 2**60}, "GNN204"),
        ({"sizes": [1, math.inf]}, "GNN204"),
        ({"sizes": 3}, "GNN202"),
        ({"wide": 1}, "GNN202"),
        ({"how": 3}, "GNN202"),
        ({"hiden": 3}, "GNN207"),
        ({"hidden": object()}, "GNN202"),
    ],
)
def test_values_that_do_not_fit(given: dict, code: str) -> None:
    program, found = SPEC.model().bind(given)
    assert program is None
    assert [item.code for item in found] == [code]


def test_every_wrong_value_is_reported_at_once() -> None:
    with pytest.raises(SpecError) as caught:
        SPEC.plan(hidden="x", rate="y", other=1)
    assert sorted(item.code for item in caught.value.diagnostics) == ["GNN202", "GNN202", "GNN207"]


def test_a_value_can_break_the_model() -> None:
    with pytest.raises(SpecError, match="GNN202"):
        SPEC.plan(sizes=["a"], free=3)
    with pytest.raises(SpecError, match="GNN204"):
        SPEC.plan(rate=8, free=3)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a=128", 128),
        ("a=0.5", 0.5),
        ("a=1e-3", 0.001),
        ("a=5E+2", 500.0),
        ("a=true", True),
        ("a=[1, 2e-1]", (1, 0.2)),
        ("a=mean", "mean"),
        ("a= b=c", "b=c"),
        ("a=nan", "nan"),
        ("a=infinity", "infinity"),
        ("a=", None),
        ("a='1'", "1"),
        (" a =1", 1),
    ],
)
def test_assignments(text: str, value: object) -> None:
    assert parse_assignment(text) == ("a", value)


@pytest.mark.parametrize(
    "text", ["a", "=3", " =3", "a=[1", "a={", "a=" + "[" * 5000, "a=2001-99-99", "a=!!python/object:os.system x"]
)
def test_assignments_that_cannot_be_read(text: str) -> None:
    found = parse_assignment(text)
    assert isinstance(found, Diagnostic)
    assert found.code == "GNN210"


def test_parameter_file(tmp_path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("hidden: 64\nrate: 1e-2\nsizes: [1, 2]\n# comment\n3: x\n", encoding="utf-8")
    assert read_parameters(str(path)) == {"hidden": 64, "rate": 0.01, "sizes": (1, 2), "3": "x"}
    path.write_text("", encoding="utf-8")
    assert read_parameters(str(path)) == {}


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"- 1\n- 2\n", "GNN210"),
        (b"7\n", "GNN210"),
        (b"a: [1\n", "GNN210"),
        (b"a: b: c\n", "GNN210"),
        (b"[" * 100_000, "GNN210"),
        (b"a: 2001-99-99\n", "GNN210"),
        (b"a: !!python/object/apply:os.system ['x']\n", "GNN210"),
        (b"\xff\xfe", "GNN002"),
    ],
)
def test_parameter_files_that_cannot_be_read(tmp_path, raw: bytes, code: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_bytes(raw)
    found = read_parameters(str(path))
    assert isinstance(found, Diagnostic)
    assert found.code == code
    assert str(path) in found.where
    assert read_parameters(str(tmp_path / "missing.yaml")).code == "GNN001"


def test_a_file_of_references_stays_small(tmp_path) -> None:
    """A list of lists of lists … by reference is shown, not expanded."""
    lines = ["a0: &a0 [x, x]", *(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30))]
    path = tmp_path / "p.yaml"
    path.write_text("\n".join(lines), encoding="utf-8")
    loaded = read_parameters(str(path))
    assert len(show(loaded["a29"])) < 200
    with pytest.raises(SpecError) as caught:
        SPEC.plan(**loaded)
    assert len(str(caught.value)) < 20_000


@pytest.mark.parametrize(
    ("value", "shown"),
    [(True, "true"), (None, "none"), ("a", '"a"'), ((1, "b"), '[1, "b"]'), (1.5, "1.5"), (UNKNOWN, "?")],
)
def test_values_are_shown_as_a_spec_writes_them(value: object, shown: str) -> None:
    assert show(value) == shown
