# %% [markdown]
# # 12 · Densities
#
# Where are the data, and where are they not? A density gives an answer for every place, including places where no point
# has been seen. With a density we can draw new points, find unusual points, and say how much a point between two groups
# belongs to each. At the end of this lesson a density of codes generates new digits.
#
# **After this lesson you can** estimate a density with bins, with kernels and with a mixture of Gaussians, choose the
# bin width, the bandwidth and the number of Gaussians with care, write the two steps of EM, and say in which sense
# k-means is one of its limits.
#
# **You need** lessons 1 and 5 and about 60 minutes. You should know the normal distribution and, for the part in the
# plane, covariance matrices. Lesson 6 helps at the end.
#
# We start with a single number for each image, its **ink**: the mean pixel, in percent of white. A one needs less ink
# than a zero. Suppose that only 200 of the images are known; the others are held out for evaluation.

# %%
import numpy as np

from aelearn import Autoencoder, GaussianMixture, KernelDensity, KMeans, load_mnist, metrics, plotting
from aelearn.density import histogram_density, kernel_sums
from aelearn.kmeans import lloyd
from aelearn.mixture.em import e_step, log_sum_exp, m_step, responsibilities
from aelearn.mixture.gaussians import precision_factor
from aelearn.teaching.checks import check
from aelearn.teaching.notebooks import show, slider, source, waiting

images, labels = load_mnist("train", digits=(0, 1))  # (N, 784), (N,)
ink = 100 * images.mean(axis=1, dtype=np.float64)  # (N,)
order = np.random.default_rng(0).permutation(len(ink))
few, others = ink[order[:200]], ink[order[200:]]  # (200,), (N - 200,)
print(f"{len(few)} known images, with {few.min():.1f} to {few.max():.1f} percent of ink; {len(others):,} others")

# %% [markdown]
# Notation: N points of D numbers each are `X` (N, D); a mixture has K components.
#
# ## What a density is
#
# A density $p$ is a function that is never negative, and the area under it is a probability:
#
# $$ P(a < x < b) = \int_a^b p(x)\,dx \qquad \int_{-\infty}^{\infty} p(x)\,dx = 1 $$
#
# Its value at a point is not a probability. It has a unit, here "per percent of ink", and it may be larger than 1.
#
# The oldest estimate is the **histogram**: divide the line into bins of width $w$ and count.
#
# $$ p(x) = \frac{\text{points in the bin of } x}{N\,w} $$
#
# Because of the division by N and by the width, the areas of the bars add up to 1. How wide should a bin be, and where
# should the first one start? Below, the black ticks are the 200 points; the lines show the histogram of the held-out
# images.

# %%
def outline(histogram):
    """The upper outline of a histogram, as the xs and ys of a line."""
    return np.repeat(histogram.edges[0], 2), np.concatenate([[0], np.repeat(histogram.density, 2), [0]])


low, high = 0.0, 42.0
truth = outline(histogram_density(others[:, None], [np.arange(low, high + 0.1, 0.7)]))
panels = []
for caption, edges in (("width 1/3", np.arange(low, high + 0.1, 1 / 3)), ("width 2", np.arange(low, high + 0.1, 2)),
                       ("width 12", np.arange(low, high + 6.1, 12)), ("width 5", np.arange(low, high + 4, 5)),
                       ("width 5, shifted by 5/3", np.arange(low - 10 / 3, high + 4, 5)),
                       ("width 5, shifted by 10/3", np.arange(low - 5 / 3, high + 4, 5))):
    histogram = histogram_density(few[:, None], [edges])
    area = (histogram.density * np.diff(edges)).sum()
    panels.append((f"{caption}: area {area:.3f}", {"200 images": outline(histogram), "held-out images": truth}))
show(plotting.densities(panels, points=few, xlabel="ink, percent",
                        title="The same 200 points: above, the width of the bins changes, below, only their edges"),
     alt="Six histograms of the same points: bins that are too narrow are ragged, too wide ones hide the two peaks; "
         "moving the edges changes the picture")

