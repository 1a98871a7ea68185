"""Findings for programs: JSON, SARIF, GitHub annotations. `graphdsl/tooling/README.md` describes each format."""
