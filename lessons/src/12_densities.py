# %% [markdown]
# # 12 · Densities
#
# Where are the data, and where are they not? A density answers for every place, also for places where no point has
# been. Whoever knows the density can draw new points from it, find points that are odd, and say of a point between
# two groups how much it belongs to each. At the end of this lesson a density of codes makes new digits.
#
# **After this lesson you can** estimate a density by boxes, by kernels and by a mixture of Gaussians, choose the bin
# width, the bandwidth and the number of Gaussians with open eyes, write the two steps of EM, and say in which sense
# k-means is one of its limits.
#
# **You need** lessons 1 and 5, and about 60 minutes. You should have met the normal distribution and, for the part in
# the plane, a covariance matrix. Lesson 6 helps at the end.
#
# We begin with one number for each image, its **ink**: the mean pixel, in percent of white. A one needs less ink than
# a zero. Pretend that only 200 of the images are known; the others stay aside, to judge.

# %%
import numpy as np

from aelearn import Autoencoder, GaussianMixture, KernelDensity, KMeans, load_mnist, metrics, plotting
from aelearn.density import histogram_density, kernel_sums
from aelearn.kmeans import lloyd
from aelearn.mixture.em import e_step, log_sum_exp, m_step, responsibilities
from aelearn.mixture.gaussians import precision_factor
from aelearn.teaching.checks import check
from aelearn.teaching.notebooks import show, slider, source

images, labels = load_mnist("train", digits=(0, 1))  # (N, 784), (N,)
ink = 100 * images.mean(axis=1, dtype=np.float64)  # (N,)
order = np.random.default_rng(0).permutation(len(ink))
few, others = ink[order[:200]], ink[order[200:]]  # (200,), (N - 200,)
print(f"{len(few)} known images, with {few.min():.1f} to {few.max():.1f} percent of ink; {len(others):,} others")

# %% [markdown]
# Letters: N points of D numbers each are `X` (N, D); a mixture has K components.
#
# ## What a density is
#
# A density $p$ is a function that is never negative, and the area under it is a probability:
#
# $$ P(a < x < b) = \int_a^b p(x)\,dx \qquad \int_{-\infty}^{\infty} p(x)\,dx = 1 $$
#
# Its value at a point is no probability. It has a unit, here "per percent of ink", and it may be larger than 1.
#
# The oldest estimate is the **histogram**: cut the line into boxes of width $w$ and count.
#
# $$ p(x) = \frac{\text{points in the box of } x}{N\,w} $$
#
# Divided by N and by the width, the areas of the boxes add up to 1. How wide should a box be, and where should the
# first one begin? Below, black strokes are the 200 points; the lines show the histogram of the images kept aside.

# %%
def outline(histogram):
    """The upper edge of a histogram's boxes, as xs and ys of a line."""
    return np.repeat(histogram.edges[0], 2), np.concatenate([[0], np.repeat(histogram.density, 2), [0]])


low, high = 0.0, 42.0
truth = outline(histogram_density(others[:, None], [np.arange(low, high + 0.1, 0.7)]))
panels = []
for caption, edges in (("width 1/3", np.arange(low, high + 0.1, 1 / 3)), ("width 2", np.arange(low, high + 0.1, 2)),
                       ("width 12", np.arange(low, high + 6.1, 12)), ("width 5", np.arange(low, high + 4, 5)),
                       ("width 5, moved by 5/3", np.arange(low - 10 / 3, high + 4, 5)),
                       ("width 5, moved by 10/3", np.arange(low - 5 / 3, high + 4, 5))):
    histogram = histogram_density(few[:, None], [edges])
    area = (histogram.density * np.diff(edges)).sum()
    panels.append((f"{caption}: area {area:.3f}", {"200 images": outline(histogram), "held-out images": truth}))
show(plotting.densities(panels, points=few, xlabel="ink, percent",
                        title="The same 200 points: above, the width of the boxes changes, below, only their edges"),
     alt="Six histograms of the same points: too narrow boxes are ragged, too wide ones hide the two hills; moving "
         "the edges changes the picture")

# %% [markdown]
# Narrow boxes show chance, wide ones hide the shape. And in the lower row nothing has changed but the place of the
# edges, which means nothing, and still the picture is another one. Besides, with 20 boxes on each axis there are
# $20^D$ boxes in D dimensions, nearly all of them empty.
#
# ## Kernels
#
# So give each point a box of its own, with the point in its middle, and a soft one: a small hill $G$, called a
# **kernel**, of area 1. The density is the mean of all hills. With a Gaussian hill of width $h$, the **bandwidth**:
#
# $$ p(x) = \frac{1}{N} \sum_n \frac{1}{h} G\!\left(\frac{x - x_n}{h}\right) \qquad
#    G(u) = \frac{1}{\sqrt{2\pi}}\, e^{-u^2/2} $$
#
# There are no edges any more, and the area is 1, because the mean of areas of 1 is 1.
#
# ### Exercise 1: a kernel estimate
#
# From `points` (N,), places to look at `x` (M,) and the bandwidth `h` return the density (M,). *Two or three lines.*

