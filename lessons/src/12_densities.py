# %% [markdown]
# # 12 · Densities
#
# Where are the data, and where are they not? A density gives an answer for every place, including places where no point
# has been seen. With a density we can draw new points, find unusual points, and say how much a point between two groups
# belongs to each. At the end of this lesson a density of codes generates new digits.
#
# **After this lesson you can** estimate a density with bins, with kernels and with a mixture of Gaussians, choose the
# bandwidth and the number of Gaussians with care, write the two steps of EM, also for data that do not fit into memory,
# and say in which sense k-means is a limit of EM.
#
# **You need** lessons 1 and 5 and about 75 minutes. You should know the normal distribution, and that a covariance
# matrix describes its shape in the plane.
#
# We start with a single number for each image, its **ink**: the mean pixel, in percent of white. A one needs less ink
# than a zero. Suppose that only 200 of the images are known; the others are held out for evaluation.

# %%
import numpy as np

from aelearn import Autoencoder, GaussianMixture, KernelDensity, load_mnist, plotting
from aelearn.density import histogram_density
from aelearn.mixture import em
from aelearn.teaching.checks import check, yours
from aelearn.teaching.notebooks import show, slider, waiting

images, labels = load_mnist("train", digits=(0, 1))  # (N, 784), (N,)
ink = 100 * images.mean(axis=1, dtype=np.float64)  # (N,)
order = np.random.default_rng(0).permutation(len(ink))
few, others = ink[order[:200]], ink[order[200:]]  # (200,), (N - 200,)


def outline(histogram):
    """The upper outline of a histogram, as the xs and ys of a line."""
    return np.repeat(histogram.edges[0], 2), np.concatenate([[0], np.repeat(histogram.density, 2), [0]])


low, high = 0.0, 42.0  # the pictures show this range of ink
truth = outline(histogram_density(others[:, None], [np.arange(low, high + 0.1, 0.7)]))  # bins of width 0.7
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
# should the first one start? Below, the black ticks are the 200 points; the orange line is the histogram of the
# held-out images.

# %% tags=["plot"]
# Draws the four histograms.
panels = []
for caption, edges in (("width 1/3", np.arange(low, high + 0.1, 1 / 3)), ("width 2", np.arange(low, high + 0.1, 2)),
                       ("width 5", np.arange(low, high + 4, 5)),
                       ("width 5, shifted by 5/3", np.arange(low - 10 / 3, high + 4, 5))):
    histogram = histogram_density(few[:, None], [edges])
    panels.append((caption, {"200 images": outline(histogram), "held-out images": truth}))
show(plotting.densities(panels, points=few, xlabel="ink, percent", n_columns=4, size=3.2,
                        title="Four histograms of the same 200 points"),
     alt="Four histograms of the same points: narrow bins are ragged, wide ones hide the two peaks, and moving the "
         "edges changes the picture")

# %% [markdown]
# Narrow bins show chance, wide ones hide the shape. And in the last picture only the position of the edges has changed,
# which has no meaning, and still it looks different. Moreover, 20 bins per axis are $20^D$ bins in D dimensions, nearly
# all of them empty.
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
# From here on the lesson computes with your function, if it is right.

# %%
density = yours(kernel_estimate, lambda points, x, h: np.exp(
    KernelDensity(h).fit(points[:, None]).score_samples(x[:, None])))
xs = np.linspace(low, high, 400)  # (400,)
bandwidths = np.geomspace(0.15, 8, 18)  # (18,)


def estimate(h):
    """A panel: the kernel density of the 200 points with bandwidth h."""
    return f"h = {h:.2g}", {"200 images": (xs, density(few, xs, h)), "held-out images": truth}


strip = plotting.densities([estimate(h) for h in bandwidths[[0, 4, 7, 10, 13, 17]]], points=few,
                           xlabel="ink, percent", title="The bandwidth: too small, about right, too large")
display(show(strip, alt="Six kernel densities: spikes for a small bandwidth, two peaks for a medium one, one broad "
                        "peak for a large one"))
