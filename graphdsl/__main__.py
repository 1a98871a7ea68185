"""`python -m graphdsl` is the command `gnn`."""

import sys

from graphdsl.tooling.cli import main

sys.exit(main())