# %% tags=["exercise"]
def kernel_estimate(points, x, h):
    ### BEGIN SOLUTION
    u = (x[:, None] - points) / h  # (M, N)
    bumps = np.exp(-u**2 / 2) / (np.sqrt(2 * np.pi) * h)  # (M, N)
    return bumps.mean(axis=1)
    ### END SOLUTION

# %% tags=["check"]
check(kernel_estimate)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# `x[:, None] - points` has the shape (M, N): every place minus every point. Each hill must be divided by $h$, too:
# a wider hill is lower. Then take the mean over the points.
# </details>

# %% [markdown]
# ## The bandwidth
#
# In `KernelDensity` the bandwidth may be a number. `score_samples` returns the logarithm of the density; the reason
# comes below.

# %%
xs = np.linspace(low, high, 400)  # (400,)
bandwidths = np.geomspace(0.15, 8, 18)  # (18,)


def estimate(h):
    """A panel: the kernel density of the 200 points with the bandwidth h."""
    density = np.exp(KernelDensity(h).fit(few[:, None]).score_samples(xs[:, None]))  # (400,)
    return f"h = {h:.2g}", {"200 images": (xs, density), "held-out images": truth}


strip = plotting.densities([estimate(h) for h in bandwidths[[0, 4, 7, 10, 13, 17]]], points=few,
                           xlabel="ink, percent", title="The bandwidth: too small, about right, too large")
display(show(strip, alt="Six kernel densities: spikes for a small bandwidth, two hills for a middle one, one broad "
                        "hill for a large one"))
# Run this cell, and there is a slider below the pictures: drag.
slider(lambda i: plotting.densities([estimate(bandwidths[i])], points=few, xlabel="ink, percent", title="", size=7),
       len(bandwidths), label="bandwidth")

# %% [markdown]
# Who says which one is right, when there are no others to compare with? Two answers.
#
# - **Scott's rule** (1992): $h = \sigma\,N^{-1/5}$ in one dimension, with the standard deviation $\sigma$ of the
#   data. It is derived for data that are one Gaussian heap. For two heaps $\sigma$ is mostly the distance between
#   them, and $h$ comes out too large.
# - **Likelihood**: under a good estimate the data are probable. Take the mean of $\log p(x_n)$ over the points and
#   look for its top. But not over the points that carry the kernels: with $h$ towards 0 each point sits on the peak
#   of its own hill, and the mean grows without end. So judge each point by the hills of all *others*:
#
# $$ p_{-n}(x_n) = \frac{1}{(N - 1)\,h} \sum_{m \ne n} G\!\left(\frac{x_n - x_m}{h}\right) $$
#
# This is called **leave-one-out**. Beside it, what we could not know: the same mean over 2,000 of the images kept
# aside.

# %%
tried = np.geomspace(0.2, 6, 40)  # (40,)
judged = {"the 200 themselves": [], "leave-one-out": [], "held-out images": []}
for h in tried:
    bumps = np.exp(-((few[:, None] - few) / h) ** 2 / 2) / (np.sqrt(2 * np.pi) * h)  # (200, 200)
    judged["the 200 themselves"].append(np.log(bumps.mean(axis=1)).mean())
    np.fill_diagonal(bumps, 0)  # nobody judges itself
    judged["leave-one-out"].append(np.log(bumps.sum(axis=1) / (len(few) - 1)).mean())
    log_p = KernelDensity(h).fit(few[:, None]).score_samples(others[:2000, None])  # (2000,)
    judged["held-out images"].append(log_p.mean())
scott = KernelDensity("scott").fit(few[:, None])
chosen = {"leave-one-out": KernelDensity("leave-one-out").fit(few[:, None]).bandwidth_,
          "Scott": scott.bandwidth_ * scott.shape_[0, 0]}  # N^(-1/5) times the standard deviation
tops = {f"{name}: h = {h:.2g}": ([h], [np.interp(h, tried, judged["leave-one-out"])]) for name, h in chosen.items()}
best = tried[np.argmax(judged["held-out images"])]
tops[f"best for held-out images: h = {best:.2g}"] = [best], [max(judged["held-out images"])]
display(show(plotting.curves({name: (tried, values) for name, values in judged.items()}, points=tops,
                             xlabel="bandwidth h", ylabel="mean log density",
                             title="Points that judge themselves always want a smaller bandwidth"),
             alt="The mean log density of the points themselves rises towards bandwidth zero; leave-one-out and the "
                 "held-out images both have a top, at bandwidths below Scott's"))