# %% [markdown]
# Narrow bins show chance, wide ones hide the shape. And in the lower row only the position of the edges has changed,
# which has no meaning, and still the picture is different. Moreover, 20 bins per axis are $20^D$ bins in D dimensions,
# nearly all of them empty.
#
# ## Kernels
#
# So give each point a bin of its own, centred on the point, and make it smooth: a small bump $G$, called a **kernel**,
# of area 1. The density is the mean of all bumps. With a Gaussian bump of width $h$, the **bandwidth**:
#
# $$ p(x) = \frac{1}{N} \sum_n \frac{1}{h} G\!\left(\frac{x - x_n}{h}\right) \qquad
#    G(u) = \frac{1}{\sqrt{2\pi}}\, e^{-u^2/2} $$
#
# There are no edges any more, and the area is 1, because the mean of areas of 1 is 1.
#
# ### Exercise 1: a kernel estimate
#
# From `points` (N,), positions `x` (M,) and the bandwidth `h` return the density at these positions (M,). *Two or three
# lines.*

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
# `x[:, None] - points` has shape (M, N): every position minus every point. Remember to divide each bump by $h$: a wider
# bump is lower. Then take the mean over the points.
# </details>

# %% [markdown]
# ## The bandwidth
#
# The bandwidth of `KernelDensity` may be a number. `score_samples` returns the logarithm of the density, for a reason
# that we will see below.

# %%
xs = np.linspace(low, high, 400)  # (400,)
bandwidths = np.geomspace(0.15, 8, 18)  # (18,)


def estimate(h):
    """A panel: the kernel density of the 200 points with bandwidth h."""
    density = np.exp(KernelDensity(h).fit(few[:, None]).score_samples(xs[:, None]))  # (400,)
    return f"h = {h:.2g}", {"200 images": (xs, density), "held-out images": truth}


strip = plotting.densities([estimate(h) for h in bandwidths[[0, 4, 7, 10, 13, 17]]], points=few,
                           xlabel="ink, percent", title="The bandwidth: too small, about right, too large")
display(show(strip, alt="Six kernel densities: spikes for a small bandwidth, two peaks for a medium one, one broad "
                        "peak for a large one"))
# Run this cell, and drag the slider below the pictures.
slider(lambda h: plotting.densities([estimate(h)], points=few, xlabel="ink, percent", title="", size=7), bandwidths,
       label="bandwidth", alt="The kernel density of the 200 images with one bandwidth, and the held-out images")

# %% [markdown]
# How do we know which one is right when there are no held-out images? There are two answers.
#
# - **Scott's rule** (1992): $h = \sigma\,N^{-1/5}$ in one dimension, with the standard deviation $\sigma$ of the data.
#   It is derived for data from a single Gaussian. With two groups, $\sigma$ is mostly the distance between them, and
#   $h$ is too large.
# - **Likelihood**: under a good estimate the data are probable. Take the mean of $\log p(x_n)$ over the points and
#   maximise it. But do not use the points that carry the kernels: as $h$ goes to 0, each point sits on the peak of its
#   own bump, and the mean grows without limit. So evaluate each point with the bumps of all *others*:
#
# $$ p_{-n}(x_n) = \frac{1}{(N - 1)\,h} \sum_{m \ne n} G\!\left(\frac{x_n - x_m}{h}\right) $$
#
# This is called **leave-one-out**. For comparison, the plot shows what we could not know: the same mean over 2,000
# held-out images.

# %%
tried = np.geomspace(0.2, 6, 40)  # (40,)
judged = {"the 200 themselves": [], "leave-one-out": [], "held-out images": []}
for h in tried:
    bumps = np.exp(-((few[:, None] - few) / h) ** 2 / 2) / (np.sqrt(2 * np.pi) * h)  # (200, 200)
    judged["the 200 themselves"].append(np.log(bumps.mean(axis=1)).mean())
    np.fill_diagonal(bumps, 0)  # no point evaluates itself
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
                             title="Points that evaluate themselves always favour a smaller bandwidth"),
             alt="The mean log density of the points themselves rises towards bandwidth zero; leave-one-out and the "
                 "held-out images both have a maximum, at bandwidths below Scott's"))
