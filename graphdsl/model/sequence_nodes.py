"""Which nodes the values of a `sequential` block belong to: those of the data, or what a pooling has made of them."""

from collections.abc import Sequence

from graphdsl.model.sequence_values import Value
from graphdsl.text import Diagnostic, Span, report

Read = Sequence[tuple[str | None, Value | None, Span]]
"""What a step reads: names, values, places."""


class NodeSets:
    """Sets of nodes by number: 0 are those of the data; every pooling makes others. Problems go to `found`."""

    def __init__(self, found: list[Diagnostic]) -> None:
        self.found = found
        self.latest = 0
        self.makers: dict[int, tuple[str, Span]] = {}
        self.before: dict[int, int] = {}
        self.cells: dict[tuple[Span, int], int] = {}

    def begin(self, maker: str, span: Span, old: int) -> None:
        """A step that may make other nodes, of those in the set `old`."""
        self.latest += 1
        self.makers[self.latest] = (maker, span)
        self.before[self.latest] = max(old, 0)

    def merged(self, cluster: Value | None) -> int:
        """The nodes that the latest step makes; what is merged by the same clusters are the same, in the same order."""
        return self.latest if cluster is None else self.cells.setdefault(cluster.place, self.latest)

    def check(self, read: Read) -> None:
        """All values of nodes must belong to the same nodes: a `batch` from before a pooling fits no longer."""
        known = [(name, value, span) for name, value, span in read if value is not None and value.nodes >= 0]
        if not known:
            return
        newest = max(value.nodes for _, value, _ in known)
        holder = next(name for name, value, _ in known if value.nodes == newest)
        for name, value, span in known:
            if value.nodes != newest:
                maker, place = self.makers[newest]
                message = f"`{name}` is from before `{maker}`, `{holder}` from behind it: they belong to other nodes"
                also = ((place, f"`{maker}` makes other nodes"),)
                helps = (f"take `{name}` from that step too: name it behind its `->`",)
                self.found.append(report("GNN532", message, span, also=also, helps=helps))
                return

    def check_return(self, read: Read, layer: str) -> None:
        """Unpooling: rows of the nodes that a pooling made, and for `unpool` rows of those that it had."""
        if len(read) < 2 or any(value is None for _, value, _ in read):
            return
        (rows, x, place), (_, record, _) = read[0], read[1]
        if x is None or record is None or record.kind not in ("index", "record"):
            return
        maker, made = self.makers[record.nodes]
        also = ((made, f"`{maker}` makes other nodes"),)
        if x.nodes != record.nodes:
            message = f"`{layer}` goes back behind `{maker}`, and `{rows}` does not belong to the nodes that it made"
            self.found.append(report("GNN532", message, place, also=also))
        for name, value, span in read[2:]:
            if value is not None and value.nodes != self.before[record.nodes]:
                message = f"`{layer}` goes back to the nodes before `{maker}`, and `{name}` does not belong to them"
                self.found.append(report("GNN532", message, span, also=also))

    def returned(self, record: Value | None) -> int:
        """The nodes to which unpooling goes back."""
        return 0 if record is None else self.before.get(record.nodes, 0)
