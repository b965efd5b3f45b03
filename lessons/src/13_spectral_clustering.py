# %% [markdown]
# # 13 · Spectral clustering
#
# k-means asks how far a point is from a centre. Here is a different question: which points is a point close to, which
# points are those close to, and so on? Points that are connected by such a chain form a group, whatever its shape. The
# answer comes from the eigenvectors of a matrix, and the same eigenvectors turn images into codes without any learning.
#
# **After this lesson you can** turn points into a graph, say what the eigenvectors of the graph tell you about its
# groups, write spectral clustering in four steps, choose its settings with care, and use it as an encoder.
#
# **You need** lesson 5, eigenvalues of symmetric matrices, and about 60 minutes. Lesson 6 helps with the scores at the
# end.

# %%
import numpy as np

from aelearn import PCA, Autoencoder, KMeans, load_mnist, metrics, plotting
from aelearn.data import make_blobs, make_circles, make_moons
from aelearn.spectral import SpectralClustering, eigengap, graphs, laplacian_eigenmaps
from aelearn.teaching.checks import check, yours
from aelearn.teaching.notebooks import show, slider, waiting

# %% [markdown]
# Notation: N points of D numbers each are `X` (N, D); K is the number of clusters.
#
# ## Where k-means fails
#
# Here are two moons and two rings. You see at once which points belong together. k-means cannot find this, even when it
# finds the lowest inertia: the border between two centres is a straight line.

# %%
moons, moon = make_moons(400, noise=0.06, random_state=0)  # (N, 2), (N,)
rings, ring = make_circles(400, noise=0.05, random_state=0)  # (N, 2), (N,)
panels = []
for name, X, truth in (("moons", moons, moon), ("rings", rings, ring)):
    found = KMeans(2, n_init=5, random_state=0, verbose=1).fit_predict(X)  # (N,)
    panels.append((f"{name}: k-means is right for {metrics.accuracy(truth, found):.0%}", X, found, None))
show(plotting.graphs(panels, title="k-means cuts straight through", n_columns=2, size=(3.8, 3.2)),
     alt="Two moons and two rings, each cut in two by a straight line")

# %% [markdown]
# ## Points as a graph
#
# Connect points that are close to each other by an edge, and forget their positions. What remains is a **graph**:
# nodes, and edges with weights. All weights together form a symmetric matrix `W` (N, N), the **affinity**. There are
# two ways to choose them:
#
# - **By distance.** The weight is near 1 for close points and near 0 for distant ones, and $\gamma$ sets the scale: at
#   the distance $1/\sqrt{\gamma}$ the weight is $1/e$. (This is called the RBF, radial basis function.)
#
# $$ W_{ij} = e^{-\gamma\,|x_i - x_j|^2} \qquad W_{ii} = 0 $$
#
# - **By rank.** An edge to each of the k nearest points, whatever their distance. "I am one of your neighbours" does
#   not mean "you are one of mine", so each side contributes half a weight: $W_{ij}$ is 1, 1/2 or 0.
#
# ### Exercise 1: the affinity
#
# From `X` (N, D) and the number `gamma` return `W` (N, N) by distance, with zeros on the diagonal. *About four lines.*

# %% tags=["exercise"]
def affinities(X, gamma):
    ### BEGIN SOLUTION
    differences = X[:, None, :] - X  # (N, N, D)
    W = np.exp(-gamma * (differences**2).sum(axis=2))  # (N, N)
    np.fill_diagonal(W, 0)
    return W
    ### END SOLUTION

# %% tags=["check"]
check(affinities)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# The differences are those of lesson 5, between all pairs of points. Square, sum over D, no square root: the formula
# has the squared distance. `np.fill_diagonal` writes into the array that you give it.
# </details>

# %% tags=["plot"]
# Draws the edges of two graphs.
few, few_moon = make_moons(120, noise=0.06, random_state=0)  # (120, 2), (120,)
by_distance = graphs.rbf_affinity(few, gamma=30)  # (120, 120)
by_rank = graphs.neighbor_graph(graphs.nearest_neighbors(few, 8)).toarray()  # (120, 120)
panels = [("by distance: gamma = 30", few, few_moon, by_distance),
          ("by rank: 8 nearest, including the point itself", few, few_moon, by_rank)]