# Run this cell, and drag the slider below the pictures.
slider(lambda h: plotting.densities([estimate(h)], points=few, xlabel="ink, percent", title="", size=7), bandwidths,
       label="bandwidth", alt="The kernel density of the 200 images with one bandwidth, and the held-out images")

# %% [markdown]
# How do we know which one is right when there are no held-out images? Under a good estimate the data are probable: take
# the mean of $\log p(x_n)$ over the points, the mean **log-likelihood**, and maximise it. But do not use the points
# that carry the kernels. As $h$ goes to 0, each point sits on the peak of its own bump, and the mean grows without
# limit. So evaluate each point with the bumps of all *others*. This is called **leave-one-out**.

# %%
tried = np.geomspace(0.4, 6, 25)  # (25,)
known, some = np.arange(len(few)), others[:500]
judged = {"the 200 themselves": [], "leave-one-out": [], "held-out images": []}
with waiting("25 bandwidths"):
    for h in tried:
        without = [density(few[known != n], few[[n]], h)[0] for n in known]  # each point under the bumps of the others
        for name, p in zip(judged, (density(few, few, h), without, density(few, some, h))):
            judged[name].append(np.log(np.maximum(np.asarray(p, dtype=float), 1e-300)).mean())  # p may round to 0
best = {name: int(np.argmax(judged[name])) for name in ("leave-one-out", "held-out images")}
show(plotting.curves({name: (tried, values) for name, values in judged.items()},
                     points={f"{name}: best with h = {tried[i]:.2g}": ([tried[i]], [judged[name][i]])
                             for name, i in best.items()},
                     xlabel="bandwidth h", ylabel="mean log-likelihood",
                     title="Points that evaluate themselves always favour a smaller bandwidth"),
     alt="The mean log-likelihood of the points themselves rises towards bandwidth zero; those of leave-one-out and of "
         "the held-out images both have a maximum, at similar bandwidths")

# %% [markdown]
# Leave-one-out saw only the 200 points, and yet its choice is almost as good for the held-out images as their own
# optimum. (There are rules of thumb as well, such as Scott's, $h = \sigma N^{-1/5}$, with $\sigma$ the standard
# deviation of all points. They are derived for a single Gaussian; two groups have a large $\sigma$, and the rule
# smooths too much.)
#
# ## One Gaussian, then two
#
# Kernels keep every point, for ever. The other approach is to fix the shape of the density in advance, and to keep only
# its few parameters. One Gaussian has a mean $\mu$ and a variance $\sigma^2$:
#
# $$ \text{Normal}(x \mid \mu, \sigma^2) = \frac{1}{\sqrt{2\pi\sigma^2}}\; e^{-(x - \mu)^2 / (2\sigma^2)} $$
#
# Two groups need two Gaussians. A **mixture** has K of them, its **components**, and weights $\pi_k$ that add up to 1:
#
# $$ p(x) = \sum_k \pi_k \,\text{Normal}(x \mid \mu_k, \sigma_k^2) $$
#
# To draw a point from it, choose component $k$ with probability $\pi_k$, and then draw a point from that component.
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
# As written above, the E step breaks down far from the components. At a distance of 40 standard deviations
# $e^{-800}$ is smaller than any floating-point number, all terms round to 0, and 0 / 0 is `nan`. Distant points are not
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
# the means (K, D). You need not return the variances: they are one more weighted mean, which the lesson computes.
# *About three lines.*

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
# Here are your two steps on the ink of 2,000 images. Both components start among the images with much ink.

# %%
def library_e_step(x, weights, means, variances):
    """Responsibilities (N, K), as the library computes them."""
    return em.responsibilities(em.log_joint(x[:, None], weights, means[:, None], 1 / np.sqrt(variances)[:, None]))[0]


e_step, m_step = yours((responsibilities, weights_and_means),
                       (library_e_step, lambda X, r: em.m_step(X, r, "spherical", 0)[:2]))


