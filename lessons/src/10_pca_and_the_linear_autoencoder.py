# %% [markdown]
# # 10 · PCA and the linear autoencoder
#
# Lesson 4 trained a network to squeeze an image into three numbers. There is a much older way, from 1901, which needs
# no training: **principal component analysis**, PCA. It looks for the few straight directions that tell most about
# the data. An autoencoder whose layers do not bend looks for the same, and finds it. So PCA says what a network can
# do without bends, and what the bends are worth.
#
# **After this lesson you can** write PCA, say what it keeps and what it loses, look at its components, measure the
# angles between two spaces, and judge what a nonlinear autoencoder gains over it.
#
# **You need** lesson 4, and about 50 minutes. Eigenvectors of symmetric matrices should not be new to you; lesson 5
# helps at the end.

# %%
import numpy as np

from aelearn import PCA, Autoencoder, KMeans, load_mnist, metrics, plotting
from aelearn.pca import svd
from aelearn.teaching.checks import check
from aelearn.teaching.notebooks import show, slider, source

# %% [markdown]
# Letters: N samples of D numbers each are `X` (N, D), a code has C numbers.
#
# ## Shadows on a line
#
# How can a point of the plane become one number? Draw a line through the mean $m$ of all points, and let each point
# fall onto it, at a right angle. If the line has the direction $w$, of length 1, then
#
# $$ \text{code} = (x - m) \cdot w \qquad\qquad x' = m + \text{code} \; w $$
#
# The code says how far from the mean the point's shadow $x'$ lies. What is lost is the way from $x'$ to $x$. It
# depends on the line:

# %%
rng = np.random.default_rng(3)
cloud = rng.normal(size=(60, 2)) * [2, 0.7] @ np.array([[0.8, 0.6], [-0.6, 0.8]]) + [4, 2]  # (60, 2)
middle = cloud.mean(axis=0)  # (2,)


def unit(degrees):
    """A direction (2,) of length 1."""
    return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])  # (2,)


def project(w):
    """The shadows (60, 2) on the line in the direction w (2,), and the sums of squares that it keeps and loses."""
    codes = (cloud - middle) @ w  # (60,)
    projected = middle + codes[:, None] * w  # (60, 2)
    return projected, (codes**2).sum(), ((cloud - projected) ** 2).sum()


def panel(degrees):
    """What plotting.projections wants for one line."""
    w = unit(degrees)  # (2,)
    projected, kept, lost = project(w)
    return f"{degrees}°: kept {kept:.0f}, lost {lost:.0f}", cloud, projected, middle, w


show(plotting.projections([panel(degrees) for degrees in (0, 30, 60, 90, 120, 150)],
                          title="The same points fall onto six lines\n(sums of squares that are kept and lost)"),
     alt="Six panels: points and their shadows on lines in six directions; the ways are shortest along the cloud")

# %%
# Run this cell and drag.
slider(lambda step: plotting.projections([panel(5 * step)], title="", size=(6.5, 4.6)), 36, label="times 5°")

# %%
turns = range(0, 181, 5)
kept, lost = np.array([project(unit(degrees))[1:] for degrees in turns]).T  # (37,), (37,)
show(plotting.curves({"kept: the squares of the codes": (turns, kept), "lost: the squares of the ways": (turns, lost),
                      "both together": (turns, kept + lost)},
                     xlabel="direction of the line, in degrees", ylabel="sum over all points",
                     title=f"What is not kept is lost: together always {kept[0] + lost[0]:.0f}"),
     alt="Two waves, one high where the other is low; their sum is a level line")

# %% [markdown]
# The sum does not depend on the line. Point, shadow and mean are the corners of a triangle with a right angle at the
# shadow, and Pythagoras says
#
# $$ \sum_n |x_n - m|^2 = \sum_n \text{code}_n^2 + \sum_n |x_n - x'_n|^2 $$
#
# The left side is fixed by the data. So two aims that sound different are the same: **the line that keeps the most is
# the line that loses the least.** The mean of the squared codes is their variance (but for $N - 1$ in place of $N$,
# which changes no direction), and this is why one says that PCA looks for the directions of most variance. (Through
# the mean goes the best line of each direction: that is question 2.)
#
# ## Which direction is best?
#
# Trying all of them will not do with 784 dimensions. The variance along any direction $w$ is in one matrix, the
# **covariance** $S$ (D, D). With the centred data $A = X - m$ (N, D), the codes are $A\,w$, and
#
# $$ S = \frac{1}{N - 1} A^T A \qquad\qquad \text{variance along } w = \frac{1}{N - 1} |A\,w|^2 = w^T S\, w $$
#
# ### Exercise 1: mean and covariance
#
# From `X` (N, D) return the mean (D,) and the covariance (D, D), with $N - 1$ as above. Use no `np.cov`. *Three
# lines.*