show(plotting.graphs(panels, title="Two graphs of the same points; a wider edge has a larger weight", n_columns=2,
                     size=(4.8, 3.4)),
     alt="Two moons of points with edges: many within each moon, few or none between the two")

# %% [markdown]
# Within a moon, any two points are linked by a chain of edges. Between the moons there are hardly any edges. So finding
# clusters now means finding parts of a graph with few edges, of small weight, between them.
#
# ## Degrees
#
# The **degree** of a node is the sum of the weights of its edges, $d_i = \sum_j W_{ij}$. Nodes in dense regions have
# large degrees. To judge an edge, compare its weight with the degrees of its two ends:
#
# $$ S_{ij} = \frac{W_{ij}}{\sqrt{d_i\,d_j}} $$
#
# This is the **normalised affinity**. It is symmetric, like W.
#
# ### Exercise 2: divide by degrees
#
# From `W` (N, N), in which every node has an edge, return `S` (N, N) and the degrees (N,), in this order.
# *Three lines.*

# %% tags=["exercise"]
def divide_by_degrees(W):
    ### BEGIN SOLUTION
    degrees = W.sum(axis=1)  # (N,)
    root = np.sqrt(degrees)  # (N,)
    return W / root[:, None] / root, degrees
    ### END SOLUTION

# %% tags=["check"]
check(divide_by_degrees)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# Divide row i by $\sqrt{d_i}$ and column j by $\sqrt{d_j}$. `root[:, None]` is (N, 1) and applies to rows; `root` is
# (N,) and applies to columns.
# </details>

# %% [markdown]
# ## A graph in two parts, by hand
#
# Take six nodes: 0, 1, 2 form a triangle, 3, 4, 5 a chain, and all edges have weight 1. The degrees are 2, 2, 2 and
# 1, 2, 1. To find an eigenvector, try $v_i = \sqrt{d_i}$ for the nodes of one part, and 0 for the others. In row i of
# $S v$,
#
# $$ \sum_j \frac{W_{ij}}{\sqrt{d_i d_j}} \sqrt{d_j} = \frac{1}{\sqrt{d_i}} \sum_j W_{ij} = \frac{d_i}{\sqrt{d_i}}
# = \sqrt{d_i} $$
#
# because all edges of i are within its part. So $S v = v$: **each part has its own eigenvector with eigenvalue 1.** Two
# parts, and the eigenvalue 1 occurs twice.
#
# ## Why never above 1, and why not more often
#
# Write $v_i = \sqrt{d_i}\,y_i$, that is, look at $y$ instead of $v$. Then expand, and use that the weights in row i add
# up to $d_i$:
#
# $$ v^T v - v^T S v = \tfrac12 \sum_{ij} W_{ij}\,(y_i - y_j)^2 $$
#
# Think of the edges as springs: the right side is the energy of the springs when the nodes are placed on a line at the
# positions $y$. It is never negative. For an eigenvector of length 1 the left side is $1 - \lambda$, so:
#
# - no eigenvalue is above 1;
# - the eigenvalue is 1 exactly if no edge is stretched: $y$ is **constant on each part**. A graph with two parts allows
#   two such constants, so the eigenvalue 1 occurs twice, not more often;
# - an eigenvalue near 1 belongs to positions that hardly stretch the edges.
#
# Here are the eigenvalues of the six nodes, the equation $S v = v$ for the two vectors made by hand, and both sides of
# the last equation for all six eigenvectors:

# %%
place = np.array([[0, 0], [0, 1], [0.8, 0.5], [1.7, 0.5], [2.5, 0.2], [3.3, 0.5]])  # (6, 2): where to draw them
part = np.array([0, 0, 0, 1, 1, 1])  # (6,)
six = np.zeros((6, 6))  # W
for i, j in [(0, 1), (0, 2), (1, 2), (3, 4), (4, 5)]:
    six[i, j] = six[j, i] = 1
