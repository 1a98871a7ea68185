"""The page on plans says what the records say, and printed plans have what the page says."""

import dataclasses
import json

import plan_records

from graphdsl import loads

SPEC = """schema s {
  node a { x: float[4], y: class[2] }
  edge a -[r]-> a
}
model m on s {
  h0 = nodes { a: Linear(8) } | relu
  h1 = edges { r: GATConv(8) } | residual
  cat(h0, h1)
  predict a.y
}
"""


def test_the_page_is_up_to_date() -> None:
    assert plan_records.PAGE.read_text(encoding="utf-8") == plan_records.page(), "python tests/docs/plan_records.py"


def test_json_has_the_fields_of_the_records() -> None:
    found = json.loads(loads(SPEC).plan().to_json())
    records = {record.__name__: {item.name for item in dataclasses.fields(record)} for record in plan_records.RECORDS}
    assert set(found) == records["Plan"] | {"format"}
    for item in (*found["stages"], *found["heads"]):
        assert set(item) == records[item["kind_of"]] | {"kind_of"}
    assert set(found["stages"][1]["steps"][0]) == records["RelationStep"]
    assert set(found["stages"][0]["steps"][0]["module"]) == records["ModuleSpec"]
