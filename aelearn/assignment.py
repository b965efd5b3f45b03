"""The assignment problem: pair rows with columns, each at most once, so that the sum over the pairs is best.

`linear_assignment` is for a dense table of costs: the Hungarian algorithm, one row after another.
`maximum_weight_matching` is for a sparse table of counts, of which only the cells that are not empty are stored: the
same algorithm, with all rows at once. A million clusters and a million classes make 10^12 cells, but at most N of them,
one for each sample, are not empty.

Both use prices, the dual variables of linear programming. Each row has a price u[i] and each column a price v[j] such
that no pair costs less than its two prices (or weighs more). Then the sum of all prices bounds what any choice of pairs
can cost (or weigh), and a choice whose pairs cost exactly their prices reaches the bound: it is optimal. Both change
prices until there is such a choice. Cells that cost (weigh) exactly their two prices are called tight: only they may
become pairs.

Shapes: C rows (classes), K columns (clusters), M cells that are not empty.
"""

import numpy as np

from aelearn.core.arrays import unit_of
from aelearn.core.validation import as_array, check_array


def linear_assignment(cost):
    """Pair rows with columns of cost (C, K), each at most once, min(C, K) pairs, so that the sum is smallest.

    Returns rows and columns, two index arrays, rows ascending. Raises ValueError for NaN, infinity and an empty table,
    and for integers of 2^53 or more, which float64 cannot distinguish.

    The Hungarian algorithm by shortest augmenting paths. The prices u[i] of rows and v[j] of columns are such that
    cost[i, j] >= u[i] + v[j] everywhere, with = for the pairs chosen so far. At the start they are the least costs of
    columns and rows, and each row is paired with its cheapest column, if that column still has no partner.

    The other rows are added one by one. A new row needs a path to a column without a partner: on a path from row i to
    column j, the partner of j must move on to another column, and so on. A step costs cost[i, j] - u[i] - v[j], and the
    cheapest path is taken: everyone on it moves on to the next column. The prices of the rows and columns that the
    search has reached change by how much nearer than the end of the path they were, which keeps both conditions true. A
    column that never gets a partner must keep the price 0, so columns have prices at the start only if C = K.

    Source: Jonker and Volgenant, "A shortest augmenting path algorithm" (1987).
    """
    cost = _check_cost(cost)  # (C, K)
    if cost.shape[0] > cost.shape[1]:
        columns, rows = linear_assignment(cost.T)
        order = np.argsort(rows)
        return rows[order], columns[order]
    n_rows, n_columns = cost.shape
    v = cost.min(axis=0) if n_rows == n_columns else np.zeros(n_columns)  # (K,)
    u = (cost - v).min(axis=1)  # (C,)
    row_of = np.full(n_columns, -1)  # the row that each column is paired with: (K,)
    row_of[(cost - v).argmin(axis=1)] = np.arange(n_rows)
    for new_row in np.setdiff1d(np.arange(n_rows), row_of):
        reached, distance, came_from = _shortest_path(cost, u, v, row_of, new_row)
        nearer = distance[-1] - distance  # than the end of the path: (columns reached,)
        u[new_row] += distance[-1]
        u[row_of[reached[:-1]]] += nearer[:-1]  # the end has no row
        v[reached] -= nearer
        column = reached[-1]
        while column >= 0:  # back along the path: each row moves on to the next column
            before = came_from[column]
            row_of[column] = new_row if before < 0 else row_of[before]
            column = before
    columns = np.flatnonzero(row_of >= 0)
    order = np.argsort(row_of[columns])
    return row_of[columns][order], columns[order]


def _shortest_path(cost, u, v, row_of, new_row):
    """The cheapest path from a row to a column without a partner, by Dijkstra's algorithm.

    Returns the columns that the search has reached, nearest first, of which the last is the end of the path; the costs
    of the paths to them; and came_from (K,), the column before each column on its path, or -1.
    """
    n_columns = cost.shape[1]
    ahead = np.full(n_columns, np.inf)  # the cost of the cheapest path so far to each column not yet reached: (K,)
    came_from = np.full(n_columns, -1)  # (K,)
    reached, distance = [], []
    open_v = v.copy()  # -inf for a column that is reached, so that no step leads there: (K,)
    row, column, length = new_row, -1, 0.0
    while row >= 0:  # until the path has reached a column without a partner
        step = cost[row] - open_v + (length - u[row])  # (K,)
        came_from[step < ahead] = column
        ahead = np.minimum(ahead, step)  # (K,)
        nearest = np.flatnonzero(ahead == ahead.min())
        column = int(nearest[row_of[nearest].argmin()])  # of equally near ones, one without a partner
        row, length = row_of[column], ahead[column]
        reached.append(column)
        distance.append(length)
        ahead[column], open_v[column] = np.inf, -np.inf
    return reached, np.array(distance), came_from


def _check_cost(cost):
    """The costs in float64, (C, K), in a unit in which sums of them neither overflow nor round to 0."""
    is_integer = as_array(cost, "cost").dtype.kind in "iuO"  # object: integers too large for NumPy's integer types
    cost = check_array(cost, name="cost", estimator="linear_assignment").astype(np.float64)
    if is_integer and np.abs(cost).max() >= 2**53:
        raise ValueError("cost holds integers of 2^53 or more, which float64 cannot distinguish: divide them, or "
                         "subtract the same number from all costs of a row, first")
    return unit_of(cost).scale(cost)