S, degrees = graphs.normalized_affinity(six)  # (6, 6), (6,)
values, vectors = np.linalg.eigh(S)  # (6,) ascending, (6, 6): a column for each
values, vectors = values[::-1], vectors[:, ::-1]  # the largest first
by_hand = np.sqrt(degrees)[:, None] * (part[:, None] == [0, 1])  # (6, 2)
print("degrees            ", degrees)
print("eigenvalues        ", np.round(values, 3) + 0)
print("S v = v, by hand:  ", np.allclose(S @ by_hand, by_hand))
y = vectors / np.sqrt(degrees)[:, None]  # (6, 6): the positions, one column for each
stretch = [(six * (column[:, None] - column) ** 2).sum() / 2 for column in y.T]
print("1 - eigenvalue:", np.round(1 - values, 4) + 0)
print("stretch:       ", np.round(stretch, 4) + 0)
show(plotting.graphs([("", place, part, six)], title="Six nodes in two parts", size=(5, 1.8)),
     alt="A triangle of nodes 0, 1, 2 and, apart from it, a chain of nodes 3, 4, 5")

# %% [markdown]
# ## Rows as coordinates
#
# A computer may return any linear combination of the two eigenvectors, because its eigenvalue is 1 as well. So do not
# look at columns. Put the two columns side by side, `V` (6, 2), and look at **rows**: row i is $\sqrt{d_i}$ times the
# row $(y^{(1)}, y^{(2)})$ of its part. The rows of nodes in the same part differ only in length. Divide each row by
# its length, and they are equal:
#
# $$ Y_i = V_i / |V_i| $$
#
# ### Exercise 3: rows of length 1
#
# From `V` (N, K) return `Y` (N, K), each row divided by its length; leave a row of zeros unchanged. *Two or three
# lines.*

# %% tags=["exercise"]
def unit_rows(V):
    ### BEGIN SOLUTION
    lengths = np.linalg.norm(V, axis=1, keepdims=True)  # (N, 1)
    return V / (lengths + (lengths == 0))
    ### END SOLUTION

# %% tags=["check"]
check(unit_rows)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# `np.linalg.norm(V, axis=1, keepdims=True)` is (N, 1). Where it is 0, divide by 1 instead: `lengths == 0` counts as 1
# there and as 0 elsewhere.
# </details>

# %%
turn = np.array([[np.cos(0.5), -np.sin(0.5)], [np.sin(0.5), np.cos(0.5)]])  # (2, 2): combines the two eigenvectors
V = vectors[:, :2] @ turn  # (6, 2)
Y = V / np.linalg.norm(V, axis=1, keepdims=True)  # (6, 2)
print("a combination of eigenvectors is one:", np.allclose(S @ V, V))
show(plotting.matrices([("W", six), ("S", S), ("V: combined", V), ("Y: rows of length 1", Y)],
                       title="In Y all rows of a part are equal, and those of the two parts are orthogonal"),
     alt="Tables of W, S, V and Y; in Y the first three rows are equal, and so are the last three")

# %% [markdown]
# So k-means has nothing left to do: in Y each part is a single point, and K parts are K orthogonal points.
#
# ## A weak link
#
# Real groups are not completely separate. Connect nodes 2 and 3 by an edge of weight w. Now the graph is in one piece,
# and only one eigenvalue is 1. What happens to the other one, and to the rows of Y?

# %%
def largest(W, k):
    """The k largest eigenvalues of a graph's S, descending, and their eigenvectors (N, k)."""
    values, vectors = np.linalg.eigh(graphs.normalized_affinity(W)[0])  # (N,), (N, N)
    return values[::-1][:k], vectors[:, ::-1][:, :k]


def linked(weight):
    """The six nodes with an edge of the given weight between 2 and 3."""
    W = six.copy()
    W[2, 3] = W[3, 2] = weight
    return W


weights = np.linspace(0, 1, 41)  # (41,)
followed = np.array([largest(linked(w), 3)[0] for w in weights])  # (41, 3)
display(show(plotting.curves({f"eigenvalue {n + 1}": (weights, followed[:, n]) for n in range(3)},
                             xlabel="weight of the link", ylabel="eigenvalue",
                             title="The second eigenvalue measures how weak the link is"),
             alt="Eigenvalue 1 stays at 1, eigenvalue 2 falls from 1 as the link gets heavier, eigenvalue 3 is low"))
panels = []
for w in (0.01, 0.1, 0.5, 1):
    value, V = largest(linked(w), 2)  # (2,), (6, 2)
    V = V * np.sign(V[0])  # the sign of an eigenvector is arbitrary: positive at node 0
    panels.append((f"w = {w}: eigenvalue {value[1]:.3f}", V / np.linalg.norm(V, axis=1, keepdims=True), part, None))
