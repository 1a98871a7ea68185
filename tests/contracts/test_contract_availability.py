"""What the catalogue promises is in the installed PyG, whichever supported version that is."""

from availability import absent

from graphdsl.catalog import entries, is_met, since_pyg


def test_everything_promised_is_there() -> None:
    assert absent() == []


def test_nothing_is_promised_for_a_pyg_that_does_not_exist_yet() -> None:
    versions = [item.since for entry in entries() for item in entry.parameters if item.since]
    assert "2.8" in versions
    assert all(is_met(since_pyg(version)) for version in versions)