def shares_of_density(x, weights, means, variances):
    """Each component's part of the density at x (N,): (N, K)."""
    return weights * np.exp(-(x[:, None] - means) ** 2 / (2 * variances)) / np.sqrt(2 * np.pi * variances)


x = ink[order[:2000]]  # (N,)
weights, means, variances = np.array([0.5, 0.5]), np.array([20.0, 22.0]), np.array([25.0, 25.0])  # (K,) each
history, steps = [], []
while len(history) < 2 or history[-1] - history[-2] > 1e-6:
    r = np.asarray(e_step(x, weights, means, variances))  # (N, K); yours may be a list
    history.append(np.log(shares_of_density(x, weights, means, variances).sum(axis=1)).mean())
    steps.append((weights, means, variances))
    weights, means = map(np.ravel, m_step(x[:, None], r))  # (K,), (K,)
    variances = (r * (x[:, None] - means) ** 2).sum(axis=0) / r.sum(axis=0)  # (K,)
of_digits = outline(histogram_density(x[:, None], [np.arange(low, high + 0.1, 0.7)]))


def iteration(i):
    """A panel: the mixture before iteration i."""
    parts = shares_of_density(xs, *steps[i])  # (400, K)
    return f"iteration {i}: mean log-likelihood {history[i]:.3f}", {
        "2,000 images": of_digits, "the mixture": (xs, parts.sum(axis=1)), "component 0, times its weight":
        (xs, parts[:, 0]), "component 1, times its weight": (xs, parts[:, 1])}


shown = [*(0, 1, 5, 10, 20)[:len(steps) - 1], len(steps) - 1]
display(show(plotting.densities([iteration(i) for i in shown if i < len(steps)], xlabel="ink, percent",
                                title=f"EM: the log-likelihood never falls; its smallest step is "
                                      f"{np.diff(history).min():+.1g}"),
             alt="Six panels: two components that start close together move apart, until one covers the narrow peak of "
                 "little ink and the other one the broad peak"))
print(f"the components: weights {weights.round(2)}, means {means.round(1)}, standard deviations "
      f"{np.sqrt(variances).round(1)}")
print(f"ones and zeros: weights [{(labels == 1).mean():.2f} {(labels == 0).mean():.2f}], mean ink "
      f"[{ink[labels == 1].mean():.1f} {ink[labels == 0].mean():.1f}]")
# Run this cell, and drag the slider below the pictures.
slider(lambda i: plotting.densities([iteration(i)], xlabel="ink, percent", title="", size=7), range(len(steps)),
       label="iteration", alt="The histogram of 2,000 images, the mixture and its two components")

# %% [markdown]
# The mixture knows nothing about digits, and yet its two components are roughly the two digits. Only roughly: the ink
# of neither digit is Gaussian, and each component takes whatever makes the data probable.
#
# **Why can the log-likelihood not fall?** The argument is that of Lloyd's algorithm in lesson 5: two steps, neither of
# which can do harm.
#
# <details><summary>The proof</summary>
#
# The logarithm is concave, so the logarithm of a weighted mean is at least the weighted mean of the logarithms. For any
# positive $q_{nk}$ whose rows add up to 1,
#
# $$ \log p(x_n) = \log \sum_k q_{nk}\,\frac{e^{a_{nk}}}{q_{nk}} \;\ge\; \sum_k q_{nk}\,(a_{nk} - \log q_{nk}) $$
#
# with equality if the $q_{nk}$ are the responsibilities. So the E step raises the right side until it equals the left
# one, and the M step raises the right side further, by the best parameters for these $q_{nk}$. The left side is never
# below the right one (Dempster, Laird and Rubin, 1977).
# </details>
#
# As there, it may end in a local optimum, so start more than once. And **k-means is a limit of EM**: let all weights be
# equal and all standard deviations the same $s$, and let $s$ go to 0. The nearest mean gets the responsibility 1 and
# all others get 0: the E step becomes *assign*, the M step *update*. So k-means assumes that all clusters are equally
# likely, round, and of one size.
#
# ## In one pass
#
# A million images do not fit into memory, but blocks of them do. The E step looks at each point alone, so the
# responsibilities of a block can be computed when it arrives, and forgotten afterwards. Can the M step do the same?
#
# ### Exercise 4: the M step in one pass
#
# As in exercise 3, return the weights (K,) and the means (K, D). But now you get `blocks`, an iterator over pairs: some
# rows of `X` and the same rows of `r`. It can be read once, blocks differ in size, and all of them together do not
# fit into memory. *About six lines.*