show(plotting.graphs(panels, title="The rows of Y: the parts stay apart, their nodes begin to spread", n_columns=4,
                     size=(2.9, 2.7), names={0: "nodes 0, 1, 2", 1: "nodes 3, 4, 5"},
                     axes_names=("eigenvector 1", "eigenvector 2")),
     alt="Two groups of points at a right angle; with a heavier link each group spreads, but they stay apart")

# %% [markdown]
# What was exact is now approximate, as long as the link is weak: an eigenvalue close to 1, rows that are almost equal
# (nodes 0 and 1, which have the same edges, still coincide). That is all that k-means needs.
#
# ## The four steps
#
# This is **spectral clustering** (A. Ng, M. Jordan and Y. Weiss, "On spectral clustering", 2002), "spectral" because of
# the eigenvalues:
#
# 1. `W`: which points are close to each other.
# 2. `S`: W divided by the square roots of the degrees.
# 3. `V` (N, K): the eigenvectors of the K largest eigenvalues, side by side.
# 4. `Y`: the rows of `V`, scaled to length 1; k-means finds their clusters.
#
# You have written steps 1, 2 and 4. From here on the lesson computes with your functions, if they are right.

# %%
def library_unit_rows(V):
    """The rows of V, each divided by its length."""
    lengths = np.linalg.norm(V, axis=1, keepdims=True)  # (N, 1)
    return V / (lengths + (lengths == 0))


affinity, divide, scale_rows = yours(
    (affinities, divide_by_degrees, unit_rows),
    (lambda X, gamma: graphs.without_diagonal(graphs.rbf_affinity(X, gamma)), graphs.normalized_affinity,
     library_unit_rows))


def four_steps(W, k):
    """Labels (N,), rows V (N, k) and Y (N, k), and the k largest eigenvalues of a graph W (N, N) without diagonal."""
    W = np.asarray(W)  # (N, N); yours may be a list
    values, vectors = np.linalg.eigh(divide(W)[0])  # (N,), (N, N): ascending
    V = vectors[:, ::-1][:, :k]  # (N, k)
    Y = np.asarray(scale_rows(V))  # (N, k)
    return KMeans(k, n_init=5, random_state=0).fit_predict(Y), V, Y, values[::-1][:k]


for name, X, truth in (("moons", moons, moon), ("rings", rings, ring)):
    with waiting(name):
        labels, V, Y, values = four_steps(affinity(X, 50), 2)
    panels = [(f"points: {metrics.accuracy(truth, labels):.1%} right", X, labels, None),
              ("rows of V", V, labels, None), ("rows of Y", Y, labels, None)]
    display(show(plotting.graphs(panels, title=f"{name}: the eigenvalues are {values[0]:.4f} and {values[1]:.4f}"),
                 alt=f"{name}: each in its own colour; the rows of V lie along two rays, those of Y at two points"))

# %% [markdown]
# In the middle each group is a ray from the origin: its points differ in length, by the square roots of their degrees.
# On the right only the directions are left, and the roughly 200 points of each group nearly coincide. What was curved
# and entangled in the plane is now two compact groups, and k-means is good at those. The rings are not quite as well
# separated for this $\gamma$: their second eigenvalue is a little lower, and their rays are a little blurred.
#
# `SpectralClustering` does the same four steps. It finds a few eigenvectors without computing all N of them
# (`aelearn/spectral/eigenvectors.py`), and it stores neighbour graphs as lists of edges.
#
# ## Too far and too near
#
# Everything depends on the graph. With a small $\gamma$ all points are close to all others, and the result is much
# like that of k-means. With a large one nearly all weights are next to nothing: the graph falls into more pieces than
# there are clusters, and which of them end up together is a matter of chance. Below the pictures is the same
# experiment with the number of neighbours, on the rings; "parts" is how often the eigenvalue 1 occurs, to nine digits.

# %%
gammas = [1, 3, 10, 30, 100, 300, 1000, 3000]
frames = {}
with waiting("eight graphs"):
    for gamma in gammas:
        labels = four_steps(affinity(moons, gamma), 2)[0]  # (N,)
        frames[gamma] = f"gamma = {gamma}: {metrics.accuracy(moon, labels):.1%} right", moons, labels, None