# %% tags=["exercise"]
def mean_and_covariance(X):
    ### BEGIN SOLUTION
    mean = X.mean(axis=0)  # (D,)
    A = X - mean  # (N, D)
    return mean, A.T @ A / (len(X) - 1)
    ### END SOLUTION

# %% tags=["check"]
check(mean_and_covariance)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# The mean is over the samples, `axis=0`. Take it away before you multiply. (D, D) comes from (D, N) times (N, D).
# </details>

# %% [markdown]
# $S$ is symmetric, so it has D eigenvectors $v_1, v_2, \dots$ of length 1 at right angles to each other, with the
# eigenvalues $\lambda_1 \ge \lambda_2 \ge \dots$ Any direction is a mixture of them, $w = \sum_i a_i v_i$, and
# length 1 means $\sum_i a_i^2 = 1$. Then
#
# $$ w^T S\, w = \sum_i a_i^2\, \lambda_i $$
#
# That is a weighted mean of the eigenvalues. It is never above the largest of them, and it gets there with $w = v_1$.
# **The direction of most variance is the first eigenvector of the covariance, and its eigenvalue is the variance.**
#
# For C directions $w_1, \dots, w_C$ at right angles to each other, the variances add up. The sum is $\sum_i b_i
# \lambda_i$ with $b_i = \sum_j (w_j \cdot v_i)^2$. That is the squared length of $v_i$'s shadow on the space of the
# $w_j$, and a shadow is never longer than its arrow, so no $b_i$ is above 1. Summed over all i, each $w_j$ gives 1,
# so all together are C. The best one can do is 1 for each of the first C. These $v_1, \dots, v_C$ are the **principal
# components**.
#
# ### Exercise 2: there and back
#
# The components are the rows of `components` (C, D), each of length 1, all at right angles. From `X` (N, D), `mean`
# (D,) and `components` return the codes (N, C) and the samples that are rebuilt from them, (N, D). *Two or three
# lines.*

# %% tags=["exercise"]
def project_and_rebuild(X, mean, components):
    ### BEGIN SOLUTION
    codes = (X - mean) @ components.T  # (N, C)
    return codes, codes @ components + mean
    ### END SOLUTION

# %% tags=["check"]
check(project_and_rebuild)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# Each code is a scalar product with a row of `components`: (N, D) times (D, C). On the way back each code number
# multiplies its row: (N, C) times (C, D). The mean goes off first and comes back last.
# </details>

# %% [markdown]
# ## Without the covariance
#
# Any matrix can be taken apart into $A = U\, \text{diag}(s)\, V^T$, its **singular value decomposition**, SVD. The
# columns of $U$ and of $V$, $\min(N, D)$ of them each, have length 1 and are at right angles; the **singular values**
# $s_1 \ge s_2 \ge \dots$ are not negative. Put it into the covariance, where $U^T U = I$:
#
# $$ S = \frac{1}{N - 1} A^T A = V\, \text{diag}\!\left(\frac{s^2}{N - 1}\right) V^T
#    \qquad\qquad A V = U\, \text{diag}(s) $$
#
# So the rows of $V^T$ are the components, the variances are $s_i^2 / (N - 1)$, and the codes are there, too. Nothing
# was squared to get them, which saves digits (question 1). The variance of a component by the sum of all variances is
# its **share of the variance**.
#
# ### Exercise 3: variances and shares
#
# From `X` (N, D), with N above D, return the variances (D,) along all components, the largest first, and their shares
# (D,), from the singular values of the centred data. *Two or three lines.*

# %% tags=["exercise"]
def variance_shares(X):
    ### BEGIN SOLUTION
    s = np.linalg.svd(X - X.mean(axis=0), compute_uv=False)  # (D,)
    return s**2 / (len(X) - 1), s**2 / (s**2).sum()
    ### END SOLUTION

# %% tags=["check"]
check(variance_shares)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# `np.linalg.svd(A, compute_uv=False)` gives the singular values alone, the largest first. Not $s$ but $s^2$ is a
# variance, but for a factor.
# </details>