draws = []  # of ten other sets of 200: h by leave-one-out; how likely other images are under it, and by Scott's rule
for seed in range(1, 11):
    shuffled = np.random.default_rng(seed).permutation(ink)[:, None]  # (N, 1)
    rivals = [KernelDensity(rule).fit(shuffled[:200]) for rule in ("leave-one-out", "scott")]
    draws.append([rivals[0].bandwidth_, *(rival.score_samples(shuffled[200:2200]).mean() for rival in rivals)])
widths, ours, theirs = np.array(draws).T  # (10,) each
print(f"leave-one-out chose h from {widths.min():.2f} to {widths.max():.2f}; on held-out images it was ahead of "
      f"Scott's rule in {(ours > theirs).sum()} draws of 10")

# %% [markdown]
# Leave-one-out saw only the 200, and still its choice costs the images kept aside next to nothing; Scott's rule
# smooths more than either wants. But the tops are flat, so the choice is shaky, as the line below the picture says.
#
# ## One Gaussian, then two
#
# Kernels keep every point, for ever. The other way is to say beforehand what shape the density has, and to keep only
# its few numbers. One Gaussian has a mean $\mu$ and a variance $\sigma^2$:
#
# $$ \text{Normal}(x \mid \mu, \sigma^2) = \frac{1}{\sqrt{2\pi\sigma^2}}\; e^{-(x - \mu)^2 / (2\sigma^2)} $$
#
# The data are most probable under it if $\mu$ is their mean and $\sigma^2$ the mean of $(x_n - \mu)^2$. Two heaps
# want two Gaussians. A **mixture** has K of them, its **components**, and weights $\pi_k$ that add up to 1:
#
# $$ p(x) = \sum_k \pi_k \,\text{Normal}(x \mid \mu_k, \sigma_k^2) $$
#
# To draw a point from it, draw a component, number $k$ with the probability $\pi_k$, and then a point from that one.

# %%
panels = []
for k in (1, 2):
    fit = GaussianMixture(k, tol=1e-6, max_iter=1000, random_state=0).fit(ink[:, None])
    lines = {"all images": outline(histogram_density(ink[:, None], [np.arange(low, high + 0.1, 0.7)])),
             "the mixture": (xs, np.exp(fit.score_samples(xs[:, None])))}
    for j in range(k) if k > 1 else ():
        variance = fit.covariances_[j, 0, 0]
        alone = np.exp(-(xs - fit.means_[j, 0]) ** 2 / (2 * variance)) / np.sqrt(2 * np.pi * variance)  # (400,)
        lines[f"component {j}, times its weight"] = (xs, fit.weights_[j] * alone)
    panels.append((f"K = {k}: mean log density {fit.score(ink[:, None]):.3f}", lines))
print(f"the components: weights {fit.weights_.round(2)}, means {fit.means_[:, 0].round(1)}, "
      f"standard deviations {np.sqrt(fit.covariances_[:, 0, 0]).round(1)}")
print(f"ones and zeros: shares  [{(labels == 1).mean():.2f} {(labels == 0).mean():.2f}], mean ink "
      f"[{ink[labels == 1].mean():.1f} {ink[labels == 0].mean():.1f}]")
print(f"the more probable component is the right digit for {metrics.accuracy(labels, fit.predict(ink[:, None])):.1%}")
show(plotting.densities(panels, xlabel="ink, percent", title="One Gaussian, and two", n_columns=2, size=5),
     alt="One Gaussian is a broad hill between the two heaps; a mixture of two follows both")

# %% [markdown]
# Nobody told it about digits, and its two components are about the two digits. Only about: the ink of neither digit
# is a Gaussian, and a component takes what makes the data probable.
#
# ## EM: two steps in turn
#
# How are the numbers found? Two things are unknown, as in lesson 5: who belongs to whom, and the parameters. If one
# is given, the other is easy.
#
# **E step** (expectation). The parameters stay. How probable is it that component $k$ has made point $n$? By Bayes'
# rule, its share in the density there. It is called the **responsibility**:
#
# $$ r_{nk} = \frac{\pi_k\,\text{Normal}(x_n \mid \mu_k, \sigma_k^2)}
#                  {\sum_j \pi_j\,\text{Normal}(x_n \mid \mu_j, \sigma_j^2)} $$
#
# Each row of $r$ (N, K) adds up to 1. Where k-means has a label, EM has a row of shares.
#
# **M step** (maximisation). The responsibilities stay. Each component takes the weighted mean and the weighted
# variance of all points, and its weight is its share of them. With $N_k = \sum_n r_{nk}$,
#
# $$ \pi_k = \frac{N_k}{N} \qquad \mu_k = \frac{1}{N_k} \sum_n r_{nk}\,x_n \qquad
#    \sigma_k^2 = \frac{1}{N_k} \sum_n r_{nk}\,(x_n - \mu_k)^2 $$
#
# ### Why in logarithms
#
# The E step as it is written above breaks far out. Here are two components, with the means 0 and 3, the standard
# deviation 1 and the weights 1/2, and points ever farther away from both:

