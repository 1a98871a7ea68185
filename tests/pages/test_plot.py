"""Plots: every point is there, within its axes, and texts are escaped."""

from xml.etree import ElementTree

import pytest

from graphdsl.pages import Panel, line_plot

SVG = "{http://www.w3.org/2000/svg}"


def parsed(*panels: Panel, note: str = "") -> ElementTree.Element:
    return ElementTree.fromstring(line_plot("a < b", "edges", panels, note))


def test_points_stand_where_their_logarithms_are() -> None:
    root = parsed(Panel("seconds", {"pyg": [(10, 1.0), (100, 10.0), (1000, 100.0)]}, str))
    xs, ys = ([float(item.attrib[key]) for item in root.iter(f"{SVG}circle")] for key in ("cx", "cy"))
    assert xs[1] - xs[0] == pytest.approx(xs[2] - xs[1], abs=0.2)
    assert ys[0] - ys[1] == pytest.approx(ys[1] - ys[2], abs=0.2)
    assert xs == sorted(xs)
    assert ys == sorted(ys, reverse=True)


def test_lines_of_a_name_are_alike_in_all_panels() -> None:
    one, two = {"a": [(1.0, 2.0)], "b": [(1.0, 3.0)]}, {"b": [(1.0, 4.0)]}
    root = parsed(Panel("left", one, str), Panel("right", two, str))
    colours = [item.attrib["stroke"] for item in root.iter(f"{SVG}polyline")]
    assert colours[1] == colours[2] != colours[0]


def test_what_has_no_logarithm_is_left_out() -> None:
    root = parsed(Panel("seconds", {"a": [(1.0, 0.0), (2.0, float("inf")), (3.0, 1.0)], "b": []}, str))
    assert len(list(root.iter(f"{SVG}circle"))) == 1


def test_an_empty_plot_is_a_plot() -> None:
    root = parsed(Panel("seconds", {}, str), note="nothing was <measured>")
    texts = [item.text for item in root.iter(f"{SVG}text")]
    assert "a < b" in texts
    assert "nothing was <measured>" in texts


def test_everything_is_inside_the_picture() -> None:
    root = parsed(Panel("s", {"a": [(x, x**1.5) for x in (7, 90, 12345)]}, str), Panel("m", {"a": [(3, 5)]}, str))
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for item in root.iter(f"{SVG}circle"):
        assert 0 < float(item.attrib["cx"]) < width
        assert 0 < float(item.attrib["cy"]) < height