display(show(plotting.graphs(list(frames.values()), title="Spectral clustering with gamma from small to large",
                             n_columns=4, size=(2.9, 2.2)),
             alt="Eight panels: cut straight through for a small gamma, right in the middle, wrong again for the "
                 "largest"))
with waiting("seven graphs"):
    for k in (3, 5, 8, 10, 15, 40, 80):
        W = graphs.without_diagonal(graphs.neighbor_graph(graphs.nearest_neighbors(rings, k)).toarray())  # (N, N)
        parts = int(np.sum(largest(W, 60)[0] > 1 - 1e-9))
        print(f"k = {k:2}   parts: {parts:2}   {metrics.accuracy(ring, four_steps(W, 2)[0]):.0%} right")
# Run this cell, and drag the slider below.
slider(lambda gamma: plotting.graphs([frames[gamma]], title="", size=(5.5, 4)), gammas, label="gamma",
       alt="Two moons of points in the colours of their clusters")

# %% [markdown]
# With too few neighbours, the rings break into pieces; with too many, edges connect one ring to the other. In between
# there is a wide range. Neighbours need no scale: they stay the same if all distances grow a thousandfold, while
# $\gamma$ would have to be chosen again.
#
# ## How many clusters?
#
# As many as there are eigenvalues near 1. Where does "near" end? Where the eigenvalues drop most: at the **eigengap**.
#
# ### Exercise 4: the eigengap
#
# From the eigenvalues (P,), the largest first, return the number k after which they drop most: the k-th eigenvalue
# (counted from 1) minus the next one is largest. Of two equal drops the first one counts. *One or two lines.*

# %% tags=["exercise"]
def clusters_by_gap(eigenvalues):
    ### BEGIN SOLUTION
    falls = eigenvalues[:-1] - eigenvalues[1:]  # (P - 1,)
    return falls.argmax() + 1
    ### END SOLUTION

# %% tags=["check"]
check(clusters_by_gap)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# `eigenvalues[:-1] - eigenvalues[1:]` are the drops. The first one, at index 0, is the drop after 1 cluster.
# </details>

# %%
blobs = make_blobs(300, centers=4, cluster_std=1.0, random_state=11)[0]  # (300, 2): lesson 5's four blobs
gap_of = yours(clusters_by_gap, eigengap)
lines = {}
for name, X in (("four blobs", blobs), ("rings", rings), ("moons", moons)):
    W = graphs.neighbor_graph(graphs.nearest_neighbors(X, 10)).toarray()  # (N, N)
    values = largest(W, 8)[0]  # (8,)
    gap = gap_of(values)
    print(f"{name:10}", *(f"{value:.4f}" for value in values))
    lines[f"{name}: largest drop after {gap}"] = (list(range(1, 9)), values)
show(plotting.curves(lines, xlabel="index of the eigenvalue", ylabel="eigenvalue",
                     title="Graphs of 10 neighbours: where do the eigenvalues drop most?"),
     alt="Three falling lines: that of the blobs has a cliff after 4, the others fall slowly")

# %% [markdown]
# Round groups give a cliff. Long thin groups do not: positions that change slowly along a moon, or around a ring,
# hardly stretch any edge, so some eigenvalues near 1 do not stand for a group, and the largest drop may be anywhere.
# Take the eigengap as a hint, and look at the eigenvalues themselves: rings and moons have two that are 1.0000 here,
# and these are the two groups.
#
# ## A list of edges
#
# Now for images, and for more of them. W of 60,000 images has 3.6 billion entries, 29 GB, and in a graph of ten
# neighbours nearly all of them are 0. So store the others only, as a list: the entry in row `i[e]` and column `j[e]` is
# `w[e]`. As W is symmetric, every edge is in the list twice, as (i, j) and as (j, i).
#
# ### Exercise 5: divide by degrees, without the table
#
# Do exercise 2 for such a list. From `i` and `j` (E,), integers from 0 to n - 1, the weights `w` (E,), and the number
# of nodes `n` return the entries `s` (E,) of S, in the same order, and the degrees (n,). The list may be in any order.
# An array (n, n) is too large. *Three lines.*

# %% tags=["exercise"]
def divide_edges(i, j, w, n):
    ### BEGIN SOLUTION
    degrees = np.bincount(i, weights=w, minlength=n)  # (n,)
    root = np.sqrt(degrees)  # (n,)
    return w / (root[i] * root[j]), degrees
    ### END SOLUTION