# %%
x = np.array([10.0, 50.0, 100.0, 200.0])  # (4,)
with np.errstate(all="ignore"):
    joint = 0.5 * np.exp(-((x[:, None] - [0.0, 3.0]) ** 2) / 2) / np.sqrt(2 * np.pi)  # (4, 2)
    for point, parts, shares in zip(x, joint, joint / joint.sum(axis=1, keepdims=True)):
        print(f"x = {point:5}   parts of the density {parts[0]:7.1g} and {parts[1]:7.1g}   "
              f"responsibilities {shares[0]:7.1g} and {shares[1]:7.1g}")

# %% [markdown]
# The parts become smaller than any number that the machine has, they round to 0, and 0 / 0 is `nan`. Points far out
# are no rarity: in hundreds of dimensions all points are far from everything.
#
# Their logarithms are harmless numbers. With $a_{nk} = \log \pi_k + \log \text{Normal}(x_n \mid \mu_k, \sigma_k^2)$,
#
# $$ \log r_{nk} = a_{nk} - \log \sum_j e^{a_{nj}} \qquad
#    \log \sum_j e^{a_j} = c + \log \sum_j e^{a_j - c} \quad \text{for any } c $$
#
# Take for $c$ the largest of the $a_j$. Then one term of the sum is $e^0 = 1$, and nothing that matters can round to
# 0. This is the **log-sum-exp** trick.
#
# ### Exercise 2: the E step
#
# From points `x` (N,) on a line and `weights`, `means` and `variances`, each (K,), return the
# responsibilities (N, K). Some points are very far out. *About four lines.*

# %% tags=["exercise"]
def responsibilities(x, weights, means, variances):
    ### BEGIN SOLUTION
    a = np.log(weights) - np.log(2 * np.pi * variances) / 2 - (x[:, None] - means) ** 2 / (2 * variances)  # (N, K)
    a -= a.max(axis=1, keepdims=True)  # c cancels in the division
    shares = np.exp(a)  # (N, K)
    return shares / shares.sum(axis=1, keepdims=True)
    ### END SOLUTION

# %% tags=["check"]
check(responsibilities)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# $a_{nk} = \log \pi_k - \tfrac12 \log(2\pi\sigma_k^2) - (x_n - \mu_k)^2 / (2\sigma_k^2)$, an array (N, K). Take from
# each row its largest entry (`a.max(axis=1, keepdims=True)`), then `np.exp`, then divide each row by its sum.
# </details>

# %% [markdown]
# ### Exercise 3: the M step
#
# From `X` (N, D), points with any number of features, and the responsibilities `r` (N, K) return the weights (K,) and
# the means (K, D). *About three lines.*

# %% tags=["exercise"]
def weights_and_means(X, r):
    ### BEGIN SOLUTION
    counts = r.sum(axis=0)  # (K,)
    return counts / len(X), (r.T @ X) / counts[:, None]
    ### END SOLUTION

# %% tags=["check"]
check(weights_and_means)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# The sums $\sum_n r_{nk}\,x_n$ for all k at once are the product `r.T @ X`, (K, N) times (N, D). Divide row k by
# $N_k$, the sum of column k of `r`.
# </details>

# %% [markdown]
# ## Watch it run
#
# In the plane a mean is a point, and the variance becomes a covariance matrix $\Sigma_k$ (2, 2): the weighted mean of
# the products $(x_n - \mu_k)(x_n - \mu_k)^T$. It says how wide the component is in every direction, so a component
# may be long, tilted, or small. Here are three heaps, one of each kind, and three components that all begin in the
# same heap. Stars are the means, and the ellipses lie one and two standard deviations from them. A point's colour
# mixes those of the components, as its responsibilities say; its mark is that of the component with most of it. (The
# mean log density of the fitted points is called their mean **log-likelihood**.)

# %%
rng = np.random.default_rng(0)
tilted = rng.normal(size=(200, 2)) * [2.6, 0.45] @ [[0.8, 0.6], [-0.6, 0.8]]  # (200, 2)
group = np.repeat([0, 1, 2], [200, 150, 100])  # (N,)
X = np.concatenate([tilted, rng.normal(size=(150, 2)) * 1.6 + [4.5, -2.5],
                    rng.normal(size=(100, 2)) * 0.4 + [-3.2, 1.5]])  # (N, 2)
