"""Who is paired with whom? Rows with columns, each at most once, so that the sum over the pairs is best.

`linear_assignment` is for a dense table of costs: the Hungarian algorithm, one row after the other.
`maximum_weight_matching` is for a sparse table of counts, of which only the cells that are not empty are stored: the
same algorithm, with all rows at once. A million clusters against a million classes have 10^12 cells, but at most N of
them, one for each sample, are not empty.

Both use prices. Give each row a price u[i] and each column a price v[j] such that no pair costs less than its two
prices (or weighs more): then the prices together bound what any choice of pairs can cost (or weigh). A choice whose
pairs cost just their prices reaches the bound, so it is the best one. Both algorithms change prices until there is
such a choice. The cells that cost (weigh) just their two prices are called tight: only they may become pairs.

Shapes: C rows (classes), K columns (clusters), M cells that are not empty.
"""

import numpy as np

from aelearn.core.arrays import unit_of
from aelearn.core.validation import as_array, check_array


def linear_assignment(cost):
    """Pair rows with columns of cost (C, K), each at most once, min(C, K) pairs, so that the sum is smallest.

    Returns rows and columns, two index arrays, rows ascending. Raises ValueError for NaN, infinity and an empty table,
    and for integers of 2^53 or more, which float64 cannot tell apart.

    The Hungarian algorithm by shortest augmenting paths. Each row i has a price u[i], each column j a price v[j], such
    that cost[i, j] >= u[i] + v[j] everywhere, and equal on the pairs chosen so far: then no choice of as many pairs is
    cheaper. At the start, the prices are the least costs of columns and rows, and each row is paired with its cheapest
    column, where that is still without a partner.

    Rows that are left join one by one. The new row looks for the cheapest way to a column that has no partner yet,
    where taking a column that has one means that its old partner must move on; the cost of a step from row i to column
    j is cost[i, j] - u[i] - v[j]. Then everybody on that way moves. The prices of the rows and columns that the search
    has passed change by how much nearer than the end they were, which keeps the two conditions true. A column that
    stays without a partner must have the price 0 to the end, so columns have prices at the start only where C = K.

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
        ahead = np.full(n_columns, np.inf)  # the cheapest way from the new row to each column not yet done: (K,)
        came_from = np.full(n_columns, -1)  # the column before it on that way: (K,)
        done, distance = [], []  # columns in the order of their ways, and the costs of these
        open_v = v.copy()  # (K,) -inf where a column is done: no way leads there
        row, column, length = new_row, -1, 0.0
        while row >= 0:  # until the way has reached a column without a partner
            step = cost[row] - open_v + (length - u[row])  # (K,)
            came_from[step < ahead] = column
            ahead = np.minimum(ahead, step)  # (K,)
            nearest = np.flatnonzero(ahead == ahead.min())
            column = int(nearest[row_of[nearest].argmin()])  # of equally near ones, one without a partner
            row, length = row_of[column], ahead[column]
            done.append(column)
            distance.append(length)
            ahead[column], open_v[column] = np.inf, -np.inf
        nearer_than_end = length - np.array(distance)  # (columns done,); 0 for the end, which has no row
        u[new_row] += length
        u[row_of[done[:-1]]] += nearer_than_end[:-1]
        v[done] -= nearer_than_end
        while column >= 0:  # backwards along the way, everybody moves on to the next column
            before = came_from[column]
            row_of[column] = new_row if before < 0 else row_of[before]
            column = before
    columns = np.flatnonzero(row_of >= 0)
    order = np.argsort(row_of[columns])
    return row_of[columns][order], columns[order]


def _check_cost(cost):
    """The costs in float64, (C, K), at a scale where sums of them neither overflow nor round to 0."""
    is_integer = as_array(cost, "cost").dtype.kind in "iuO"  # object: integers that no integer of NumPy's can hold
    cost = check_array(cost, name="cost", estimator="linear_assignment").astype(np.float64)
    if is_integer and np.abs(cost).max() >= 2**53:
        raise ValueError("cost holds integers of 2^53 or more, which float64 cannot tell apart: divide them, or "
                         "subtract the same number from all costs of a row, first")
    return unit_of(cost).scale(cost)


def maximum_weight_matching(rows, columns, weights):
    """The pairs of a row and a column, each at most once, that weigh most together, in a sparse table.

    rows, columns (M,) the place of each cell that is not empty, each place once, each row with one cell at least
    weights       (M,) int64, what it weighs: 1 or more, such as a count

    Returns which of the cells are chosen, (M,) bool. Time and memory depend on M, not on C times K.

    Prices u[i], v[j] >= 0 with u[i] + v[j] >= weights everywhere, and equal on the pairs. At the end a row or column
    without a partner has the price 0: then the pairs weigh the sum of all prices, which no other choice can exceed.
    At the start, each row's price is its heaviest cell. Then, until no row with a price is without a partner:

    1. Grow a forest. Its roots are the rows without a partner; a tight cell leads from a row to a column, and from
       there to the column's partner. Each row and each column belongs to one tree at most. A tree ends at a column
       that is open: it has no partner, or one whose price is 0, which may as well stay alone.
    2. Trees that have an end: on the way back to the root, everybody moves on to the next column. Trees have nothing
       in common, so all move at once.
    3. No tree has an end: lower the price of all rows in the forest and raise that of all its columns, until another
       cell is tight or the price of a row is 0.

    All numbers are integers, so each step 3 lowers the prices by 1 at least, and nothing is ever rounded. A cell can
    only be tight if it weighs its row's price or more. Prices fall slowly, so these are a few cells of each row.

    Source: Kuhn, "The Hungarian method for the assignment problem" (1955); many trees at once: Hopcroft and Karp, "An
    n^(5/2) algorithm for maximum matchings in bipartite graphs" (1973).
    """
    table = _SparseTable(rows, columns, weights)
    u, v = table.weights[table.first[:-1]], np.zeros(table.shape[1], np.int64)  # (C,), (K,)
    column_of, row_of = np.full(len(u), -1), np.full(len(v), -1)  # who is paired with whom: (C,), (K,)
    while ((column_of < 0) & (u > 0)).any():
        forest = _Forest(table, u, v, column_of, row_of)
        ends = forest.end[forest.end >= 0]  # (trees with an end,)
        if len(ends):
            forest.move(ends, column_of, row_of)
        else:
            forest.reprice(u, v)
    return columns == column_of[rows]


class _SparseTable:
    """The cells of a sparse table, row after row, and in each row the heaviest first; `first` (C + 1,) starts rows."""

    def __init__(self, rows, columns, weights):
        self.shape = int(rows.max()) + 1, int(columns.max()) + 1  # C, K
        self.most = int(weights.max())
        key = self._key(rows, weights)  # (M,)
        order = np.argsort(key, kind="stable")  # of equal cells the same one is first everywhere
        self.key, self.rows, self.columns, self.weights = key[order], rows[order], columns[order], weights[order]
        self.first = np.searchsorted(self.rows, np.arange(self.shape[0] + 1))  # (C + 1,)
        self.lighter = np.append(self.weights, 0)  # (M + 1,)

    def _key(self, rows, weights):
        return rows * (self.most + 1) + self.most - weights

    def end_of_view(self, rows, price):
        """For each of the rows, where its cells begin that weigh less than its price."""
        return np.searchsorted(self.key, self._key(rows, price), side="right")

    def cells(self, rows, price):
        """The numbers of all cells of these rows that weigh the row's price or more."""
        end = self.end_of_view(rows, price)
        sizes = end - self.first[rows]
        return np.repeat(end - np.cumsum(sizes), sizes) + np.arange(sizes.sum())

    def next_weight(self, rows, price):
        """For each of the rows, the heaviest cell that weighs less than its price, or 0."""
        end = self.end_of_view(rows, price)
        return np.where(end < self.first[rows + 1], self.lighter[end], 0)