draws = []  # for ten other sets of 200: h by leave-one-out; mean log density of other images with it and with Scott's
for seed in range(1, 11):
    shuffled = np.random.default_rng(seed).permutation(ink)[:, None]  # (N, 1)
    rivals = [KernelDensity(rule).fit(shuffled[:200]) for rule in ("leave-one-out", "scott")]
    draws.append([rivals[0].bandwidth_, *(rival.score_samples(shuffled[200:2200]).mean() for rival in rivals)])
widths, ours, theirs = np.array(draws).T  # (10,) each
print(f"leave-one-out chose h from {widths.min():.2f} to {widths.max():.2f}; on held-out images it was better than "
      f"Scott's rule in {(ours > theirs).sum()} draws of 10")

# %% [markdown]
# Leave-one-out saw only the 200 points, and yet its choice is almost as good for the held-out images as their own
# optimum; Scott's rule smooths more than either of them would. But the maxima are flat, so the choice varies, as the
# line below the plot shows.
#
# ## One Gaussian, then two
#
# Kernels keep every point, for ever. The other approach is to fix the shape of the density in advance, and to keep only
# its few parameters. One Gaussian has a mean $\mu$ and a variance $\sigma^2$:
#
# $$ \text{Normal}(x \mid \mu, \sigma^2) = \frac{1}{\sqrt{2\pi\sigma^2}}\; e^{-(x - \mu)^2 / (2\sigma^2)} $$
#
# The data are most probable under it if $\mu$ is their mean and $\sigma^2$ the mean of $(x_n - \mu)^2$. Two groups need
# two Gaussians. A **mixture** has K of them, its **components**, and weights $\pi_k$ that add up to 1:
#
# $$ p(x) = \sum_k \pi_k \,\text{Normal}(x \mid \mu_k, \sigma_k^2) $$
#
# To draw a point from it, choose component $k$ with probability $\pi_k$, and then draw a point from that component.

# %%
panels = []
for k in (1, 2):
    fit = GaussianMixture(k, tol=1e-6, max_iter=1000, random_state=0, verbose=1).fit(ink[:, None])
    lines = {"all images": outline(histogram_density(ink[:, None], [np.arange(low, high + 0.1, 0.7)])),
             "the mixture": (xs, np.exp(fit.score_samples(xs[:, None])))}
    for j in range(k) if k > 1 else ():
        variance = fit.covariances_[j, 0, 0]
        alone = np.exp(-(xs - fit.means_[j, 0]) ** 2 / (2 * variance)) / np.sqrt(2 * np.pi * variance)  # (400,)
        lines[f"component {j}, times its weight"] = (xs, fit.weights_[j] * alone)
    panels.append((f"K = {k}: mean log density {fit.score(ink[:, None]):.3f}", lines))
print(f"the components: weights {fit.weights_.round(2)}, means {fit.means_[:, 0].round(1)}, "
      f"standard deviations {np.sqrt(fit.covariances_[:, 0, 0]).round(1)}")
print(f"ones and zeros: weights [{(labels == 1).mean():.2f} {(labels == 0).mean():.2f}], mean ink "
      f"[{ink[labels == 1].mean():.1f} {ink[labels == 0].mean():.1f}]")
print(f"the more probable component is the right digit for {metrics.accuracy(labels, fit.predict(ink[:, None])):.1%}")
show(plotting.densities(panels, xlabel="ink, percent", title="One Gaussian, and two", n_columns=2, size=5),
     alt="One Gaussian is a broad bump over both groups; a mixture of two follows both")