weights, means, covariances = np.full(3, 1 / 3), X[:3], np.repeat(4 * np.eye(2)[None], 3, axis=0)
r, history, steps = np.empty((len(X), 3)), [], []  # (N, K)
while len(history) < 2 or history[-1] - history[-2] > 1e-6:
    factors = precision_factor(covariances, "full", means, 0)  # what e_step wants in place of covariances: (K, 2, 2)
    history.append(e_step(X, weights, means, factors, r))  # writes into r
    steps.append((f"iteration {len(history)}", r.copy(), means, covariances))
    weights, means, covariances = m_step(X, r, "full", 0)
shown = [*(0, 1, 5, 10, 20, 25, 30)[:len(steps) - 1], len(steps) - 1]
strip = plotting.mixtures(X, [steps[i] for i in shown if i < len(steps)], title="EM on three heaps")
display(show(strip, alt="Eight panels: three overlapping ellipses move apart, until each lies on one heap"))
found = KMeans(3, n_init=5, random_state=0).fit_predict(X)  # (N,)
print(f"EM puts {metrics.accuracy(group, r.argmax(axis=1)):.1%} of the points with their own group, "
      f"k-means {metrics.accuracy(group, found):.1%}")
curve = plotting.curves({"mean log-likelihood": (range(1, len(history) + 1), history)}, xlabel="iteration",
                        ylabel="mean of log p(x)",
                        title=f"It never falls: the smallest step is {np.diff(history).min():+.1g}")
display(show(curve, alt="The mean log-likelihood rises, in two bursts, and then stays"))
# Run this cell, and there is a slider below the pictures: drag.
slider(lambda i: plotting.mixtures(X, [steps[i]], title="", size=6), len(steps), label="iteration")

# %% [markdown]
# **Why can it not fall?** Write $a_{nk}$ for $\log(\pi_k\,\text{Normal}(x_n \mid \mu_k, \Sigma_k))$, as above. The
# logarithm bends downwards, so the logarithm of a weighted mean is at least the weighted mean of the logarithms
# (Jensen's inequality). For any shares $q_{nk}$ whose rows add up to 1,
#
# $$ \log p(x_n) = \log \sum_k q_{nk}\,\frac{e^{a_{nk}}}{q_{nk}} \;\ge\; \sum_k q_{nk} \log \frac{e^{a_{nk}}}{q_{nk}}
#    = \sum_k q_{nk}\,(a_{nk} - \log q_{nk}) $$
#
# with equality if $q_{nk}$ are the responsibilities, for then all the fractions are the same number, $p(x_n)$. So the
# E step lifts the right side up to the left one, and the M step raises the right side further, by the best parameters
# for these shares. (Only $\sum_n \sum_k q_{nk}\,a_{nk}$ holds parameters. Its derivative by $\mu_k$ is 0 where
# $\sum_n q_{nk}\,(x_n - \mu_k) = 0$: at the weighted mean. The others go the same way.) The left side is never below
# it. This is Lloyd's argument of lesson 5 once more: two
# half-steps, neither can do harm. And as there, it may end in a valley that is not the deepest (here: on a hill that
# is not the highest), so start more than once. EM's name and this proof are by Dempster, Laird and Rubin (1977).
#
# Here are the library's log-sum-exp, E step and M step. (The numbers beside them are those of the equations in C.
# Bishop's book "Pattern Recognition and Machine Learning", chapter 9; `log_joint` is $a$.) They differ from yours in
# this: points come in blocks, any number of dimensions is allowed, and four kinds of covariance; `reg_covar` is a
# little width that keeps a component from shrinking onto a single point, where its density would be infinite.
# `KernelDensity` has the same trick inside, in the last function: a Gaussian kernel is largest where the point is
# nearest, so the largest term is known before any `exp`.

# %%
functions = log_sum_exp, responsibilities, e_step, m_step, kernel_sums.log_sums_of_tile
print("\n\n".join(map(source, functions)))

# %% [markdown]
# ## k-means is the hard limit
#
# Take the freedom away: all weights equal, all components round, all of the same fixed standard deviation $s$. Then
# only distances are left in the responsibilities:
#
# $$ r_{nk} = \frac{e^{-|x_n - \mu_k|^2 / (2 s^2)}}{\sum_j e^{-|x_n - \mu_j|^2 / (2 s^2)}} $$
#
# Let $s$ go to 0. The nearest mean gets 1 and all others get 0: the E step becomes *assign*, the M step *update*.
# Here EM for the means alone, run to its end from the same three points, with four sizes of $s$; and Lloyd's
# algorithm.

# %%
centers = X[:3]  # (K, 2)
for _ in range(100):
    lloyd_labels, centers, _, _ = lloyd.lloyd_step(X, centers)
