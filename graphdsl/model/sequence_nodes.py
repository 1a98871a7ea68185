"""Which nodes the values of a `sequential` block belong to: those of the data, or what a pooling has made of them."""

from collections.abc import Sequence

from graphdsl.catalog import Slot
from graphdsl.model.sequence_values import Value
from graphdsl.text import Diagnostic, Span, report

Read = Sequence[tuple[str | None, Value | None, Span]]
"""What a step reads: names, values, places."""


def set_on(value: Value, slot: Slot, side: int) -> int:
    """The set of nodes that a value has on a side; -1 for none."""
    if value.onto >= 0:
        return value.onto if side else value.nodes
    return value.nodes if slot.side == side else -1


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

    def check(self, read: Read, takes: Sequence[Slot]) -> None:
        """All values of one side must belong to the same nodes: a `batch` from before a pooling fits no longer."""
        known = [(n, v, s, at) for (n, v, at), s in zip(read, takes, strict=False) if v is not None]
        for side in (0, 1):
            self._check_side([(name, set_on(value, slot, side), at) for name, value, slot, at in known])

    def check_choice(self, read: Read, layer: str) -> None:
        """Values at an index must belong to the nodes among which it chooses."""
        (name, value, span), (_, index, _) = read[0], read[1]
        if value is None or index is None or index.kind != "index":
            return
        if value.nodes != self.before.get(index.nodes, 0):
            maker, made = self.makers[index.nodes]
            message = f"`{layer}` chooses among the nodes before `{maker}`, and `{name}` does not belong to them"
            self.found.append(report("GNN532", message, span, also=((made, f"`{maker}` chooses here"),)))

    def check_pairs(self, read: Read, takes: Sequence[Slot], layer: str) -> None:
        """Between two sets of nodes, everything that a layer reads of nodes is of both."""
        both = any(value is not None and value.onto >= 0 for _, value, _ in read)
        for (name, value, span), slot in zip(read, takes, strict=False):
            if not both or value is None or value.onto >= 0 or not {"pair", "links"} & {*slot.kinds}:
                continue
            if value.kind == "edges":
                message = f"`{layer}` reads rows of two sets of nodes, and `{name}` joins nodes of one"
                helps = ("search edges between the two: `knn(8): pos, pos1, batch, batch1 -> links`",)
            else:
                message = f"`{layer}` reads edges between two sets of nodes, and `{name}` is of one"
                helps = (f"give both: `pair: {name}, {name}1 -> both`",)
            self.found.append(report("GNN531", message, span, helps=helps))

    def _check_side(self, known: list[tuple[str | None, int, Span]]) -> None:
        known = [item for item in known if item[1] >= 0]
        if not known:
            return
        newest = max(nodes for _, nodes, _ in known)
        holder = next(name for name, nodes, _ in known if nodes == newest)
        for name, nodes, span in known:
            if nodes != newest:
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