# %% [markdown]
# The mixture knows nothing about digits, and yet its two components are roughly the two digits. Only roughly: the ink
# of neither digit is Gaussian, and each component takes whatever makes the data probable.
#
# ## EM: alternating between two steps
#
# How do we find the parameters? As in lesson 5 there are two unknowns: which component each point belongs to, and the
# parameters. If one is given, the other is easy.
#
# **E step** (expectation). The parameters are fixed. How probable is it that point $n$ comes from component $k$? By
# Bayes' rule, it is the component's share of the density at this point. It is called the **responsibility**:
#
# $$ r_{nk} = \frac{\pi_k\,\text{Normal}(x_n \mid \mu_k, \sigma_k^2)}
#                  {\sum_j \pi_j\,\text{Normal}(x_n \mid \mu_j, \sigma_j^2)} $$
#
# Each row of $r$ (N, K) adds up to 1. Where k-means has a label, EM has a row of probabilities.
#
# **M step** (maximisation). The responsibilities are fixed. Each component takes the weighted mean and the weighted
# variance of all points, and its weight is its share of them. With $N_k = \sum_n r_{nk}$,
#
# $$ \pi_k = \frac{N_k}{N} \qquad \mu_k = \frac{1}{N_k} \sum_n r_{nk}\,x_n \qquad
#    \sigma_k^2 = \frac{1}{N_k} \sum_n r_{nk}\,(x_n - \mu_k)^2 $$
#
# ### Why logarithms
#
# As written above, the E step breaks down far from the components. Here are two components with means 0 and 3, standard
# deviation 1 and weights 1/2, and points farther and farther away from both:

# %%
x = np.array([10.0, 50.0, 100.0, 200.0])  # (4,)
with np.errstate(all="ignore"):
    joint = 0.5 * np.exp(-((x[:, None] - [0.0, 3.0]) ** 2) / 2) / np.sqrt(2 * np.pi)  # (4, 2)
    for point, parts, shares in zip(x, joint, joint / joint.sum(axis=1, keepdims=True)):
        print(f"x = {point:5}   terms of the density {parts[0]:7.1g} and {parts[1]:7.1g}   "
              f"responsibilities {shares[0]:7.1g} and {shares[1]:7.1g}")

# %% [markdown]
# The terms become smaller than any floating-point number, they round to 0, and 0 / 0 is `nan`. Distant points are not
# rare: in hundreds of dimensions all points are far from everything.
#
# The logarithms of the terms cause no trouble. With $a_{nk} = \log \pi_k + \log \text{Normal}(x_n \mid \mu_k,
# \sigma_k^2)$,
#
# $$ \log r_{nk} = a_{nk} - \log \sum_j e^{a_{nj}} \qquad
#    \log \sum_j e^{a_j} = c + \log \sum_j e^{a_j - c} \quad \text{for any } c $$
#
# Choose for $c$ the largest of the $a_j$. Then one term of the sum is $e^0 = 1$, and nothing that matters can be
# rounded to 0. This is the **log-sum-exp** trick.
#
# ### Exercise 2: the E step
#
# From points `x` (N,) on a line and `weights`, `means` and `variances`, each (K,), return the responsibilities (N, K).
# Some points are very far away. *About four lines.*

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
# $a_{nk} = \log \pi_k - \tfrac12 \log(2\pi\sigma_k^2) - (x_n - \mu_k)^2 / (2\sigma_k^2)$, an array (N, K). Subtract
# from each row its largest entry (`a.max(axis=1, keepdims=True)`), apply `np.exp`, and divide each row by its sum.
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
# The sums $\sum_n r_{nk}\,x_n$ for all k at once are the product `r.T @ X`, (K, N) times (N, D). Divide row k by $N_k$,
# the sum of column k of `r`.
# </details>