# %% tags=["exercise"]
def means_in_one_pass(blocks):
    ### BEGIN SOLUTION
    n_points, counts, sums = 0, 0, 0
    for X, r in blocks:
        n_points += len(X)
        counts = counts + r.sum(axis=0)  # (K,)
        sums = sums + r.T @ X  # (K, D)
    return counts / n_points, sums / counts[:, None]
    ### END SOLUTION

# %% tags=["check"]
check(means_in_one_pass)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# Weights and means are quotients of sums: N, $\sum_n r_{nk}$ and $\sum_n r_{nk}\,x_n$. Start each at 0, loop over the
# blocks (`for X, r in blocks:`) and add to the three sums. Divide after the loop.
# </details>

# %% [markdown]
# ## How many components?
#
# The likelihood cannot tell us: on the data used for fitting, more components only make it larger. The Bayesian
# information criterion (G. Schwarz, 1978) puts a price on each additional parameter. With $L$ the log-likelihood of all
# points, $\sum_n \log p(x_n)$, and F the number of free parameters,
#
# $$ \text{BIC} = -2 L + F \log N $$
#
# Choose the K for which it is lowest. (Akaike's criterion, AIC, is more generous: $-2 L + 2 F$.) What is F? In D
# dimensions the variance of a component becomes a covariance matrix (D, D), so that a component may be long or tilted.
# A component has D numbers in its mean and, because a covariance is symmetric, D (D + 1) / 2 in its covariance. And
# there are K weights, of which the last one follows from the others.
#
# ### Exercise 5: BIC
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
rng = np.random.default_rng(0)
tilted = rng.normal(size=(200, 2)) * [2.6, 0.45] @ [[0.8, 0.6], [-0.6, 0.8]]  # (200, 2)
X = np.concatenate([tilted, rng.normal(size=(150, 2)) * 1.6 + [4.5, -2.5],
                    rng.normal(size=(100, 2)) * 0.4 + [-3.2, 1.5]])  # (N, 2): three groups
numbers = list(range(1, 8))
with waiting("mixtures of one to seven components"):
    fits = [GaussianMixture(k, n_init=5, tol=1e-5, max_iter=1000, random_state=0).fit(X) for k in numbers]
criterion = yours(bic, lambda log_p, n_components, n_features: fits[n_components - 1].bic(X))
bics = [criterion(fit.score_samples(X), k, 2) for k, fit in zip(numbers, fits)]
lowest = int(np.argmin(bics))
display(show(plotting.curves({"BIC": (numbers, bics),
                              "-2 log-likelihood": (numbers, [-2 * fit.score_samples(X).sum() for fit in fits])},
                             points={f"lowest at K = {numbers[lowest]}": ([numbers[lowest]], [bics[lowest]])},
                             xlabel="K, the number of components", ylabel="lower is better",
                             title="More components always fit better; BIC asks whether they are worth it"),
             alt="-2 log-likelihood keeps falling; BIC falls to three components, and then it rises"))
panels = [(f"K = {k}", fit.predict_proba(X), fit.means_, fit.covariances_) for k, fit in zip(numbers[:4], fits)]
show(plotting.mixtures(X, panels, title="Stars: means; ellipses: 1 and 2 standard deviations; colours: components"),
     alt="One Gaussian covers everything, two share three groups, three match the groups, a fourth splits one of them")