# %% [markdown]
# ## Images
#
# The zeros and ones of MNIST. PCA by hand, from the SVD of 2,000 of them, beside the package's:

# %%
images, labels = load_mnist("train", digits=(0, 1))  # (N, 784), (N,)
some = images[:2000].astype(float)  # (2000, 784)
U, s, Vt = np.linalg.svd(some - some.mean(axis=0), full_matrices=False)  # (2000, 784), (784,), (784, 784)
package = PCA(3, svd_solver="full").fit(some)
for c in range(3):
    print(f"component {c + 1}: variance {s[c] ** 2 / 1999:.4f} by hand, {package.explained_variance_[c]:.4f} in the "
          f"package; |scalar product| {abs(Vt[c] @ package.components_[c]):.10f}")

# %% [markdown]
# If $v$ is a component, $-v$ is one just as well. The package takes the sign that makes the entry of largest absolute
# value positive. Below is how it decomposes: first $A = QR$, then the SVD of $R$, which is small where N is large.
# (Skip the helpers with an underscore: they guard against overflow and constant pixels; and `rounding_of`, which says
# what is as small as the rounding of the images.) `full` is exact to rounding; where there are many samples, `fit`
# takes the eigenvectors of the covariance instead, as long as they tell all that is asked for: that is faster.

# %%
print(source(svd.full))

# %%
everything = PCA().fit(images)
shares = everything.explained_variance_ratio_  # (784,)
added = np.cumsum(shares)  # (784,)
marks = {f"{count} for {added[count - 1]:.0%}": ([count], [added[count - 1]])
         for count in (3, int(np.searchsorted(added, 0.8)) + 1, int(np.searchsorted(added, 0.95)) + 1)}
show(plotting.curves({"share of the variance that is kept": (range(1, 201), added[:200])}, points=marks,
                     xlabel="number of components", ylabel="share of the variance",
                     title=f"Of {images.shape[1]} directions a few hold most of the variance"),
     alt="The share rises steeply with the first components and then ever more slowly")

# %% [markdown]
# A component is a row of 784 numbers, so it can be looked at as an image: grey is 0, bright pixels go up along it,
# dark ones go down. What does it mean? Start at the mean image and walk along it, two standard deviations to either
# side:

# %%
def as_images(rows):
    """Rows of numbers of either sign as images: 0 becomes grey."""
    return 0.5 + 0.5 * rows / np.abs(rows).max(axis=1, keepdims=True)


steps, rows, captions = (-2, -1, 0, 1, 2), [], []
for c in range(5):
    direction, deviation = everything.components_[c], np.sqrt(everything.explained_variance_[c])  # (784,), number
    rows += [as_images(direction[None])[0], *(everything.mean_ + step * deviation * direction for step in steps)]
    captions += [f"{c + 1}: {shares[c]:.1%}", *(f"mean {step:+} sd" if step else "mean" for step in steps)]
show(plotting.tiles(np.array(rows), captions, (28, 28), n_columns=6,
                    title="Five components with their shares, and walks along them"),
     alt="Five rows: a grey image with bright and dark strokes, then five images that change along it")

# %% [markdown]
# The first component turns a zero into a one. The later ones tilt, widen and thicken, both digits at once: PCA knows
# nothing of digits. What can be drawn with the first few?

# %%
counts, watched = (1, 3, 10, 30, 100), images[[0, 1, 2, 3, 5, 8]]  # (6, 784)
codes = everything.transform(watched)  # (6, 784)
rebuilt = [everything.mean_ + codes[:, :count] @ everything.components_[:count] for count in counts]  # (6, 784) each
captions = ["image"] * 6 + [f"from {count}" for count in counts for _ in range(6)]
show(plotting.tiles(np.concatenate([watched, *rebuilt]), captions, (28, 28), n_columns=6,
                    title="Images, and what is rebuilt from the first numbers of their codes"),
     alt="Six digits, rebuilt from 1, 3, 10, 30 and 100 components, ever sharper")

# %% [markdown]
# ## Whitening
#
# The numbers of a code that belong to different components are uncorrelated, because $V$ makes the covariance
# diagonal. Divide each by its standard deviation, and all variances are 1: the codes are **white**. Then every
# direction counts the same in a distance. That helps where large variance does not mean importance, and harms where
# the small directions are only noise, which is now as loud as the rest.

