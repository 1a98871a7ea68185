"""What `pyg-lib` brings, written plainly: layers that search neighbours can be run where it is not installed."""

import pytest
import torch
import torch_geometric.typing
from torch import Tensor
from torch_geometric.nn.conv import spline_conv

from graphdsl.catalog import packages

_LIBRARY = torch.library.Library("pyg", "FRAGMENT")
_ENDS = "Tensor x, Tensor y, Tensor? ptr_x, Tensor? ptr_y"


def _groups(ptr: Tensor | None, count: int) -> Tensor:
    """The graph of each row."""
    sizes = torch.tensor([count]) if ptr is None else ptr.diff()
    return torch.repeat_interleave(torch.arange(len(sizes)), sizes)


def _distances(x: Tensor, y: Tensor, ptr_x: Tensor | None, ptr_y: Tensor | None) -> Tensor:
    """From each row of y to each of x, infinite between graphs."""
    apart = _groups(ptr_y, len(y))[:, None] != _groups(ptr_x, len(x))[None, :]
    return torch.cdist(y.detach(), x.detach()).masked_fill(apart, torch.inf)


def _knn(x, y, ptr_x, ptr_y, k, cosine, num_workers) -> Tensor:
    assert not cosine
    distance, nearest = _distances(x, y, ptr_x, ptr_y).topk(min(k, len(x)), largest=False)
    kept = distance.isfinite()
    return torch.stack([torch.arange(len(y))[:, None].expand_as(nearest)[kept], nearest[kept]])


def _radius(x, y, ptr_x, ptr_y, r, most, num_workers, ignore_same_index) -> Tensor:
    near = _distances(x, y, ptr_x, ptr_y) <= r
    if ignore_same_index:
        near.fill_diagonal_(False)
    return torch.stack(torch.where(near & (near.cumsum(1) <= most)))


def _fps(src, ptr, ratio, random_start) -> Tensor:
    """The first of each graph, then always the one that is farthest from those before."""
    chosen = []
    for first, last in zip(ptr[:-1].tolist(), ptr[1:].tolist(), strict=True):
        points, found = src[first:last].detach(), [0]
        for _ in range(int(torch.tensor((last - first) * ratio).ceil()) - 1):
            found.append(int(torch.cdist(points, points[found]).amin(1).argmax()))
        chosen += [first + number for number in found]
    return torch.tensor(chosen)


def _nearest(x, y, ptr_x, ptr_y) -> Tensor:
    return _distances(y, x, ptr_y, ptr_x).argmin(1)


def _graclus(rowptr, col, weight) -> Tensor:
    """Each node with its first free neighbour, or the heaviest edge; the lower number is the cluster."""
    count, weight = len(rowptr) - 1, None if weight is None else weight.detach()
    cluster = torch.full((count,), -1)
    for node in range(count):
        places = range(int(rowptr[node]), int(rowptr[node + 1]))
        free = [place for place in places if cluster[col[place]] < 0 and int(col[place]) != node]
        if cluster[node] < 0:
            best = max(free, key=lambda place: 0.0 if weight is None else float(weight[place]), default=None)
            other = node if best is None else int(col[best])
            cluster[node] = cluster[other] = min(node, other)
    return cluster


def _grid_cluster(pos, size, start, end) -> Tensor:
    low = pos.amin(0) if start is None else start
    high = pos.amax(0) if end is None else end
    cells = ((high - low) / size).long() + 1
    place = ((pos - low) / size).long()
    step = torch.cat([torch.ones(1, dtype=torch.long), cells[:-1].cumprod(0)])
    return (place * step).sum(1)


def _spline_basis(pseudo, kernel_size, is_open_spline, degree) -> tuple[Tensor, Tensor]:
    """One knot for each edge, the nearest below, with a weight that follows its coordinates: no spline, the same shapes."""
    steps = torch.cat([torch.ones(1, dtype=torch.long), kernel_size[:-1].cumprod(0)])
    place = ((pseudo.detach().sigmoid() * kernel_size).long() * steps).sum(1, keepdim=True)
    share = (pseudo * (1 + is_open_spline)).sum(1, keepdim=True) * degree
    return share, place


def _spline_weighting(x, weight, basis, index) -> Tensor:
    return torch.einsum("ei,esio,es->eo", x, weight[index], basis)


def _define() -> None:
    _LIBRARY.define(f"knn({_ENDS}, int k, bool cosine, int num_workers) -> Tensor")
    _LIBRARY.define(f"radius({_ENDS}, float r, int most, int num_workers, bool ignore_same_index) -> Tensor")
    _LIBRARY.define("grid_cluster(Tensor pos, Tensor size, Tensor? start, Tensor? end) -> Tensor")
    _LIBRARY.define("fps(Tensor src, Tensor ptr, float ratio, bool random_start) -> Tensor")
    _LIBRARY.define(f"nearest({_ENDS}) -> Tensor")
    _LIBRARY.define("graclus_cluster(Tensor rowptr, Tensor col, Tensor? weight) -> Tensor")
    made = {"knn": _knn, "radius": _radius, "grid_cluster": _grid_cluster}
    made |= {"fps": _fps, "nearest": _nearest, "graclus_cluster": _graclus}
    for name, function in made.items():
        _LIBRARY.impl(name, function, "CompositeExplicitAutograd")


if not torch_geometric.typing.WITH_PYG_LIB:
    _define()


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make PyG and us believe that `pyg-lib` is here, unless it is."""
    if torch_geometric.typing.WITH_PYG_LIB:
        return
    for flag in ("WITH_KNN", "WITH_RADIUS", "WITH_GRID_CLUSTER", "WITH_FPS", "WITH_NEAREST", "WITH_GRACLUS"):
        monkeypatch.setattr(torch_geometric.typing, flag, True)
    monkeypatch.setattr(spline_conv, "spline_basis", _spline_basis)
    monkeypatch.setattr(spline_conv, "spline_weighting", _spline_weighting)
    is_here = packages._is_here
    monkeypatch.setattr(packages, "_is_here", lambda item: item.name == "pyg-lib" or is_here(item))
