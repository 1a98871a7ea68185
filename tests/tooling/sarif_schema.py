"""The part of the SARIF 2.1.0 schema that graphdsl uses, and a check of values against it.

Written by hand after the OASIS schema: the same required properties, bounds and enumerations, and as there no property
beside those named. A shape is a type, an enumeration (a set), a list of a shape, or an object: names and shapes, `!` behind
a name that is required.
"""

from typing import Any


class Least(int):
    """A whole number, at least this."""


MESSAGE = {"text!": str, "markdown": str}
ARTIFACT_LOCATION = {"uri": str, "uriBaseId": str, "index": Least(-1)}
REGION = {
    "startLine!": Least(1),
    "startColumn": Least(1),
    "endLine": Least(1),
    "endColumn": Least(1),
    "snippet": {"text": str},
}
LOCATION = {
    "id": Least(-1),
    "physicalLocation": {"artifactLocation!": ARTIFACT_LOCATION, "region": REGION, "contextRegion": REGION},
    "logicalLocations": [{"name": str, "fullyQualifiedName": str, "kind": str}],
    "message": MESSAGE,
}
REPLACEMENT = {"deletedRegion!": REGION, "insertedContent": {"text": str}}
FIX = {
    "description": MESSAGE,
    "artifactChanges!": [{"artifactLocation!": ARTIFACT_LOCATION, "replacements!": [REPLACEMENT]}],
}
LEVEL = {"none", "note", "warning", "error"}
RULE = {
    "id!": str,
    "name": str,
    "shortDescription": MESSAGE,
    "fullDescription": MESSAGE,
    "help": MESSAGE,
    "helpUri": str,
    "defaultConfiguration": {"enabled": bool, "level": LEVEL},
}
RESULT = {
    "ruleId": str,
    "ruleIndex": Least(-1),
    "level": LEVEL,
    "message!": MESSAGE,
    "locations": [LOCATION],
    "relatedLocations": [LOCATION],
    "fixes": [FIX],
}
DRIVER = {"name!": str, "version": str, "semanticVersion": str, "informationUri": str, "rules": [RULE]}
LOG = {
    "$schema": str,
    "version!": {"2.1.0"},
    "runs!": [
        {"tool!": {"driver!": DRIVER}, "columnKind": {"utf16CodeUnits", "unicodeCodePoints"}, "results": [RESULT]}
    ],
}


def mismatches(value: Any, shape: Any = LOG, where: str = "") -> list[str]:
    """Where a value does not follow a shape."""
    if isinstance(shape, Least):
        fits = type(value) is int and value >= shape
        return [] if fits else [f"{where}: {value!r} is no whole number ≥ {int(shape)}"]
    if isinstance(shape, type):
        return [] if type(value) is shape else [f"{where}: {value!r} is no {shape.__name__}"]
    if isinstance(shape, set):
        return [] if value in shape else [f"{where}: {value!r} is none of {sorted(shape)}"]
    if isinstance(shape, list):
        if not isinstance(value, list):
            return [f"{where}: {value!r} is no array"]
        return [text for number, item in enumerate(value) for text in mismatches(item, shape[0], f"{where}[{number}]")]
    if not isinstance(value, dict):
        return [f"{where}: {value!r} is no object"]
    known = {name.rstrip("!"): inner for name, inner in shape.items()}
    missing = {name[:-1] for name in shape if name.endswith("!")} - set(value)
    found = [f"{where}: {sorted(missing)} missing"] * bool(missing)
    found += [f"{where}: `{name}` is not of the schema" for name in value if name not in known]
    return found + [
        text for name in value if name in known for text in mismatches(value[name], known[name], f"{where}.{name}")
    ]