panels = []
for s in (2.0, 1.0, 0.3, 0.001):
    means = X[:3]  # (K, 2)
    for _ in range(300):
        e_step(X, np.full(3, 1 / 3), means, np.full((3, 2), 1 / s), r)  # a diagonal factor is 1 / s
        means = m_step(X, r, "spherical", 0)[1]  # (K, 2)
    undecided = (r.max(axis=1) < 0.99).sum()
    away = np.abs(means - centers).max()
    print(f"s = {s:<5}  {undecided:3} of {len(X)} points have no responsibility above 0.99; "
          f"the means are at most {away:.3f} away from Lloyd's")
    panels.append((f"s = {s}", r.copy(), means, np.repeat(s**2 * np.eye(2)[None], 3, axis=0)))
print("with the last s, the same labels as Lloyd's algorithm:", np.array_equal(r.argmax(axis=1), lloyd_labels))
show(plotting.mixtures(X, panels, title="Round components that shrink: soft shares become hard labels"),
     alt="Four panels; colours are mixed for a large s and pure for a small one, whose ellipses are too small to see")

# %% [markdown]
# So k-means is a mixture that has been told three things: all clusters are equally likely, all are round, and all
# have one size. Where that is wrong, as here, it cuts the long heap in pieces.
#
# ## How many components?
#
# The likelihood cannot tell: on the data that it was fitted to, more components only make it larger. Two criteria,
# by Akaike (1974) and Schwarz (1978), make each further parameter pay. With $L$ the log-likelihood of all points,
# $\sum_n \log p(x_n)$, and F the number of parameters that can be chosen freely,
#
# $$ \text{AIC} = -2 L + 2 F \qquad\qquad \text{BIC} = -2 L + F \log N $$
#
# Take the K for which it is lowest. BIC is the stricter one as soon as N is above 7. What is F? A component has D
# numbers in its mean and, because a covariance is symmetric, D (D + 1) / 2 in its covariance. And there are K
# weights, of which the last one follows from the others.
#
# ### Exercise 4: BIC
#
# From the log densities $\log p(x_n)$, `log_p` (N,), of the fitted points, and the numbers `n_components` and
# `n_features`, return the BIC of a mixture with full covariances. *About three lines.*

# %% tags=["exercise"]
def bic(log_p, n_components, n_features):
    ### BEGIN SOLUTION
    each = n_features + n_features * (n_features + 1) / 2
    n_parameters = n_components * each + n_components - 1
    return -2 * log_p.sum() + n_parameters * np.log(len(log_p))
    ### END SOLUTION

# %% tags=["check"]
check(bic)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# Two components in the plane have 2 (2 + 3) + 1 = 11 parameters. `np.log` is the natural logarithm.
# </details>

# %%
numbers = list(range(1, 8))
fits = [GaussianMixture(k, n_init=5, tol=1e-5, max_iter=1000, random_state=0).fit(X) for k in numbers]
scores = {"AIC": [fit.aic(X) for fit in fits], "BIC": [fit.bic(X) for fit in fits],
          "-2 log-likelihood": [-2 * len(X) * fit.score(X) for fit in fits]}
lowest = {name: int(np.argmin(scores[name])) for name in ("AIC", "BIC")}
marked = {f"{name} is lowest at K = {numbers[i]}": ([numbers[i]], [scores[name][i]]) for name, i in lowest.items()}
show(plotting.curves({name: (numbers, values) for name, values in scores.items()}, points=marked,
                     xlabel="K, the number of components", ylabel="criterion: lower is better",
                     title="More components always fit better; the criteria ask whether they are worth it"),
     alt="Minus two log-likelihoods keeps falling; both criteria fall to three components; then BIC rises, AIC hardly")

# %% [markdown]
# BIC is sure of three. AIC is nearly undecided from there on: it asks less of a further parameter.
#
# ## The density of the codes
#
# Now the main job. An autoencoder squeezes each zero and one into a code of three numbers between 0 and 1. Where in
# that cube do the codes lie? We fit densities to the codes of the training images, and judge them by the codes of the
# test images. (Leave-one-out looks at all pairs, so it chooses its bandwidth on 2,000 codes. With more codes a
# somewhat smaller one would do.)

# %%
model = Autoencoder((128, 3), epochs=20, random_state=0).fit(images)
codes = model.transform(images).astype(np.float64)  # (N, 3)
test_images, test_labels = load_mnist("test", digits=(0, 1))  # (T, 784), (T,)
test_codes = model.transform(test_images).astype(np.float64)  # (T, 3)
numbers = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32]
mixtures = {k: GaussianMixture(k, max_iter=500, random_state=0).fit(codes) for k in numbers}
bandwidth = KernelDensity("leave-one-out").fit(codes[:2000]).bandwidth_
kernels = KernelDensity(bandwidth).fit(codes)
print("mean log density of the test codes")
print(f"  all places in the cube alike   {0:6.2f}")
for name, density in (("one Gaussian", mixtures[1]), ("two Gaussians", mixtures[2]),
                      ("16 Gaussians", mixtures[16]), ("kernels, Scott's rule", KernelDensity("scott").fit(codes)),
                      (f"kernels, leave-one-out ({bandwidth:.2g})", kernels)):
    print(f"  {name:30} {density.score_samples(test_codes).mean():6.2f}")
