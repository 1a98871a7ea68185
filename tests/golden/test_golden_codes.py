"""Every code of the phases that a spec alone can reach has a golden spec, or one of the tests named here."""

import re

from reading import BAD, HERE

from graphdsl.text import CODES

ELSEWHERE = {
    "GNN003": "text/test_text_source.py",  # files that are too large
    "GNN310": "catalog/test_catalog_packages.py",  # a package is not installed
    "GNN112": "plugins/test_plugins.py",  # what Python finds and what is installed, not the spec, is wrong
    "GNN113": "plugins/test_plugins.py",
    "GNN114": "plugins/test_plugins.py",
    "GNN115": "plugins/test_plugins.py",
    "GNN370": "plugins/test_plugins.py",
    "GNN371": "source/test_exporting.py",
    "GNN372": "source/test_reporting.py",
    "GNN373": "source/test_loops.py",
    "GNN402": "data/test_loading.py",  # a budget is exceeded by data
    "GNN542": "backends/test_block_embeddings.py",  # the data holds a number without a vector
}
UNREACHED_BY_SPECS = "69"
"""Phases of data and of defects."""


def test_every_code_has_a_spec_that_triggers_it() -> None:
    seen = {code for path in BAD for code in re.findall(r"^# expect: (GNN\d+)", path.read_text(errors="replace"), re.M)}
    wanted = {item.code for item in CODES if item.code[3] not in UNREACHED_BY_SPECS}
    missing = sorted(wanted - seen - set(ELSEWHERE))
    form = (
        "write tests/golden/bad/NAME.gnn, run `pytest tests/golden --update-golden`, and read what it says at its end"
    )
    assert not missing, f"no bad spec gives {', '.join(missing)}: {form}"
    assert not set(ELSEWHERE) & seen, "codes with a bad spec are not listed as reached elsewhere"


def test_codes_without_a_spec_are_triggered_elsewhere() -> None:
    for code, file in ELSEWHERE.items():
        assert f'"{code}"' in (HERE.parent / file).read_text(encoding="utf-8"), code


def test_codes_are_distinct_sorted_and_explained() -> None:
    codes = [item.code for item in CODES]
    assert codes == sorted(set(codes))
    assert len({item.name for item in CODES}) == len(CODES)
    assert all(re.fullmatch(r"GNN\d{3}", code) for code in codes)
    assert all(re.fullmatch(r"[a-z0-9-]+", item.name) for item in CODES)
    assert all(item.why.endswith(".") for item in CODES)