# %%
white = PCA(2, whiten=True).fit_transform(cloud)  # (60, 2)
panels = (("points", cloud), ("codes: centred and turned", PCA(2).fit_transform(cloud)), ("whitened", white))
show(plotting.graphs([(caption, points, np.zeros(60, int), None) for caption, points in panels],
                     title="PCA turns the cloud; whitening makes it round"),
     alt="A slanted cloud, the same cloud lying flat, and a round cloud")

# %% [markdown]
# ## The linear autoencoder
#
# Take an autoencoder 784-3-784 without activations: its layers are products and sums, nothing bends.
#
# $$ \text{code} = x\, W_1 + b_1 \qquad\qquad x' = \text{code}\; W_2 + b_2 $$
#
# Whatever its weights, all $x'$ lie in a flat space of 3 dimensions, the one that the rows of $W_2$ (3, 784) span,
# moved by $b_2$. Of all flat spaces of 3 dimensions that of PCA loses the least. So the error of PCA is a floor below
# which no linear autoencoder can get. Does gradient descent get there? Then the space that the rows of $W_2$ span
# must become the space of the three components.
#
# ### Two spaces, three angles
#
# How far apart are two spaces? Take the direction in the one and the direction in the other that are nearest to each
# other; the angle between them is the first **principal angle**. Go on among the directions at right angles to those,
# and so on. If all C angles are 0, the spaces are the same. With bases of length 1 at right angles, the rows of $A$
# and of $B$ (C, D), the singular values of $A B^T$ are the cosines of the angles (Björck and Golub, 1973).
#
# ### Exercise 4: principal angles
#
# From `A` and `B`, both (C, D), return the angles (C,) in degrees, the smallest first. *One to three lines.*

# %% tags=["exercise"]
def principal_angles(A, B):
    ### BEGIN SOLUTION
    cosines = np.linalg.svd(A @ B.T, compute_uv=False)  # (C,)
    return np.degrees(np.arccos(np.clip(cosines, -1, 1)))
    ### END SOLUTION

# %% tags=["check"]
check(principal_angles)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# The largest cosine belongs to the smallest angle, so the order is right already. Rounding can make a cosine of 1 a
# little larger, and then `np.arccos` says NaN: `np.clip` it. `np.degrees` turns radians into degrees.
# </details>

# %% [markdown]
# Now train it, on centred images, by gradient descent with momentum. (The learning rate looks large, because the loss
# is a mean over 784 pixels, which makes gradients small.) The learning rate is lowered twice: the gradient
# of a batch is never exactly that of all images, so the weights keep trembling, the less the shorter the steps are.
# The rows of $W_2$ have any length and any angles, so first `np.linalg.qr` makes a basis of them.

# %%
three = PCA(3).fit(images)
centred = images - three.mean_  # (N, 784)


def angles_to_pca(decoder):
    """The angles (3,) in degrees between the space of a decoder's rows (3, 784) and that of the components."""
    basis = np.linalg.qr(decoder.T.astype(float))[0]  # (784, 3)
    cosines = np.linalg.svd(three.components_.astype(float) @ basis, compute_uv=False)  # (3,)
    return np.degrees(np.arccos(np.clip(cosines, -1, 1)))


def train_linear(seed):
    """A linear autoencoder, and its angles (60, 3) after each epoch."""
    angles = {}

    def look(model, row):
        angles[row["epoch"]] = angles_to_pca(model.params_["W2"])

    model = Autoencoder((3,), activation="identity", output_activation="identity", loss="mse", optimizer="momentum",
                        learning_rate=5, epochs=20, batch_size=1000, weight_init="glorot", callbacks=(look,),
                        random_state=seed).fit(centred)
    for learning_rate, epochs in ((1, 40), (0.2, 60)):
        model.set_params(learning_rate=learning_rate, epochs=epochs).resume(centred)
    return model, np.array([angles[epoch] for epoch in sorted(angles)])


linear, angles = train_linear(seed=0)
pca_error = np.mean((three.inverse_transform(three.transform(images)) - images) ** 2)
for epoch in (1, 2, 3, 5, 10, 20, 40, 60):
    print(f"epoch {epoch:2}   angles " + "   ".join(f"{angle:6.2f}°" for angle in angles[epoch - 1])
          + f"   mean squared error {linear.history_[epoch - 1]['loss']:.5f}")
print(f"PCA itself: {pca_error:.5f}")