# %% [markdown]
# ## Watch it run
#
# In the plane a mean is a point, and the variance becomes a covariance matrix $\Sigma_k$ (2, 2): the weighted mean of
# the products $(x_n - \mu_k)(x_n - \mu_k)^T$. It describes the width of the component in every direction, so a
# component may be long, tilted or small. Here are three groups, one of each kind, and three components that all start
# in the same group. Stars are the means, and the ellipses are one and two standard deviations away from them. The
# colour of a point mixes the colours of the components according to its responsibilities; its marker is that of the
# component with the largest one. (The mean log density of the fitted points is called their mean **log-likelihood**.)

# %%
rng = np.random.default_rng(0)
tilted = rng.normal(size=(200, 2)) * [2.6, 0.45] @ [[0.8, 0.6], [-0.6, 0.8]]  # (200, 2)
group = np.repeat([0, 1, 2], [200, 150, 100])  # (N,)
X = np.concatenate([tilted, rng.normal(size=(150, 2)) * 1.6 + [4.5, -2.5],
                    rng.normal(size=(100, 2)) * 0.4 + [-3.2, 1.5]])  # (N, 2)
weights, means, covariances = np.full(3, 1 / 3), X[:3], np.repeat(4 * np.eye(2)[None], 3, axis=0)
r, history, steps = np.empty((len(X), 3)), [], []  # (N, K)
while len(history) < 2 or history[-1] - history[-2] > 1e-6:
    factors = precision_factor(covariances, "full", means, 0)  # what e_step uses in place of covariances: (K, 2, 2)
    history.append(e_step(X, weights, means, factors, r))  # writes into r
    steps.append((f"iteration {len(history)}", r.copy(), means, covariances))
    weights, means, covariances = m_step(X, r, "full", 0)
shown = [*(0, 1, 5, 10, 20, 25, 30)[:len(steps) - 1], len(steps) - 1]
strip = plotting.mixtures(X, [steps[i] for i in shown if i < len(steps)], title="EM on three groups")
display(show(strip, alt="Eight panels: three overlapping ellipses move apart, until each covers one group"))
found = KMeans(3, n_init=5, random_state=0).fit_predict(X)  # (N,)
print(f"EM puts {metrics.accuracy(group, r.argmax(axis=1)):.1%} of the points into the right group, "
      f"k-means {metrics.accuracy(group, found):.1%}")
curve = plotting.curves({"mean log-likelihood": (range(1, len(history) + 1), history)}, xlabel="iteration",
                        ylabel="mean of log p(x)",
                        title=f"It never falls: the smallest step is {np.diff(history).min():+.1g}")
display(show(curve, alt="The mean log-likelihood rises, in two bursts, and then stays constant"))
# Run this cell, and drag the slider below the pictures.
slider(lambda i: plotting.mixtures(X, [steps[i]], title="", size=6), range(len(steps)), label="iteration",
       alt="Three groups of points, and the ellipses of the three components")

# %% [markdown]
# **Why can it not fall?** Write $a_{nk}$ for $\log(\pi_k\,\text{Normal}(x_n \mid \mu_k, \Sigma_k))$, as above. The
# logarithm is concave, so the logarithm of a weighted mean is at least the weighted mean of the logarithms (Jensen's
# inequality). For any positive $q_{nk}$ whose rows add up to 1,
#
# $$ \log p(x_n) = \log \sum_k q_{nk}\,\frac{e^{a_{nk}}}{q_{nk}} \;\ge\; \sum_k q_{nk} \log \frac{e^{a_{nk}}}{q_{nk}}
#    = \sum_k q_{nk}\,(a_{nk} - \log q_{nk}) $$
#
# with equality if the $q_{nk}$ are the responsibilities, because then all the fractions are the same number, $p(x_n)$.
# So the E step raises the right side until it equals the left one, and the M step raises the right side further, by
# the best parameters for these $q_{nk}$. (Only $\sum_n \sum_k q_{nk}\,a_{nk}$ contains parameters. Its derivative with
# respect to $\mu_k$ is 0 where $\sum_n q_{nk}\,(x_n - \mu_k) = 0$: at the weighted mean. The other parameters follow
# in the same way.) The left side is never below the right one. This is the argument for Lloyd's algorithm in lesson 5
# again: two steps, neither of which can do harm. And as there, it may end in a local optimum (here a maximum) that is
# not the global one, so start more than once. The name EM and this proof are due to Dempster, Laird and Rubin (1977).
#
# Here are the library's log-sum-exp, E step and M step. (The equation numbers are those of C. Bishop's book "Pattern
# Recognition and Machine Learning", chapter 9; `log_joint` is $a$.) They differ from yours in several ways: points
# come in blocks, and there may be any number of dimensions and four kinds of covariance; `reg_covar` adds a small
# width that keeps a component from shrinking onto a single point, where its density would be infinite. `KernelDensity`
# uses the same trick, in the last function: a Gaussian kernel is largest for the nearest point, so the largest term is
# known before any `exp`.