# %% [markdown]
# ## A generator of digits
#
# Now the main job. An autoencoder compresses each zero and one into a code of three numbers between 0 and 1. Where in
# this cube are the codes? We fit densities to the codes of the training images and evaluate them on those of the test
# images. And we draw new codes from them, for the decoder to turn into images. From a mixture: draw a component, and
# a code from it. From kernels: choose one of the codes and perturb it by its kernel. (Gaussians do not know the limits
# of the cube; codes outside it are moved to its surface.)
#
# Do not trust ten tiles. How far is each generated image from the nearest test image, in squared error per pixel? The
# decoder blurs, so 0 cannot be reached; images decoded from real codes show what is possible.

# %%
model = Autoencoder((128, 3), epochs=20, random_state=0, verbose=1).fit(images)
codes = model.transform(images).astype(np.float64)  # (N, 3)
test_images = load_mnist("test", digits=(0, 1))[0]  # (T, 784)
test_codes = model.transform(test_images).astype(np.float64)  # (T, 3)
bandwidth = KernelDensity("leave-one-out", verbose=1).fit(codes[:2000]).bandwidth_  # all pairs: 2,000 are enough
found = {"one Gaussian": GaussianMixture(1, random_state=0).fit(codes),
         "16 Gaussians": GaussianMixture(16, max_iter=500, random_state=0, verbose=1).fit(codes),
         "kernels": KernelDensity(bandwidth).fit(codes)}


def decode(codes):
    """The images (N, 784) of codes (N, 3)."""
    return model.inverse_transform(np.clip(codes, 0, 1).astype(np.float32))


def distance(codes):
    """From the images of codes to the nearest test images: the mean squared error per pixel."""
    made = decode(codes)  # (n, 784)
    squared = (made**2).sum(axis=1)[:, None] - 2 * made @ test_images.T + (test_images**2).sum(axis=1)  # (n, T)
    return float(squared.min(axis=1).mean() / 784)


n, rng = 1000, np.random.default_rng(0)
drawn = {"anywhere": rng.random((n, 3)), **{name: p.sample(n)[0] for name, p in list(found.items())[:2]},
         "kernels": found["kernels"].sample(n, random_state=0), "real codes": codes[rng.integers(len(codes), size=n)]}
for name, some in drawn.items():
    score = f"{found[name].score_samples(test_codes).mean():5.2f}" if name in found else "     "
    print(f"{name:13} log density of the test codes {score}   distance to real images {distance(some):.4f}")