# %%
epochs = range(1, len(angles) + 1)
show(plotting.curves({f"angle {c + 1}": (epochs, angles[:, c]) for c in range(3)}, logarithmic=True,
                     xlabel="epoch, log scale (learning rate 5, from 21 on 1, from 41 on 0.2)",
                     ylabel="degrees, log scale",
                     title=f"The decoder turns into the space of PCA: {angles[-1, 2]:.2f}° are left at most"),
     alt="Three angles fall from 70 to 85 degrees to a tenth of a degree or less")

# %% [markdown]
# ## The same space, other weights
#
# The space is that of PCA. Are the weights the components? Here are the rows of the decoder, from two seeds:

# %%
other, other_angles = train_linear(seed=1)
decoders = [linear.params_["W2"], other.params_["W2"]]  # (3, 784) each
rows = as_images(np.concatenate([three.components_, *decoders]))  # (9, 784)
captions = [f"{name} {c + 1}" for name in ("component", "seed 0: row", "seed 1: row") for c in range(3)]
display(show(plotting.tiles(rows, captions, (28, 28), n_columns=3, title="Components, and the rows\nof two decoders"),
             alt="Three rows of three images: the components, and the rows of two decoders, other ones each time"))
for name, decoder in zip(("seed 0", "seed 1"), decoders):
    M = decoder @ three.components_.T  # (3, 3): the decoder's rows, written in components
    left = np.linalg.norm(decoder - M @ three.components_) / np.linalg.norm(decoder)
    print(f"{name}: {left:.2%} of the rows is no mixture of components; the rest is, with M =\n{M.round(2)}")
redrawn = PCA(3).fit(linear.reconstruct(centred))
matches = np.abs(np.sum(redrawn.components_ * three.components_, axis=1))  # (3,)
print("components of what seed 0 draws, |scalar product| with those of the images:", matches.round(5))

# %% [markdown]
# They are not: a row may come close to a component or to its opposite, but the rows are not at right angles, and each
# seed has others. Yet both decoders are mixtures of the components. Let $W$ (3, 784) hold the components as its rows;
# then $W_2 = M\,W$, but for the angles that are left. Any invertible $M$ (3, 3) will do, if the encoder undoes it.
# Biases aside (the images are centred),
#
# $$ (x\, W^T M^{-1})\,(M\, W) = x\, W^T W $$
#
# which is what PCA draws. The drawing is the same, so the loss is the same, and no gradient prefers one mixture to
# another. Where the walk ends, the start decides. Up to signs the components are the one basis that has right angles,
# length 1, and uncorrelated codes, most variance first. They can be had back from what the network *draws*: PCA of
# its drawings is the last line above.
#
# ## What bends are worth
#
# Now the autoencoder of lesson 4, 784-128-3-128-784 with sigmoids, on the same images. Its code has three numbers,
# too, but what it draws need not lie in a flat space. The errors are on test images, which nothing was fitted to:

# %%
nonlinear = Autoencoder((128, 3), epochs=40, random_state=0).fit(images)
test_images, test_labels = load_mnist("test", digits=(0, 1))  # (T, 784), (T,)
drawings = {"the mean image": np.tile(three.mean_, (len(test_images), 1)),
            "PCA, 3 numbers": three.inverse_transform(three.transform(test_images)),
            "linear autoencoder, 3 numbers": three.mean_ + linear.reconstruct(test_images - three.mean_),
            "autoencoder with bends, 3 numbers": nonlinear.reconstruct(test_images)}  # (T, 784) each
errors = {name: float(np.mean((drawn - test_images) ** 2)) for name, drawn in drawings.items()}
display(show(plotting.bars(list(errors), list(errors.values()), title="Test images, drawn again from three numbers",
                           xlabel="mean squared error per pixel"),
             alt="Bars: the mean image has the largest error, PCA and the linear one the same, bends the least"))
test_codes = everything.transform(test_images)  # (T, 784)
drawn, needed = everything.mean_ + np.zeros_like(test_images), 0  # (T, 784)
while np.mean((drawn - test_images) ** 2) > errors["autoencoder with bends, 3 numbers"]:
    drawn += test_codes[:, [needed]] * everything.components_[[needed]]
    needed += 1