class _Forest:
    """The trees of tight cells that grow from all rows without a partner.

    root    (C,) the row at the root of each row's tree, -1 outside the forest
    parent  (K,) the row that each column was reached from, -1 outside the forest
    end     (C,) for each root the open column that its tree has reached, or -1
    """

    def __init__(self, table, u, v, column_of, row_of):
        self.table = table
        self.parent, self.end = np.full(len(v), -1), np.full(len(u), -1)
        self.root = np.where((column_of < 0) & (u > 0), np.arange(len(u)), -1)
        rows = np.flatnonzero(self.root >= 0)  # those that the forest has just reached
        while len(rows):
            cells = table.cells(rows, u[rows])
            start, column = table.rows[cells], table.columns[cells]
            new = (self.parent[column] < 0) & (u[start] + v[column] == table.weights[cells])
            start, column = start[new], column[new]
            self.parent[column] = start  # reached from several rows: the last one is its parent
            column = column[self.parent[column] == start]
            tree, partner = self.root[self.parent[column]], row_of[column]
            is_open = (partner < 0) | (u[partner] == 0)
            self.end[tree[is_open]] = column[is_open]
            on = self.end[tree] < 0  # a tree that has an end need not grow
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
        """Change the prices in the forest by as much as they can be changed at once."""
        inside = np.flatnonzero(self.root >= 0)
        cells = self.table.cells(inside, u[inside])
        cells = cells[self.parent[self.table.columns[cells]] < 0]  # those that lead out of the forest
        slack = u[self.table.rows[cells]] + v[self.table.columns[cells]] - self.table.weights[cells]
        change = (u[inside] - self.table.next_weight(inside, u[inside])).min()  # lighter cells come into view, or u = 0
        change = slack.min(initial=change)
        u[inside] -= change
        v[self.parent >= 0] += change
