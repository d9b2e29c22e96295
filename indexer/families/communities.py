"""Communities of a graph; the one door to scikit-network."""

import numpy as np
from scipy.sparse import csr_array, csr_matrix
from sknetwork.clustering import Louvain

from indexer.families.graph import Graph
from indexer.types import Int64


def communities(graph: Graph, group: Int64) -> Int64:
    """(n,) numbers of the communities of greatest modularity in which no group is torn.

    The Louvain method (Blondel et al., 2008) on the graph with every `group` (n,) contracted to
    one node. The same graph gives the same numbers, which scikit-network's Leiden does not.
    """
    size = int(group.max(initial=-1)) + 1
    member = csr_array(
        (np.ones(len(group)), (np.arange(len(group)), group)), shape=(len(group), size)
    )
    contracted = csr_matrix(member.T @ graph @ member)
    if contracted.nnz == 0:
        return group
    found = Louvain(sort_clusters=False).fit_predict(contracted)
    return np.asarray(found, dtype=np.int64)[group]
