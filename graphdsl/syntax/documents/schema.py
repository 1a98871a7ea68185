"""The JSON Schema of specs in YAML and JSON: ``python -m graphdsl.syntax.documents.schema > grammar/gnn.schema.json``."""

import json
from typing import Any, cast

from graphdsl.syntax.documents.models import Document


def _any_of(item: Any) -> Any:
    """`anyOf` for `oneOf`: alternatives need not exclude each other."""
    if isinstance(item, list):
        return [_any_of(part) for part in cast(list[Any], item)]
    if isinstance(item, dict):
        pairs = cast(dict[str, Any], item).items()
        return {"anyOf" if key == "oneOf" else key: _any_of(value) for key, value in pairs}
    return item


def schema_text() -> str:
    """The schema as it lies in `grammar/gnn.schema.json`."""
    made = _any_of(Document.model_json_schema(by_alias=True))
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "graphdsl spec in YAML or JSON"}
    return (
        json.dumps(head | {key: value for key, value in made.items() if key != "title"}, indent=1, ensure_ascii=False)
        + "\n"
    )


if __name__ == "__main__":
    print(schema_text(), end="")