# %% tags=["plot"]
# Draws ten images from each density.
show(plotting.tiles(np.concatenate([decode(some[:: n // 10]) for some in drawn.values()]),
                    [name for name in drawn for _ in range(10)], (28, 28), title="Digits drawn from codes"),
     alt="Rows of digits: smears among those from random codes and from one Gaussian, mostly clean zeros and ones from "
         "the mixture, the kernels and real codes")

# %% [markdown]
# The codes from anywhere and from one Gaussian show what happens where the density is low: the decoder was never asked
# about such codes, and draws smears. (The cube has the volume 1, so the uniform density in it is 1 and its logarithm is
# 0. One Gaussian over two groups is hardly better.) The mixture and the kernels come close to real codes, but look at
# single tiles: they draw smears too, only less often.
#
# ## An open task
#
# Draw 1,000 codes whose images have hardly any smears, fewer even than those of real codes. The two pictures below are
# what to aim at, and the worst of what there is now.
#
# **What to try.** A density tells you how probable each of the codes is that you have drawn
# (`mixture.score_samples(drawn_codes)`), and nobody forces you to keep them all. `mixture.sample(5000)[0]` draws 5,000
# codes, one component after the other: shuffle them before you take the first 1,000, or some components are missing.
# Or draw from another density: more Gaussians, narrower kernels, one mixture for each digit. Look at the codes that you
# throw away.
#
# **How to see whether you got there.** `distance(mine)` should be below that of the real codes. That alone is easy:
# draw the same good code 1,000 times. So `variety(mine)`, the mean squared difference of two of your images, should
# stay above 90% of that of the real codes.

# %%
def variety(codes):
    """The mean squared difference per pixel of two images of these codes."""
    made = decode(codes)  # (n, 784)
    return float(2 * ((made**2).sum(axis=1).mean() - (made.mean(axis=0) ** 2).sum()) / 784)


mixture = found["16 Gaussians"]
worst = drawn["16 Gaussians"][np.argsort(mixture.score_samples(drawn["16 Gaussians"]))]  # (n, 3)
for name in ("real codes", "16 Gaussians"):
    print(f"{name:12} distance {distance(drawn[name]):.4f}, variety {variety(drawn[name]):.4f}")
display(show(plotting.tiles(decode(drawn["real codes"][:20]), [""] * 20, (28, 28),
                            title="Aim at this: images decoded from real codes"),
             alt="Twenty zeros and ones, most of them clean"))
show(plotting.tiles(decode(worst[:20]), [""] * 20, (28, 28),
                    title="What there is now: the twenty least probable of 1,000 codes from the mixture"),
     alt="Twenty images, of which many are smears")

# %% tags=["answer"]
many = mixture.sample(4000)[0]
within = many[(many > 0).all(axis=1) & (many < 1).all(axis=1)]  # not moved to the surface of the cube
likely = np.quantile(mixture.score_samples(codes), 0.3)  # three in ten real codes are less probable
mine = within[mixture.score_samples(within) > likely]
mine = mine[np.random.default_rng(0).permutation(len(mine))[:1000]]  # the mixture draws component by component
print(f"distance {distance(mine):.4f}, variety {variety(mine):.4f}")
show(plotting.tiles(decode(mine[:20]), [""] * 20, (28, 28), title="Codes within the cube that are not too improbable"),
     alt="Twenty clean zeros and ones")

# %% [markdown]
# ## What you know now
#
# - A density is never negative and integrates to 1. Histograms need edges, kernels a bandwidth, mixtures a K.
# - Do not evaluate a fit on its own data: leave one out, hold some out, or penalise parameters (BIC).
# - EM: responsibilities, then weighted means, variances and weights; the likelihood never falls. Work with logarithms.
#   Its sums can be collected block by block.
# - k-means is EM with equal weights and round components of one size that goes to 0.
# - A density of codes and a decoder form a generator. Where the density is low, the decoder does not know what to draw.
#
# ## To think about
#
# 1. One Gaussian may come out worse than the uniform density. How can a fitted density be worse than none?
# 2. Let one component of a mixture sit exactly on one of the points, and let its variance go to 0. What happens to the
#    likelihood? What happens for kernels as h goes to 0?
# 3. The histogram, the kernels and the mixture: which would you use for 100 points in one dimension, for a million
#    points in three, and for 1,000 points in 50?
#
# **To read on:** `aelearn/mixture/em.py` has both steps in any number of dimensions, `aelearn/density/kernel_sums.py`
# the sums over kernels.
#
# **Previous:** [lesson 5](05_kmeans_by_hand.ipynb) writes k-means, [lesson 6](06_clustering_the_codes.ipynb) looks for
# doubtful codes. **Next:** [lesson 13](13_spectral_clustering.ipynb) finds groups of any shape.

# %% [markdown] tags=["answer"]
# **Answers**
#
# 1. It is the best *of its family*. One Gaussian over two groups must put much of its area into the gap between them
#    and outside the cube, where no code can be. What it wastes there is missing where the codes are.
# 2. The density at this point is proportional to 1 / (standard deviation), to the power D, and grows without limit,
#    while the other components take care of the other points: the likelihood has no maximum. This is what `reg_covar`
#    is for. With kernels it happens at all points at once; leaving one out is the remedy.
# 3. One dimension and 100 points: kernels. Three dimensions and a million points: a mixture, which afterwards needs
#    only K terms for each evaluation, not a million; or a histogram, if bins are good enough. In 50 dimensions 1,000
#    points are far from each other, and kernels see nothing but gaps: a Gaussian or a mixture with diagonal
#    covariances, or first a code of fewer numbers.