# %% tags=["check"]
check(divide_edges)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# `degrees[i]` are the degrees at one end of each edge, (E,). To compute the degrees, add each `w[e]` to entry `i[e]`:
# `np.bincount(i, weights=w, minlength=n)` does that. (`degrees[i] += w` does not: where an index is repeated, it keeps
# only one of the sums.)
# </details>

# %% [markdown]
# ## Codes without learning
#
# Now look at the springs in another way. An encoder should give similar images similar codes, that is, make
#
# $$ \tfrac12 \sum_{ij} W_{ij}\,|y_i - y_j|^2 $$
#
# small. The minimum is to make all codes equal, which is useless: so require that the columns have a fixed size
# ($\sum_i d_i y_i^2 = 1$) and are orthogonal to the constant and to each other ($\sum_i d_i y_i z_i = 0$). We already
# know the best such columns: the eigenvectors of S after the first one, each divided by $\sqrt{d_i}$. These codes are
# called **Laplacian eigenmaps** (M. Belkin and P. Niyogi, 2003). No weights, no epochs, no decoder. Here are 2,000
# zeros and ones of MNIST as two numbers each, by three encoders; the autoencoder also gets two numbers, so that all
# codes fit into the plane:

# %%
all_images, all_digits = load_mnist("train", digits=(0, 1))  # (11623, 784), (11623,)
images, digits = all_images[:2000], all_digits[:2000]  # (N, 784), (N,)
graph = graphs.neighbor_graph(graphs.nearest_neighbors(images, 10))  # W (N, N), in CSR form
eigenmaps = laplacian_eigenmaps(graph, 2, random_state=0)  # (N, 2)


def library_divide(i, j, w, n):
    """As in exercise 5, for a list that is sorted by i."""
    S, degrees = graphs.normalized_affinity(graphs.CSRMatrix(w, j, np.searchsorted(i, np.arange(n + 1))))
    return S.data, degrees


edges = graph.rows != graph.indices  # (entries,): a point is its own nearest neighbour, which is no edge
i, j, w = graph.rows[edges], graph.indices[edges], graph.data[edges]  # (E,) each
s, degrees = map(np.asarray, yours(divide_edges, library_divide)(i, j, w, len(images)))  # (E,), (N,)
root = np.sqrt(degrees)  # (N,)
print(f"{len(s):,} entries instead of {len(images) ** 2:,}; the roots of the degrees are an eigenvector, S v = v: "
      f"{np.allclose(np.bincount(i, weights=s * root[j]), root)}\n")
learned = Autoencoder((128, 2), epochs=40, random_state=0, verbose=1).fit_transform(images)  # (N, 2)
components = PCA(2, verbose=1).fit_transform(images)  # (N, 2)
panels = [("principal components", components, digits, None),
          ("autoencoder 784-128-2-128-784", learned, digits, None),
          ("Laplacian eigenmaps, 10 neighbours", eigenmaps, digits, None)]
display(show(plotting.graphs(panels, title="2,000 images as two numbers each", size=(4, 3.6), equal=False,
                             names={0: "a zero", 1: "a one"}, axes_names=("code 1", "code 2")),
             alt="Three clouds of codes; in the eigenmaps zeros are a dense group and ones a long line apart from it"))
print(f"edges that join a zero and a one: {(digits[i] != digits[j]).mean():.2%}")
for name, codes in (("pixels", images), ("principal components", components), ("autoencoder", learned),
                    ("eigenmaps", eigenmaps), ("eigenmaps, code 1", eigenmaps[:, :1])):
    clusters = KMeans(2, n_init=4, random_state=0, verbose=1).fit_predict(codes)  # (N,)
    print(f"k-means on {name:20} {codes.shape[1]:3} numbers   accuracy {metrics.accuracy(digits, clusters):.3f}   "
          f"NMI {metrics.normalized_mutual_information(digits, clusters):.3f}")

# %% [markdown]
# Code 1 alone separates the digits almost without mistakes: a chain of neighbours hardly ever leads from a zero to a
# one. Then why may k-means do worse with *more* numbers? Look at what code 2 is. Here are ones, from the lowest code 2
# to the highest; below, spectral clustering of three samples of images:

