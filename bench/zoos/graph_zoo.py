"""Small graph networks: over dense adjacency in batches, over edges in one graph or in graphs side by side."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch
from torch import nn

from .candidate import INDEX, Built, Candidate

NODES, EDGES, FEATURES, WIDTH = 9, 20, 5, 8
DENSE = ("convolution", "attention", "isomorphism", "pooling")
SPARSE = ("convolution", "attention", "messages")


class Dense(nn.Module):
    """A graph network over nodes (N, V, D) and adjacency (N, V, V)."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.first, self.second, self.head = nn.Linear(FEATURES, WIDTH), nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, 3)
        self.score = nn.Linear(WIDTH, 4 if kind == "pooling" else 1)

    def forward(self, nodes: torch.Tensor, adjacency: torch.Tensor) -> torch.Tensor:
        """Returns scores (N, 3)."""
        hidden = self._step(self.first(nodes), adjacency).relu()
        if self.kind == "pooling":  # Ying et al., DiffPool, NeurIPS 2018
            shares = self.score(hidden).softmax(-1)
            hidden, adjacency = shares.mT @ hidden, shares.mT @ adjacency @ shares
        scores: torch.Tensor = self.head(self._step(self.second(hidden), adjacency).mean(1))
        return scores

    def _step(self, hidden: torch.Tensor, adjacency: torch.Tensor) -> torch.Tensor:
        if self.kind == "attention":  # Veličković et al., Graph Attention Networks, ICLR 2018
            pairs = self.score(hidden) + self.score(hidden).mT
            return pairs.masked_fill(adjacency == 0, -9.0).softmax(-1) @ hidden
        if self.kind == "isomorphism":  # Xu et al., How Powerful are Graph Neural Networks?, ICLR 2019
            return 1.5 * hidden + torch.einsum("nij,njd->nid", adjacency, hidden)
        degree = adjacency.sum(-1, keepdim=True) + 1  # Kipf and Welling, ICLR 2017
        return (adjacency @ hidden + hidden) / degree


class Sparse(nn.Module):
    """A graph network over nodes (V, D) and edges (2, E) int64, or over nodes (N, V, D) that share the edges."""

    def __init__(self, kind: str, pooled: bool) -> None:
        super().__init__()
        self.kind, self.pooled = kind, pooled
        self.first, self.second, self.head = nn.Linear(FEATURES, WIDTH), nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, 3)
        self.pair = nn.Linear(2 * WIDTH, WIDTH if kind == "messages" else 1)

    def forward(self, nodes: torch.Tensor, edges: torch.Tensor) -> torch.Tensor:
        """Returns scores (V, 3) or (N, V, 3); pooled over the nodes, (3,) or (N, 3)."""
        hidden = self.head(self._step(self.second(self._step(self.first(nodes), edges).relu()), edges))
        return hidden.mean(-2) if self.pooled else hidden

    def _step(self, hidden: torch.Tensor, edges: torch.Tensor) -> torch.Tensor:
        source, target = edges
        sent = hidden.index_select(-2, source)
        if self.kind != "convolution":
            pairs = self.pair(torch.cat([sent, hidden.index_select(-2, target)], -1))
            sent = pairs.relu() if self.kind == "messages" else pairs.sigmoid() * sent
        return hidden + torch.zeros_like(hidden).index_add(-2, target, sent)


def graph_networks() -> Iterator[Candidate]:
    """Lists the networks."""
    for kind in DENSE:
        yield Candidate("graph", f"dense {kind}", partial(_dense, kind))
    for kind in SPARSE:
        for pooled in (False, True):
            of = "graph" if pooled else "nodes"
            yield Candidate("graph", f"edges, {kind}, {of}", partial(_sparse, kind, pooled, False))
            yield Candidate("graph", f"edges, {kind}, {of} in a batch", partial(_sparse, kind, pooled, True))


def _dense(kind: str) -> Built:
    generator = torch.Generator().manual_seed(0)
    nodes = torch.randn(3, NODES, FEATURES, generator=generator)
    adjacency = (torch.rand(3, NODES, NODES, generator=generator) < 0.4).float()
    return Built.from_batch(Dense(kind), {"nodes": nodes, "adjacency": adjacency})


def _sparse(kind: str, pooled: bool, batched: bool) -> Built:
    generator = torch.Generator().manual_seed(0)
    edges = torch.randint(0, NODES, (2, EDGES), generator=generator)
    nodes, model = torch.randn(3, NODES, FEATURES, generator=generator), Sparse(kind, pooled).eval()
    if not batched:
        return Built(model, {"nodes": nodes[0], "edges": edges}, None)
    return Built(model, {"nodes": nodes[INDEX : INDEX + 1], "edges": edges}, {"nodes": nodes, "edges": edges})