# %%
functions = log_sum_exp, responsibilities, e_step, m_step, kernel_sums.log_sums_of_tile
print("\n\n".join(map(source, functions)))

# %% [markdown]
# ## k-means is the hard limit
#
# Remove the freedom: all weights equal, all components round, all with the same fixed standard deviation $s$. Then only
# distances remain in the responsibilities:
#
# $$ r_{nk} = \frac{e^{-|x_n - \mu_k|^2 / (2 s^2)}}{\sum_j e^{-|x_n - \mu_j|^2 / (2 s^2)}} $$
#
# Let $s$ go to 0. The nearest mean gets 1 and all others get 0: the E step becomes *assign*, the M step *update*. Here
# is EM for the means alone, run to convergence from the same three points with four values of $s$; and Lloyd's
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
show(plotting.mixtures(X, panels, title="Round components that shrink: soft responsibilities become hard labels"),
     alt="Four panels; colours are mixed for a large s and pure for a small one, whose ellipses are too small to see")

# %% [markdown]
# So k-means is a mixture with three assumptions: all clusters are equally likely, all are round, and all have the same
# size. Where that is wrong, as here, it cuts the long group into pieces.
#
# ## How many components?
#
# The likelihood cannot tell us: on the data used for fitting, more components only make it larger. Two criteria, by
# Akaike (1974) and Schwarz (1978), put a price on each additional parameter. With $L$ the log-likelihood of all
# points, $\sum_n \log p(x_n)$, and F the number of free parameters,
#
# $$ \text{AIC} = -2 L + 2 F \qquad\qquad \text{BIC} = -2 L + F \log N $$
#
# Choose the K for which it is lowest. BIC is the stricter one as soon as N is above 7. What is F? A component has D
# numbers in its mean and, because a covariance is symmetric, D (D + 1) / 2 in its covariance. And there are K weights,
# of which the last one follows from the others.
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
with waiting("mixtures of one to seven components"):
    fits = [GaussianMixture(k, n_init=5, tol=1e-5, max_iter=1000, random_state=0).fit(X) for k in numbers]
scores = {"AIC": [fit.aic(X) for fit in fits], "BIC": [fit.bic(X) for fit in fits],
          "-2 log-likelihood": [-2 * len(X) * fit.score(X) for fit in fits]}
lowest = {name: int(np.argmin(scores[name])) for name in ("AIC", "BIC")}
marked = {f"{name} is lowest at K = {numbers[i]}": ([numbers[i]], [scores[name][i]]) for name, i in lowest.items()}
show(plotting.curves({name: (numbers, values) for name, values in scores.items()}, points=marked,
                     xlabel="K, the number of components", ylabel="criterion: lower is better",
                     title="More components always fit better; the criteria ask whether they are worth it"),
     alt="-2 log-likelihood keeps falling; both criteria fall to three components; then BIC rises, AIC hardly")

# %% [markdown]
# BIC clearly chooses three. AIC is nearly undecided from there on, because it penalises additional parameters less.
#
# ## The density of the codes
#
# Now the main job. An autoencoder compresses each zero and one into a code of three numbers between 0 and 1. Where in
# this cube are the codes? We fit densities to the codes of the training images, and evaluate them on the codes of the
# test images. (Leave-one-out looks at all pairs, so it chooses its bandwidth on 2,000 codes. With more codes a
# somewhat smaller bandwidth would do.)