# %%
ones = np.flatnonzero(digits == 1)  # (M,)
ones = ones[np.argsort(eigenmaps[ones, 1])]  # from the lowest to the highest code 2
chosen = ones[np.linspace(0, len(ones) - 1, 12).astype(int)]  # (12,)
display(show(plotting.tiles(images[chosen], [f"{1000 * eigenmaps[i, 1]:.1f}" for i in chosen], (28, 28),
                            n_columns=12, title="Ones along code 2 (times 1,000)"),
             alt="Twelve ones: the first lean to one side, the last to the other"))


def slants(images):
    """How many columns to the right the ink of each image (N, 784) moves per row: (N,)."""
    ink = images / images.sum(axis=1, keepdims=True)  # (N, 784)
    row, column = (place - (ink @ place)[:, None] for place in np.mgrid[:28, :28].reshape(2, -1))  # (N, 784) each
    return (ink * row * column).sum(axis=1) / (ink * row**2).sum(axis=1)


slant = slants(images)  # (N,)
for digit in (0, 1):
    correlation = np.corrcoef(slant[digits == digit], eigenmaps[digits == digit, 1])[0, 1]
    print(f"correlation of code 2 with the slant, among images of {digit}: {correlation:.2f}")
for n in range(3):
    sample = slice(2000 * n, 2000 * (n + 1))
    X, truth = all_images[sample], all_digits[sample]
    with waiting(f"sample {n + 1}"):
        codes = laplacian_eigenmaps(graphs.neighbor_graph(graphs.nearest_neighbors(X, 10)), 2, random_state=0)  # (N, 2)
        two = KMeans(2, n_init=4, random_state=0).fit_predict(codes)
        whole = SpectralClustering(2, affinity="nearest_neighbors", n_neighbors=10, random_state=0).fit_predict(X)
    print(f"sample {n + 1}: k-means on pixels "
          f"{metrics.accuracy(truth, KMeans(2, n_init=4, random_state=0).fit_predict(X)):.4f}, on two eigenmaps "
          f"{metrics.accuracy(truth, two):.4f}; spectral clustering {metrics.accuracy(truth, whole):.4f}")
n = len(all_images)
print(f"W by distance for all {n:,} of them: {n:,} x {n:,} numbers of 8 bytes, {8e-9 * n**2:.2f} GB")

# %% [markdown]
# Code 2 is the slant of a one. Nobody asked for that; it is what varies most slowly along the chains of neighbours once
# the digit is known. Both columns have the same size, so k-means gives the slant as much weight as the digit, and it
# depends on the sample which of the two splits lowers the inertia more. The groups are in the *first* eigenvectors:
# spectral clustering uses no more of them than there are clusters (of two, the first only reflects the degrees), and
# scales its rows to length 1. The last lines compare the two on three samples of 2,000 images.
#
# ## What it cannot do
#
# - **No decoder.** A code is a position in a graph. There is no way back from a code to an image.
# - **No code for a new image.** It is not a node of the graph. The autoencoder has learnt a function; this method has
#   not. (The open task below is about that.)
# - **Size.** All pairs of N points are N x N numbers: the last line above. Their eigenvectors cost even more.
#
# Neighbour graphs stay small, as lists of edges. For graphs by distance there is **Nystrom's method**
# (`aelearn/spectral/nystrom.py`): choose M points at random as **landmarks**, compute only the weights between all N
# points and the landmarks, an array (N, M), and approximate the rest: two points count as close to each other as far as
# the landmarks can tell. The eigenvectors then come from an M by M matrix. Every point gets a label, none is left out;
# beyond 5,000 points the library does this by itself.
#
# ## An open task
#
# Give images that are not in the graph a code, without making a new graph. `new_images` are 500 others. The pictures
# show the codes of the 2,000 old images, and what to aim at: the codes that the new ones get if all 2,500 are nodes of
# a larger graph, which is what you are to do without.
#
# **What to try.** An eigenvector of S satisfies $\lambda\,y_i = \frac{1}{d_i} \sum_j W_{ij}\,y_j$: a node's code is
# nearly the mean of its neighbours' codes. Which of the old images are neighbours of a new one? How many do you need?
# What changes with weights by distance?
#
# **How to see whether you got there.** `report(codes)` prints how many of the new images are on their digit's side of
# code 1, and how code 2 goes with the slant of the ones. The old images' values are printed, too. One or two in a
# hundred may be lost.

