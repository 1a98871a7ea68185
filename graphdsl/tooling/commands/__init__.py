"""One command per module: `add_parser(subparsers)` and `run(arguments) -> exit code`."""