# %%
model = Autoencoder((128, 3), epochs=20, random_state=0, verbose=1).fit(images)
codes = model.transform(images).astype(np.float64)  # (N, 3)
test_images, test_labels = load_mnist("test", digits=(0, 1))  # (T, 784), (T,)
test_codes = model.transform(test_images).astype(np.float64)  # (T, 3)
numbers = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32]
with waiting("ten mixtures"):
    mixtures = {k: GaussianMixture(k, max_iter=500, random_state=0).fit(codes) for k in numbers}
bandwidth = KernelDensity("leave-one-out", verbose=1).fit(codes[:2000]).bandwidth_
kernels = KernelDensity(bandwidth).fit(codes)
print("mean log density of the test codes")
print(f"  uniform in the cube            {0:6.2f}")
for name, density in (("one Gaussian", mixtures[1]), ("two Gaussians", mixtures[2]),
                      ("16 Gaussians", mixtures[16]), ("kernels, Scott's rule", KernelDensity("scott").fit(codes)),
                      (f"kernels, leave-one-out ({bandwidth:.2g})", kernels)):
    print(f"  {name:30} {density.score_samples(test_codes).mean():6.2f}")
show(plotting.curves({"BIC": (numbers, [mixtures[k].bic(codes) for k in numbers])},
                     xlabel="K, the number of components", ylabel="BIC: lower is better",
                     title="Two digits, but BIC favours many components"),
     alt="BIC falls steeply for the first components, and continues to fall slowly")

# %% [markdown]
# (The uniform density in the cube is 1, because the cube's volume is 1; its logarithm is 0.)
#
# BIC counts Gaussians, not digits. The groups of codes are curved and fill corners of the cube, and many small
# Gaussians follow a curved group better than one large one. Two components, on the other hand, are a fair question
# about digits. Here they are, drawn along the two axes on which their means differ most. (To look along an axis is to
# leave out its number; for a Gaussian, leave out its row and its column.)

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
     alt="Two groups of codes in two colours, with their ellipses")

# %% [markdown]
# ## A generator of digits
#
# A density can be sampled: draw a component, draw a code from it, and let the decoder draw the image. For kernels:
# choose one of the codes and perturb it according to its kernel. For comparison, there are also codes drawn uniformly
# from the cube. (Gaussians do not know the limits of the cube. Codes outside it are moved to its surface.)
#
# Do not trust ten tiles. How far is each generated image from the nearest test image, in squared error per pixel? The
# decoder blurs, so 0 cannot be reached. The last bar shows what is possible: images drawn from codes of real ones.

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
display(show(rows, alt="Rows of digits: smears among those from random codes and from one Gaussian, mostly clean zeros "
                       "and ones, with a smear in each row, from the mixture and the kernels"))
distances = {}
for name, some in drawn.items():
    made = decode(some)  # (n, 784)
    squared = (made**2).sum(axis=1)[:, None] - 2 * made @ test_images.T + (test_images**2).sum(axis=1)  # (n, T)
    distances[name] = float(squared.min(axis=1).mean() / 784)
show(plotting.bars(list(distances), list(distances.values()), line=distances["real codes"],
                   xlabel="squared distance per pixel to the nearest test image, mean of 1,000",
                   title="How far a generated image is from the nearest real one"),
     alt="The bar of random codes is the longest; those of the mixture and the kernels are about as short as "
         "that of real codes")

# %% [markdown]
# ## Where the density is low
#
# Walk in a straight line from the densest code of one component to that of the other, and decode the codes on the way.
# In the gap between the groups the density is low, and what the decoder draws there is neither digit.
#
# Few real images have such codes. Which images are unusual, then? There are three ways to ask, with ten images each:
# those of the lowest density (under 16 Gaussians), those whose responsibilities (of the two Gaussians) are closest to
# 1/2, and those with the greatest doubt in the sense of lesson 6, the distance to the nearest k-means centre divided
# by that to the other one.