# %%
new_images, new_digits = all_images[2000:2500], all_digits[2000:2500]  # (500, 784), (500,)
border = KMeans(2, n_init=4, random_state=0).fit(eigenmaps[:, :1]).cluster_centers_.mean()  # between the two digits
side = np.bincount(digits[eigenmaps[:, 0] > border]).argmax()  # the digit of most codes above it


def report(codes, images=new_images, digits=new_digits):
    """Print how good the codes (N, 2) of images are."""
    right = (codes[:, 0] > border) == (digits == side)  # (N,)
    ones = digits == 1  # (N,)
    print(f"on the right side: {right.mean():.1%}; correlation of code 2 with the slant of ones: "
          f"{np.corrcoef(slants(images[ones]), codes[ones, 1])[0, 1]:.2f}")


report(eigenmaps, images, digits)
with waiting("a larger graph"):
    larger = graphs.neighbor_graph(graphs.nearest_neighbors(all_images[:2500], 10))
    aim = laplacian_eigenmaps(larger, 2, random_state=0)  # (2500, 2)
aim = aim * np.sign((aim[:2000] * eigenmaps).sum(axis=0))  # the sign of an eigenvector is arbitrary
show(plotting.graphs([("what there is: 2,000 old images", eigenmaps, digits, None),
                      ("aim at this: 500 new images", aim[2000:], new_digits, None)],
                     title="Codes of new images", n_columns=2, size=(4.4, 3.6), equal=False,
                     names={0: "a zero", 1: "a one"}, axes_names=("code 1", "code 2")),
     alt="Two clouds of codes of the same form: zeros are a dense group and ones a long line apart from it")

# %% tags=["answer"]
squared = (new_images**2).sum(axis=1)[:, None] - 2 * new_images @ images.T + (images**2).sum(axis=1)  # (500, N)
nearest = np.argsort(squared, axis=1)[:, :10]  # (500, 10): old images
new_codes = eigenmaps[nearest].mean(axis=1)  # (500, 2); division by an eigenvalue of nearly 1 would change little
report(new_codes)
show(plotting.graphs([("the mean code of the ten nearest old images", new_codes, new_digits, None)],
                     title="Codes of new images, found without a new graph", n_columns=1, size=(4.4, 3.6), equal=False,
                     names={0: "a zero", 1: "a one"}, axes_names=("code 1", "code 2")),
     alt="The same two groups again")

# %% [markdown]
# ## What you know now
#
# - Points become a graph: edges by distance (choose $\gamma$) or by rank (choose k). Everything else follows from it.
# - S has the eigenvalue 1 once for each part of the graph. The corresponding eigenvectors are constant on each part, up
#   to the square roots of the degrees, which disappear when rows are scaled to length 1.
# - Weak links move eigenvalues a little below 1 and spread the rows a little; k-means on the rows does the rest.
# - The same eigenvectors are codes that keep neighbours together, found without learning. The first ones separate
#   groups, later ones describe what varies slowly within a group.
#
# ## To think about
#
# 1. In a graph by distance no weight is exactly 0, so the graph is always in one piece. Why are there clusters
#    nevertheless?
# 2. The six nodes have the eigenvalue -1. What does its eigenvector tell you, and to which of the two parts does it
#    belong?
# 3. All three samples above have 2,000 images. What changes with 20,000, if each image still has ten neighbours?
#
# **Previous:** [lesson 5](05_kmeans_by_hand.ipynb) writes k-means, [lesson 6](06_clustering_the_codes.ipynb) clusters
# the codes of an autoencoder.

# %% [markdown] tags=["answer"]
# **Answers**
#
# 1. Weights like $10^{-9}$ are weak links: the second eigenvalue differs from 1 by as little. What matters is how small
#    the edges between groups are compared with those within.
# 2. $1 - \lambda = 2$ is the largest possible stretch: every edge connects opposite numbers, $y_j = -y_i$. For this
#    the nodes of a part must be colourable with two colours such that each edge connects both (a bipartite graph): the
#    chain, with $y = 1, -1, 1$. A triangle cannot be coloured like this.
# 3. The nearest neighbours are nearer, and chains of them longer: fewer edges lead from a zero to a one, and the second
#    eigenvalue comes closer to 1. More eigenvalues do so as well, because long thin groups get longer chains. The list
#    of edges grows ten times, the table would grow a hundred times.