filled = PCA(20).fit(nonlinear.reconstruct(images)).explained_variance_ratio_  # (20,)
sizes = [sum(weights.size for weights in model.params_.values()) for model in (linear, nonlinear)]
print(f"PCA needs {needed} components to draw the test images as well as the autoencoder does from 3 numbers")
print(f"the first 3 directions hold {filled[:3].sum():.0%} of the variance of what it draws, the first 10 "
      f"{filled[:10].sum():.0%}")
print(f"it has {sizes[1]:,} weights and biases, the linear one {sizes[0]:,}")

# %%
shown = [0, 1, 2, 3, 4, 5, 6, 7]
rows = [test_images[shown], *(drawn[shown] for drawn in list(drawings.values())[1:])]  # (8, 784) each
names = ("image", "PCA", "linear", "with bends")
show(plotting.tiles(np.concatenate(rows), [name for name in names for _ in shown], (28, 28), n_columns=8,
                    title="Test images, and what is drawn from three numbers"),
     alt="Eight digits; PCA and the linear autoencoder draw the same blurred images, the one with bends sharper ones")

# %% [markdown]
# PCA and the linear autoencoder draw the same images. Both draw shades of grey beside the strokes, and pixels below 0
# that the picture shows as black: a flat space has nothing else. The images lie on a bent sheet, and the network with
# bends can follow it. It pays with many more weights, with a training that takes longer and ends elsewhere for each
# seed, and with codes whose numbers have no order. PCA has one answer.
#
# And the codes themselves?

# %%
for name, encoder in (("components of PCA", three), ("codes of the autoencoder", nonlinear)):
    codes = encoder.transform(images)  # (N, 3)
    kmeans = KMeans(2, n_init=4, random_state=0).fit(codes)
    print(f"{name}: accuracy of two clusters {metrics.accuracy(labels, kmeans.labels_):.4f}")
    display(show(plotting.code_space(codes, labels, kmeans.labels_, kmeans.cluster_centers_,
                                     metrics.best_matching(labels, kmeans.labels_)),
                 alt=f"The {name} in space, by digit and by cluster: two heaps, the wrong ones where they meet"))
for n_components in (1, 2):
    codes = PCA(n_components).fit_transform(images)  # (N, 1) or (N, 2)
    print(f"PCA with {n_components}: accuracy of two clusters "
          f"{metrics.accuracy(labels, KMeans(2, n_init=4, random_state=0).fit_predict(codes)):.4f}")

# %% [markdown]
# The error of the drawings fell by two fifths; the clusters gain half a percent. To tell zeros from ones the first
# component alone is nearly enough. PCA is the thing to try first, and to compare with.
#
# ## What you know now
#
# - A straight projection splits the squares into kept and lost. Most variance and least loss are the same aim.
# - The principal components are the eigenvectors of the covariance, or the rows of $V^T$ in the SVD of the centred
#   data; $s^2/(N - 1)$ are their variances.
# - A linear autoencoder with squared error finds the space of PCA, but not the components: any mixture draws the
#   same.
# - Bends let three numbers draw what PCA needs several more for.
#
# ## To think about
#
# 1. A covariance is computed in float64, with about 16 digits. The largest singular value is 1, the smallest
#    $10^{-9}$. Can its eigenvalues show the smallest? Can the SVD?
# 2. Why should the flat space go through the mean?
# 3. Somebody makes the linear autoencoder deeper, 784-128-3-128-784, all without activations. Will it draw better?
#
# **Before:** [lesson 4](04_training_the_autoencoder.ipynb) trains the autoencoder, [lesson
# 6](06_clustering_the_codes.ipynb) clusters its codes. **Next:** [lesson 11](11_sparse_coding.ipynb) makes codes wide
# and mostly 0.

# %% [markdown] tags=["answer"]
# **Answers**
#
# 1. In the covariance they are squared: 1 and $10^{-18}$. Rounding blurs all eigenvalues by about $10^{-16}$ times
#    the largest, so the smallest one drowns. The SVD of the data blurs singular values by about $10^{-16}$ and shows
#    $10^{-9}$ well.
# 2. Compare it with the parallel space through the mean. The way from a point to the one is the way to the other plus
#    the same $h$ for all points. The ways to the space through the mean add up to 0, so the mixed terms vanish, and
#    the sum of squares is larger by $N |h|^2$. It is lesson 5's "why the mean" once more.
# 3. No. A product of matrices is a matrix: however many there are, the output still lies in a flat space of 3
#    dimensions, and PCA remains the floor. Depth is worth something only with bends.