show(plotting.curves({"BIC": (numbers, [mixtures[k].bic(codes) for k in numbers])},
                     xlabel="K, the number of components", ylabel="BIC: lower is better",
                     title="Two digits, and still BIC wants many components"),
     alt="BIC falls steeply for the first components, and goes on falling slowly")

# %% [markdown]
# (The density that is the same everywhere in the cube is 1, because the cube's volume is 1; its logarithm is 0.)
#
# BIC counts Gaussians, not digits. The heaps of codes are bent and fill corners of the cube, and many small Gaussians
# follow a bent heap better than one large one. Two components, on the other hand, are a fair question about digits.
# Here they are, drawn along the two axes on which their means differ most. (To look along an axis is to leave out its
# number; of a Gaussian, leave out its row and its column.)

# %%
two, kmeans = mixtures[2], KMeans(2, n_init=4, random_state=0).fit(codes)
for name, clusters in (("two Gaussians", two.predict(codes)), ("k-means", kmeans.labels_)):
    print(f"{name:14} accuracy {metrics.accuracy(labels, clusters):.4f}")
seen = np.sort(np.argsort(np.abs(two.means_[0] - two.means_[1]))[1:])  # two of the three axes
panel = [("", two.predict_proba(codes)[::4], two.means_[:, seen], two.covariances_[:, seen[:, None], seen])]
digit_of = metrics.best_matching(labels, two.predict(codes))
show(plotting.mixtures(codes[::4][:, seen], panel, size=6, title="The codes of every fourth image, and two Gaussians",
                       axes_names=[f"number {axis + 1} of the code" for axis in seen],
                       names=[f"component {k}: mostly {digit_of[k]}s" for k in range(2)]),
     alt="Two heaps of codes in two colours, with their ellipses")

# %% [markdown]
# ## A generator of digits
#
# A density can be sampled: draw a component, draw a code from it, let the decoder draw the image. From kernels: take
# one of the codes and move it a little, as its kernel says. Beside them codes from anywhere in the cube, all places
# alike. (Gaussians know nothing of the cube's walls. Codes beyond are put on the wall.)
#
# Do not trust ten tiles. How far is each drawn image from the nearest of the test images, in squared error per pixel?
# The decoder blurs, so 0 is out of reach. The last bar shows what is possible: images drawn from codes of real ones.

# %%
def decode(codes):
    """The images (N, 784) of codes (N, 3)."""
    return model.inverse_transform(np.clip(codes, 0, 1).astype(np.float32))


n, rng = 1000, np.random.default_rng(0)
drawn = {"anywhere": rng.random((n, 3)), "one Gaussian": mixtures[1].sample(n)[0],
         "16 Gaussians": mixtures[16].sample(n)[0], "kernels": kernels.sample(n, random_state=0),
         "real codes": codes[rng.integers(len(codes), size=n)]}  # each (n, 3)