# %%
log_p, share = mixtures[16].score_samples(codes), two.predict_proba(codes)  # (N,), (N, 2)
ends = [codes[np.where(share[:, k] > 0.99, log_p, -np.inf).argmax()] for k in range(2)]
walk = ends[0] + np.linspace(0, 1, 11)[:, None] * (ends[1] - ends[0])  # (11, 3)
captions = [f"log p\n{value:.1f}" for value in mixtures[16].score_samples(walk)]
between = plotting.tiles(decode(walk), captions, (28, 28), n_columns=11,
                         title="From group to group, with the log density under 16 Gaussians")
display(show(between, alt="A one fades while a zero appears; between them, where the density is lowest, are smears"))
near, far = np.sort(kmeans.transform(codes), axis=1).T  # (N,), (N,)
strange = {"lowest density": np.argsort(log_p), "responsibility nearest 1/2": np.argsort(np.abs(share[:, 0] - 0.5)),
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
     alt="Zeros and ones of unusual slant or width; mostly narrow zeros, and a one with a foot; slanted ones")

# %% [markdown]
# These are three different questions:
#
# - **Low density**: does it resemble anything that we have seen? These images are unusual, and most of them are clearly
#   one digit.
# - **Responsibilities near 1/2**: is it between the two? These are mostly narrow zeros, and a one with a foot. Here we
#   find the mixture's own mistakes.
# - **Doubt**: is it halfway between two *centres*? For the mistakes of k-means this is the right question. But for
#   long groups, halfway is the wrong place to look: the slanted ones are ordinary ones at the end of a long group. The
#   mixture knows that the group is long.
#
# ## What you know now
#
# - A density is never negative and integrates to 1. Histograms need edges, kernels a bandwidth, mixtures a K.
# - Do not evaluate a fit on its own data: leave one out, hold some out, or penalise parameters (AIC, BIC).
# - EM: responsibilities, then weighted means, covariances and weights; the likelihood never falls. Work with
#   logarithms.
# - k-means is EM with equal weights and round components of one size that goes to 0.
# - A density of codes and a decoder form a generator. Low density means unusual; responsibilities near 1/2 mean in
#   between.
#
# ## To think about
#
# 1. In the table above, one Gaussian may come out worse than the uniform density. How can a fitted density be worse
#    than none?
# 2. Let one component of a mixture sit exactly on one of the points, and let its variance go to 0. What happens to the
#    likelihood? What happens for kernels as h goes to 0?
# 3. The histogram, the kernels and the mixture: which would you use for 100 points in one dimension, for a million
#    points in three, and for 1,000 points in 50?
#
# **Previous:** [lesson 5](05_kmeans_by_hand.ipynb) writes k-means, [lesson 6](06_clustering_the_codes.ipynb) looks for
# doubtful codes. **Next:** [lesson 13](13_spectral_clustering.ipynb) finds groups of any shape.

# %% [markdown] tags=["answer"]
# **Answers**
#
# 1. It was the best *of its family*. One Gaussian over two groups must put much of its area into the gap between them
#    and outside the cube, where no code can be. What it wastes there is missing where the codes are.
# 2. The density at this point is proportional to 1 / (standard deviation), to the power D, and grows without limit,
#    while the other components take care of the other points: the likelihood has no maximum. This is what `reg_covar`
#    is for. With kernels it happens at all points at once; leaving one out is the remedy.
# 3. One dimension and 100 points: kernels. Three dimensions and a million points: a mixture, which afterwards needs
#    only K terms for each evaluation, not a million; or a histogram, if bins are good enough. In 50 dimensions 1,000
#    points are far from each other, and kernels see nothing but gaps: a Gaussian or a mixture with diagonal
#    covariances, or first a code of fewer numbers.