def maximum_weight_matching(rows, columns, weights):
    """The pairs of a row and a column, each at most once, that have the largest total weight, in a sparse table.

    rows, columns (M,) the position of each cell that is not empty, each position once, each row with at least one cell
    weights       (M,) int64, its weight: 1 or more, such as a count

    Returns which of the cells are chosen, (M,) bool. Time and memory depend on M, not on C times K.

    Prices u[i], v[j] >= 0 with u[i] + v[j] >= weights everywhere, and equal for the pairs. At the end a row or column
    without a partner has the price 0: then the pairs weigh the sum of all prices, which no other choice can exceed.
    At the start, each row's price is its heaviest cell. Then, as long as a row with a price above 0 has no partner:

    1. Grow a forest. Its roots are the rows without a partner; a tight cell leads from a row to a column, and from
       there to the column's partner. Each row and each column belongs to at most one tree. A tree ends at a column
       that is open: it has no partner, or one whose price is 0, which does not need a partner.
    2. If trees have an end: on the path from there back to the root, each row moves on to the next column. Trees have
       nothing in common, so all of this happens at once.
    3. If no tree has an end: lower the price of all rows in the forest and raise that of all its columns, until another
       cell is tight or the price of a row is 0.

    All numbers are integers, so each step 3 lowers prices by at least 1, and nothing is ever rounded. Only a cell that
    weighs at least its row's price can be tight. Prices fall slowly, so these are few cells of each row.

    Source: Kuhn, "The Hungarian method for the assignment problem" (1955); many trees at once: Hopcroft and Karp, "An
    n^(5/2) algorithm for maximum matchings in bipartite graphs" (1973).
    """
    table = _SparseTable(rows, columns, weights)
    u, v = table.weights[table.first[:-1]], np.zeros(table.shape[1], np.int64)  # (C,), (K,)
    column_of, row_of = np.full(len(u), -1), np.full(len(v), -1)  # the partner of each row and column: (C,), (K,)
    while ((column_of < 0) & (u > 0)).any():
        forest = _Forest(table, u, v, column_of, row_of)
        ends = forest.end[forest.end >= 0]  # (trees with an end,)
        if len(ends):
            forest.move(ends, column_of, row_of)
        else:
            forest.reprice(u, v)
    return columns == column_of[rows]


class _SparseTable:
    """The cells of a sparse table, row by row, in each row the heaviest first.

    first  (C + 1,) where the cells of each row start
    key    (M,) the numbers by which cells are sorted
    """

    def __init__(self, rows, columns, weights):
        self.shape = int(rows.max()) + 1, int(columns.max()) + 1  # C, K
        self.most = int(weights.max())
        key = self._key(rows, weights)  # (M,)
        order = np.argsort(key, kind="stable")  # so the order of equal cells is the same on all machines
        self.key, self.rows, self.columns, self.weights = key[order], rows[order], columns[order], weights[order]
        self.first = np.searchsorted(self.rows, np.arange(self.shape[0] + 1))  # (C + 1,)
        self.lighter = np.append(self.weights, 0)  # (M + 1,)

    def _key(self, rows, weights):
        return rows * (self.most + 1) + self.most - weights

    def end_of_view(self, rows, price):
        """For each of the rows, where the cells start that weigh less than its price."""
        return np.searchsorted(self.key, self._key(rows, price), side="right")

    def cells(self, rows, price):
        """The indices of all cells of these rows that weigh at least the row's price."""
        end = self.end_of_view(rows, price)
        sizes = end - self.first[rows]
        return np.repeat(end - np.cumsum(sizes), sizes) + np.arange(sizes.sum())

    def next_weight(self, rows, price):
        """For each of the rows, the heaviest cell that weighs less than its price, or 0."""
        end = self.end_of_view(rows, price)
        return np.where(end < self.first[rows + 1], self.lighter[end], 0)


class _Forest:
    """The trees of tight cells that grow from the rows without a partner.

    root    (C,) the row at the root of each row's tree, -1 outside the forest
    parent  (K,) the row that each column was reached from, -1 outside the forest
    end     (C,) for each root the open column that its tree has reached, or -1
    """

    def __init__(self, table, u, v, column_of, row_of):
        self.table = table
        self.parent, self.end = np.full(len(v), -1), np.full(len(u), -1)
        self.root = np.where((column_of < 0) & (u > 0), np.arange(len(u)), -1)
        rows = np.flatnonzero(self.root >= 0)  # the rows that the forest has just reached
        while len(rows):
            cells = table.cells(rows, u[rows])
            start, column = table.rows[cells], table.columns[cells]
            new = (self.parent[column] < 0) & (u[start] + v[column] == table.weights[cells])
            start, column = start[new], column[new]
            self.parent[column] = start  # if it is reached from several rows, the last one is its parent
            column = column[self.parent[column] == start]
            tree, partner = self.root[self.parent[column]], row_of[column]
            is_open = (partner < 0) | (u[partner] == 0)
            self.end[tree[is_open]] = column[is_open]
            on = self.end[tree] < 0  # a tree that has an end stops growing
            rows = partner[on]
            self.root[rows] = tree[on]

    def move(self, column, column_of, row_of):
        """Pair the columns at the ends with their parents, those parents' columns with theirs, and so on."""
        leaving = row_of[column]
        column_of[leaving[leaving >= 0]] = -1  # their price is 0
        while len(column):
            row = self.parent[column]
            before = column_of[row]
            column_of[row], row_of[column] = column, row
            column = before[before >= 0]

    def reprice(self, u, v):
        """Change the prices in the forest by as much as is possible at once."""
        inside = np.flatnonzero(self.root >= 0)
        cells = self.table.cells(inside, u[inside])
        cells = cells[self.parent[self.table.columns[cells]] < 0]  # the cells that lead out of the forest
        slack = u[self.table.rows[cells]] + v[self.table.columns[cells]] - self.table.weights[cells]
        change = (u[inside] - self.table.next_weight(inside, u[inside])).min()  # until lighter cells count, or u = 0
        change = slack.min(initial=change)
        u[inside] -= change
        v[self.parent >= 0] += change