rows = plotting.tiles(np.concatenate([decode(some[:: n // 10]) for some in drawn.values()]),
                      [name for name in drawn for _ in range(10)], (28, 28), title="Digits drawn from codes")
display(show(rows, alt="Rows of digits: smears among those from anywhere and from one Gaussian, mostly clean zeros "
                       "and ones, with a smear in each row, from the mixture and the kernels"))
distances = {}
for name, some in drawn.items():
    made = decode(some)  # (n, 784)
    squared = (made**2).sum(axis=1)[:, None] - 2 * made @ test_images.T + (test_images**2).sum(axis=1)  # (n, T)
    distances[name] = float(squared.min(axis=1).mean() / 784)
show(plotting.bars(list(distances), list(distances.values()), line=distances["real codes"],
                   xlabel="squared distance per pixel to the nearest test image, mean of 1,000",
                   title="How far a drawn image is from the nearest real one"),
     alt="The bar of codes from anywhere is the longest; those of the mixture and the kernels are about as short as "
         "that of real codes")

# %% [markdown]
# ## Where the density is low
#
# Walk on a straight line from the densest code of one component to that of the other, and ask the decoder on the way.
# In the gap between the heaps the density is low, and what the decoder draws there is neither digit.
#
# Few real images have such codes. Which images are strange, then? Three ways to ask, ten images each: those of the
# lowest density (under 16 Gaussians), those whose responsibilities (of the two Gaussians) are nearest to 1/2, and
# those with the greatest doubt of lesson 6, the distance to the nearest centre of k-means divided by that to the
# other one.

# %%
log_p, share = mixtures[16].score_samples(codes), two.predict_proba(codes)  # (N,), (N, 2)
ends = [codes[np.where(share[:, k] > 0.99, log_p, -np.inf).argmax()] for k in range(2)]
walk = ends[0] + np.linspace(0, 1, 11)[:, None] * (ends[1] - ends[0])  # (11, 3)
captions = [f"log p\n{value:.1f}" for value in mixtures[16].score_samples(walk)]
between = plotting.tiles(decode(walk), captions, (28, 28), n_columns=11,
                         title="From heap to group, with the log density under 16 Gaussians")
display(show(between, alt="A one fades while a zero appears; between them, where the density is lowest, are smears"))
near, far = np.sort(kmeans.transform(codes), axis=1).T  # (N,), (N,)
strange = {"lowest density": np.argsort(log_p), "share nearest 1/2": np.argsort(np.abs(share[:, 0] - 0.5)),
           "greatest doubt": np.argsort(-near / far)}  # each (N,)
first = np.concatenate([some[:10] for some in strange.values()])  # (30,)
names = [f"a {labels[i]}: {name.split()[-1]}" for i, name in zip(first, np.repeat(list(strange), 10))]
wrong = {}
for name, clusters in (("two Gaussians", two.predict(codes)), ("k-means", kmeans.labels_)):
    digit_of = metrics.best_matching(labels, clusters)
    wrong[name] = np.array([digit_of[k] for k in clusters]) != labels  # (N,)
    print(f"{name}: {wrong[name].sum()} wrong; of these among the first 100 by " + ", ".join(
        f"{way}: {wrong[name][some[:100]].sum()}" for way, some in strange.items()))
show(plotting.tiles(images[first], names, (28, 28),
                    title="Ten images each: lowest density; responsibilities nearest to 1/2; greatest doubt"),
     alt="Odd zeros and ones of an unusual slant or width; mostly narrow zeros, and a one with a foot; slanted ones")

# %% [markdown]
# They are three different questions:
#
# - **Low density**: is it like anything that we have seen? These images are odd, and most of them are clearly one
#   digit.
# - **Responsibilities near 1/2**: is it between the two? Mostly narrow zeros, and a one with a foot. Here the
#   mixture's own mistakes are found.
# - **Doubt**: is it halfway between two *centres*? For the mistakes of k-means that is the right question. But for
#   long heaps halfway is the wrong place to look: the slanted ones are plain ones at the end of a long heap. The
#   mixture knows that the heap is long.
#
# ## What you know now
#
# - A density is never negative and integrates to 1. Histograms need edges, kernels a bandwidth, mixtures a K.
# - Data must not judge what was fitted to them: leave one out, keep some aside, or make parameters pay (AIC, BIC).
# - EM: responsibilities, then weighted means, covariances and weights; the likelihood never falls. Work with
#   logarithms.
# - k-means is EM with equal weights and round components of one size that goes to 0.
# - A density of codes and a decoder are a generator. Low density means odd; shares near 1/2 mean in between.
#
# ## To think about
#
# 1. In the table above, one Gaussian may come out worse than the density that is the same everywhere. How can a
#    fitted density be worse than none?
# 2. Let one component of a mixture sit exactly on one of the points, and let its variance go to 0. What happens to
#    the likelihood? What about kernels with h to 0?
# 3. The histogram, the kernels and the mixture: which of them would you take for 100 points in one dimension, for
#    a million points in three, and for 1,000 points in 50?
#
# **Before:** [lesson 5](05_kmeans_by_hand.ipynb) writes k-means, [lesson 6](06_clustering_the_codes.ipynb) looks for
# doubtful codes. **Next:** [lesson 13](13_spectral_clustering.ipynb) finds groups of any shape.

# %% [markdown] tags=["answer"]
# **Answers**
#
# 1. It was the best *of its family*. One Gaussian over two heaps must put much of its area into the gap between them
#    and beyond the walls of the cube, where no code can be. What it wastes there is missing where the codes are.
# 2. The density at that point is proportional to 1 / (standard deviation), to the power D, and grows without end,
#    while the other components take care of the other points: the likelihood has no largest value. This is what
#    `reg_covar` is for. With kernels it happens at all points at once; leaving one out is the remedy.
# 3. One dimension and 100 points: kernels. Three dimensions and a million points: a mixture, which afterwards costs K
#    terms for each place and not a million; or a histogram, if boxes are fine enough. In 50 dimensions 1,000 points
#    are far from each other, and kernels see nothing but gaps: a Gaussian or a mixture with diagonal covariances, or
#    first a code of fewer numbers.
