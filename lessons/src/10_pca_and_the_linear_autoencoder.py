# %% [markdown]
# # 10 · PCA and the linear autoencoder
#
# Lesson 4 trained a network to compress an image into three numbers. There is a much older method, from 1901, which
# needs no training: **principal component analysis**, PCA. It finds the few directions along which the data vary most.
# An autoencoder with only linear layers looks for the same directions, and finds them. So PCA shows what a network can
# do without nonlinearities, and what the nonlinearities are worth.
#
# **After this lesson you can** write PCA, also for data that do not fit into memory, say what it keeps and what it
# loses, look at its components, measure the angles between two subspaces, and judge what a nonlinear autoencoder gains
# over PCA.
#
# **You need** lesson 4, eigenvectors of symmetric matrices, and about 60 minutes. Lesson 5 helps at the end.

# %%
import numpy as np

from aelearn import PCA, Autoencoder, KMeans, load_mnist, metrics, plotting
from aelearn.teaching.checks import check, yours
from aelearn.teaching.exercises import EXERCISES
from aelearn.teaching.notebooks import show, slider

# %% [markdown]
# Notation: N samples of D numbers each are `X` (N, D), a code has C numbers.
#
# ## Projections onto a line
#
# How can a point in the plane become one number? Draw a line through the mean $m$ of all points, and project each point
# onto it at a right angle. If the line has the direction $w$, of length 1, then
#
# $$ \text{code} = (x - m) \cdot w \qquad\qquad x' = m + \text{code} \; w $$
#
# The code says how far the projection $x'$ is from the mean. What is lost is the difference between $x'$ and $x$. It
# depends on the line:

# %%
rng = np.random.default_rng(3)
cloud = rng.normal(size=(60, 2)) * [2, 0.7] @ np.array([[0.8, 0.6], [-0.6, 0.8]]) + [4, 2]  # (60, 2)
middle = cloud.mean(axis=0)  # (2,)


def unit(degrees):
    """A direction (2,) of length 1."""
    return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])  # (2,)


def project(w):
    """The projections (60, 2) onto the line with direction w (2,), and the sums of squares that it keeps and loses."""
    codes = (cloud - middle) @ w  # (60,)
    projected = middle + codes[:, None] * w  # (60, 2)
    return projected, (codes**2).sum(), ((cloud - projected) ** 2).sum()


def panel(degrees):
    """The arguments of plotting.projections for one line."""
    w = unit(degrees)  # (2,)
    projected, kept, lost = project(w)
    return f"{degrees}°: kept {kept:.0f}, lost {lost:.0f}", cloud, projected, middle, w


show(plotting.projections([panel(degrees) for degrees in (0, 30, 60, 90, 120, 150)],
                          title="The same points projected onto six lines\n(sums of squares kept and lost)"),
     alt="Six panels: points and their projections onto lines in six directions; least is lost along the cloud")

# %% tags=["plot"]
# Draws a line whose direction you can change.
slider(lambda degrees: plotting.projections([panel(degrees)], title="", size=(6.5, 4.6)), range(0, 180, 5),
       label="degrees", alt="Points and their projections onto a line in one direction")
turns = range(0, 181, 5)
kept, lost = np.array([project(unit(degrees))[1:] for degrees in turns]).T  # (37,), (37,)
show(plotting.curves({"kept: the squares of the codes": (turns, kept), "lost: the squared distances": (turns, lost),
                      "sum of both": (turns, kept + lost)},
                     xlabel="direction of the line, in degrees", ylabel="sum over all points",
                     title=f"What is not kept is lost: the sum is always {kept[0] + lost[0]:.0f}"),
     alt="Two waves, one high where the other is low; their sum is constant")

# %% [markdown]
# The sum does not depend on the line. The point, its projection and the mean form a triangle with a right angle at the
# projection, and by Pythagoras
#
# $$ \sum_n |x_n - m|^2 = \sum_n \text{code}_n^2 + \sum_n |x_n - x'_n|^2 $$
#
# The left side is fixed by the data. So two goals that sound different are the same: **the line that keeps the most is
# the line that loses the least.** The mean of the squared codes is their variance (except for $N - 1$ in place of $N$,
# which changes no direction), and this is why PCA is said to find the directions of largest variance. (The best line of
# each direction goes through the mean: that is question 2.)
#
# ## Which direction is best?
#
# With 784 dimensions we cannot try them all. The variance along any direction $w$ follows from one matrix, the
# **covariance** $S$ (D, D). With the centred data $A = X - m$ (N, D), the codes are $A\,w$, and
#
# $$ S = \frac{1}{N - 1} A^T A \qquad\qquad \text{variance along } w = \frac{1}{N - 1} |A\,w|^2 = w^T S\, w $$
#
# ### Exercise 1: mean and covariance
#
# From `X` (N, D) return the mean (D,) and the covariance (D, D), with $N - 1$ as above. (`np.cov`
# can do it too, but not Exercise 4, for which you will need the sums.) *Three lines.*

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
# The mean is over the samples, `axis=0`. Subtract it before you multiply. (D, N) times (N, D) gives (D, D).
# </details>

# %% [markdown]
# $S$ is symmetric, so it has D orthogonal eigenvectors $v_1, v_2, \dots$ of length 1, with eigenvalues $\lambda_1 \ge
# \lambda_2 \ge \dots$ Any direction is a linear combination of them, $w = \sum_i a_i v_i$, and length 1 means $\sum_i
# a_i^2 = 1$. Then
#
# $$ w^T S\, w = \sum_i a_i^2\, \lambda_i $$
#
# This is a weighted mean of the eigenvalues. It is never larger than the largest of them, and it equals that for
# $w = v_1$. **The direction of largest variance is the first eigenvector of the covariance, and its eigenvalue is the
# variance.**
#
# For C orthogonal directions $w_1, \dots, w_C$ of length 1, the variances add up. The sum is $\sum_i b_i \lambda_i$
# with $b_i = \sum_j (w_j \cdot v_i)^2$. This is the squared length of the projection of $v_i$ onto the subspace
# spanned by the $w_j$. A projection is never longer than the vector, so no $b_i$ exceeds 1. Summed over all i, each
# $w_j$ contributes 1, so the $b_i$ add up to C. The best choice is 1 for each of the first C. These $v_1, \dots, v_C$
# are the **principal components**.
#
# ### Exercise 2: project and reconstruct
#
# The components are the rows of `components` (C, D), orthogonal and of length 1. From `X` (N, D), `mean` (D,) and
# `components` return the codes (N, C) and the samples reconstructed from them, (N, D). *Two or three lines.*

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
# Each code is a scalar product with a row of `components`: (N, D) times (D, C). On the way back, each number of the
# code multiplies its row: (N, C) times (C, D). Subtract the mean first, and add it again at the end.
# </details>

# %% [markdown]
# ## Without the covariance
#
# Any matrix can be factorised as $A = U\, \text{diag}(s)\, V^T$, its **singular value decomposition**, SVD. The columns
# of $U$ and of $V$, $\min(N, D)$ of them each, are orthogonal and have length 1; the **singular values** $s_1 \ge s_2
# \ge \dots$ are not negative. Substitute it into the covariance, where $U^T U = I$:
#
# $$ S = \frac{1}{N - 1} A^T A = V\, \text{diag}\!\left(\frac{s^2}{N - 1}\right) V^T
#    \qquad\qquad A V = U\, \text{diag}(s) $$
#
# So the rows of $V^T$ are the components, the variances are $s_i^2 / (N - 1)$, and we get the codes as well. Nothing
# was squared to get them, which saves digits (question 1). The variance of a component divided by the sum of all
# variances is its **share of the variance**.
#
# ### Exercise 3: variances and shares
#
# From `X` (N, D), with N larger than D, return the variances (D,) along all components, the largest first, and their
# shares (D,). The singular values of the centred data are all you need. *Two or three lines.*

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
# `np.linalg.svd(A, compute_uv=False)` returns only the singular values, the largest first. The variances are
# proportional to $s^2$, not to $s$.
# </details>

# %% [markdown]
# ## More data than memory
#
# The covariance has one advantage over the SVD: it is a sum over samples. So a million images can be read from a file
# block by block, and only one block needs to be in memory. But in which order? The mean is known only at the end, and
# it is subtracted at the start. Multiply out, and this is no problem:
#
# $$ \sum_n (x_n - m)^T (x_n - m) = \sum_n x_n^T x_n - N\, m^T m $$
#
# There is another problem: if the mean is far from 0, both terms on the right are huge, their difference is small, and
# rounding eats its digits. The way out is that the covariance does not change if the same point is subtracted from all
# samples. So subtract a point near the data, such as the very first sample, before you multiply.
#
# ### Exercise 4: in one pass
#
# `blocks` is an iterator. `for x in blocks:` gives one block (B, D) of samples after the other, with different B, and
# only once: a second loop gets nothing. Return the mean (D,) and the covariance (D, D) of all samples, without keeping
# the blocks. The mean may be ten million times as large as the standard deviations. *About ten lines.*

# %% tags=["exercise"]
def blockwise_covariance(blocks):
    ### BEGIN SOLUTION
    n = 0
    for x in blocks:
        if n == 0:
            origin, total, products = x[0], 0, 0
        A = x - origin  # (B, D)
        n, total, products = n + len(x), total + A.sum(axis=0), products + A.T @ A  # (D,), (D, D)
    shift = total / n  # (D,)
    return origin + shift, (products - n * np.outer(shift, shift)) / (n - 1)
    ### END SOLUTION

# %% tags=["check"]
check(blockwise_covariance)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# Keep three sums: the number of samples, the sum of $x_n - o$ (D,), and the sum of $(x_n - o)^T (x_n - o)$ (D, D),
# where $o$ is the first row of the first block. At the end, the mean relative to $o$ is the second sum divided by the
# first. Use the equation above with $x_n - o$ in place of $x_n$, and add $o$ to the mean.
# </details>

# %% [markdown]
# ## Images
#
# Now the zeros and ones of MNIST. The next cell does PCA by hand, with your Exercise 4 in blocks of 1,000 images, and
# compares it with the package's. (As long as an exercise is open, the library's answer takes its place, and a line says
# so.) If $v$ is a component, so is $-v$; the package chooses the sign that makes the entry of largest absolute value
# positive. With many samples it uses the covariance, as you did, but only as long as this is accurate enough for what
# is asked. Otherwise it takes the more accurate way, the SVD, the heart of which is
#
#     R = np.linalg.qr(X - X.mean(axis=0), mode="r")      # (D, D), small even if N is large
#     s, Vt = np.linalg.svd(R)[1:]                        # (D,), (D, D): the same as those of the centred data
#
# The picture after it shows how many components it takes to keep most of the variance.

# %%
images, labels = load_mnist("train", digits=(0, 1))  # (N, 784), (N,)


def all_at_once(blocks):
    """The mean and the covariance of the images, all of which are in memory here: `blocks` is not needed."""
    return EXERCISES["mean_and_covariance"].answer(images.astype(float))


in_one_pass = yours(blockwise_covariance, all_at_once)
mean, S = in_one_pass(images[n:n + 1000].astype(float) for n in range(0, len(images), 1000))  # (784,), (784, 784)
variances, V = np.linalg.eigh(S)  # (784,), (784, 784): the smallest first, and the eigenvectors as columns
everything = PCA(verbose=1).fit(images)
for c in range(3):
    print(f"component {c + 1}: variance {variances[-1 - c]:.4f} by hand, {everything.explained_variance_[c]:.4f} in "
          f"the package; |scalar product| {abs(V[:, -1 - c] @ everything.components_[c]):.6f}")

# %% tags=["plot"]
# Draws the share of the variance that is kept.
shares = everything.explained_variance_ratio_  # (784,)
added = np.cumsum(shares)  # (784,)
marks = {f"{count} for {added[count - 1]:.0%}": ([count], [added[count - 1]])
         for count in (3, int(np.searchsorted(added, 0.8)) + 1, int(np.searchsorted(added, 0.95)) + 1)}
show(plotting.curves({"share of the variance kept": (range(1, 201), added[:200])}, points=marks,
                     xlabel="number of components", ylabel="share of the variance",
                     title=f"A few of {images.shape[1]} directions contain most of the variance"),
     alt="The share rises steeply with the first components and then ever more slowly")

# %% [markdown]
# A component is a row of 784 numbers, so it can be shown as an image: grey is 0, bright pixels increase along it, dark
# ones decrease. What does it mean? Start at the mean image and move along the component, two standard deviations in
# each direction. In the first picture, the first component turns a zero into a one. The later ones tilt, widen and
# thicken both digits at once: PCA does not know about digits.
#
# And what can be drawn with the first few components? The second picture says it, with your Exercise 2.

# %%
def as_images(rows):
    """Rows of positive and negative numbers as images: 0 becomes grey."""
    return 0.5 + 0.5 * rows / np.abs(rows).max(axis=1, keepdims=True)


steps, rows, captions = (-2, -1, 0, 1, 2), [], []
for c in range(5):
    direction, deviation = everything.components_[c], np.sqrt(everything.explained_variance_[c])  # (784,), number
    rows += [as_images(direction[None])[0], *(everything.mean_ + step * deviation * direction for step in steps)]
    captions += [f"{c + 1}: {shares[c]:.1%}", *(f"mean {step:+} sd" if step else "mean" for step in steps)]
display(show(plotting.tiles(np.array(rows), captions, (28, 28), n_columns=6,
                            title="Five components with their shares, and images along them"),
             alt="Five rows: a grey image with bright and dark strokes, then five images that change along it"))

rebuild = yours(project_and_rebuild, EXERCISES["project_and_rebuild"].answer)
counts, watched = (1, 3, 10, 30, 100), images[[0, 1, 2, 3, 5, 8]]  # (6, 784)
rebuilt = [rebuild(watched, everything.mean_, everything.components_[:count])[1] for count in counts]  # (6, 784) each
captions = ["image"] * 6 + [f"from {count}" for count in counts for _ in range(6)]
show(plotting.tiles(np.concatenate([watched, *rebuilt]), captions, (28, 28), n_columns=6,
                    title="Images, and reconstructions from the first numbers of their codes"),
     alt="Six digits, reconstructed from 1, 3, 10, 30 and 100 components, ever sharper")

# %% [markdown]
# ## Whitening
#
# The numbers in a code that belong to different components are uncorrelated, because $V$ diagonalises the covariance.
# Divide each by its standard deviation, and all variances are 1: the codes are **white**. Then every direction has the
# same weight in a distance. This helps if large variance does not mean importance, and hurts if the small directions
# are only noise, which now counts as much as the rest.

# %%
white = PCA(2, whiten=True).fit_transform(cloud)  # (60, 2)
panels = (("points", cloud), ("codes: centred and rotated", PCA(2).fit_transform(cloud)), ("whitened", white))
show(plotting.graphs([(caption, points, np.zeros(60, int), None) for caption, points in panels],
                     title="PCA rotates the cloud; whitening makes it round"),
     alt="A slanted cloud, the same cloud lying flat, and a round cloud")

# %% [markdown]
# ## The linear autoencoder
#
# Take an autoencoder 784-3-784 without activations: its layers only multiply and add.
#
# $$ \text{code} = x\, W_1 + b_1 \qquad\qquad x' = \text{code}\; W_2 + b_2 $$
#
# Whatever its weights, all $x'$ lie in a flat space of 3 dimensions (an affine subspace), spanned by the rows of $W_2$
# (3, 784) and shifted by $b_2$. Of all flat spaces of 3 dimensions, that of PCA loses the least. So the error of PCA is
# a lower bound for every linear autoencoder. Does gradient descent reach it? Then the subspace spanned by the rows of
# $W_2$ must become that of the three components.
#
# ### Two subspaces, three angles
#
# How far apart are two subspaces? Take the direction in one and the direction in the other that are closest to each
# other; the angle between them is the first **principal angle**. Continue with the directions orthogonal to these, and
# so on. If all C angles are 0, the subspaces are the same. If the rows of $A$ and of $B$ (C, D) are orthonormal bases,
# the singular values of $A B^T$ are the cosines of the angles (Björck and Golub, 1973).
#
# ### Exercise 5: principal angles
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
# The largest cosine belongs to the smallest angle, so the order is already right. Rounding can make a cosine of 1
# slightly larger than 1, and then `np.arccos` returns NaN: use `np.clip`. `np.degrees` converts radians into degrees.
# </details>

# %% [markdown]
# Now train it on centred images, by gradient descent with momentum. (The learning rate looks large because the loss is
# a mean over 784 pixels, which makes gradients small.) The learning rate is lowered twice: the gradient of a batch is
# never exactly that of all images, so the weights keep fluctuating, less so with shorter steps. The rows of $W_2$ are
# not orthonormal, so `np.linalg.qr` first turns them into an orthonormal basis. The angles are computed by your
# Exercise 5.

# %%
angles_between = yours(principal_angles, EXERCISES["principal_angles"].answer)
three = PCA(3, verbose=1).fit(images)
centred = images - three.mean_  # (N, 784)


def angles_to_pca(decoder):
    """The angles (3,) in degrees between the subspace of a decoder's rows (3, 784) and that of the components."""
    basis = np.linalg.qr(decoder.T.astype(float))[0]  # (784, 3)
    return angles_between(three.components_.astype(float), basis.T)


def train_linear(seed):
    """A linear autoencoder, and its angles (60, 3) after each epoch."""
    angles = {}

    def look(model, row):
        angles[row["epoch"]] = angles_to_pca(model.params_["W2"])

    model = Autoencoder((3,), activation="identity", output_activation="identity", loss="mse", optimizer="momentum",
                        learning_rate=5, epochs=20, batch_size=1000, weight_init="glorot", callbacks=(look,),
                        random_state=seed, verbose=1).fit(centred)
    for learning_rate, epochs in ((1, 40), (0.2, 60)):
        model.set_params(learning_rate=learning_rate, epochs=epochs).resume(centred)
    return model, np.array([angles[epoch] for epoch in sorted(angles)])


linear, angles = train_linear(seed=0)
pca_error = np.mean((three.inverse_transform(three.transform(images)) - images) ** 2)
for epoch in (1, 2, 3, 5, 10, 20, 40, 60):
    print(f"epoch {epoch:2}   angles " + "   ".join(f"{angle:6.2f}°" for angle in angles[epoch - 1])
          + f"   mean squared error {linear.history_[epoch - 1]['loss']:.5f}")
print(f"PCA itself: {pca_error:.5f}")
epochs = range(1, len(angles) + 1)
show(plotting.curves({f"angle {c + 1}": (epochs, angles[:, c]) for c in range(3)}, logarithmic=True,
                     xlabel="epoch, log scale (learning rate 5, from 21 on 1, from 41 on 0.2)",
                     ylabel="degrees, log scale",
                     title=f"The decoder approaches the PCA subspace: at most {angles[-1, 2]:.2f}° remain"),
     alt="Three angles fall from 70 to 85 degrees to a tenth of a degree or less")

# %% [markdown]
# ## The same subspace, different weights
#
# The subspace is that of PCA. Are the weights the components? Here are the rows of the decoder, for two seeds:

# %%
other, other_angles = train_linear(seed=1)
decoders = [linear.params_["W2"], other.params_["W2"]]  # (3, 784) each
rows = as_images(np.concatenate([three.components_, *decoders]))  # (9, 784)
captions = [f"{name} {c + 1}" for name in ("component", "seed 0: row", "seed 1: row") for c in range(3)]
display(show(plotting.tiles(rows, captions, (28, 28), n_columns=3, title="Components, and the rows\nof two decoders"),
             alt="Three rows of three images: the components, and the rows of two decoders, different each time"))
for name, decoder in zip(("seed 0", "seed 1"), decoders):
    M = decoder @ three.components_.T  # (3, 3): the decoder's rows, as combinations of components
    left = np.linalg.norm(decoder - M @ three.components_) / np.linalg.norm(decoder)
    print(f"{name}: {left:.2%} of the rows is no combination of components; the rest is, with M =\n{M.round(2)}")
redrawn = PCA(3, verbose=1).fit(linear.reconstruct(centred))
matches = np.abs(np.sum(redrawn.components_ * three.components_, axis=1))  # (3,)
print("components of what seed 0 reconstructs, |scalar product| with those of the images:", matches.round(5))

# %% [markdown]
# They are not: a row may come close to a component or to its negative, but the rows are not orthogonal, and each seed
# has different ones. Yet both decoders are linear combinations of the components. Let $W$ (3, 784) have the components
# as its rows; then $W_2 = M\,W$, except for the angles that remain. Any invertible $M$ (3, 3) will do if the encoder
# undoes it. Without the biases (the images are centred),
#
# $$ (x\, W^T M^{-1})\,(M\, W) = x\, W^T W $$
#
# which is the reconstruction of PCA. The reconstruction is the same, so the loss is the same, and no gradient prefers
# one combination to another: the initial weights decide where the training ends. Up to signs, the components are the
# only orthonormal basis with uncorrelated codes, ordered by variance. They can be recovered from the network's
# *reconstructions*: the last line above is the PCA of these.
#
# ## What nonlinearities are worth
#
# Now take the autoencoder of lesson 4, 784-128-3-128-784 with sigmoids, on the same images. Its code also has three
# numbers, but its reconstructions need not lie in a flat space. The errors are on test images, which were not used for
# fitting:

# %%
nonlinear = Autoencoder((128, 3), epochs=40, random_state=0, verbose=1).fit(images)
test_images, test_labels = load_mnist("test", digits=(0, 1))  # (T, 784), (T,)
drawings = {"the mean image": np.tile(three.mean_, (len(test_images), 1)),
            "PCA, 3 numbers": three.inverse_transform(three.transform(test_images)),
            "linear autoencoder, 3 numbers": three.mean_ + linear.reconstruct(test_images - three.mean_),
            "nonlinear autoencoder, 3 numbers": nonlinear.reconstruct(test_images)}  # (T, 784) each
errors = {name: float(np.mean((drawn - test_images) ** 2)) for name, drawn in drawings.items()}
display(show(plotting.bars(list(errors), list(errors.values()), title="Test images reconstructed from three numbers",
                           xlabel="mean squared error per pixel"),
             alt="Bars: the mean image has the largest error, PCA and linear the same, nonlinear the smallest"))
test_codes = everything.transform(test_images)  # (T, 784)
drawn, needed = everything.mean_ + np.zeros_like(test_images), 0  # (T, 784)
while np.mean((drawn - test_images) ** 2) > errors["nonlinear autoencoder, 3 numbers"]:
    drawn += test_codes[:, [needed]] * everything.components_[[needed]]
    needed += 1
filled = PCA(20, verbose=1).fit(nonlinear.reconstruct(images)).explained_variance_ratio_  # (20,)
sizes = [sum(weights.size for weights in model.params_.values()) for model in (linear, nonlinear)]
print(f"PCA needs {needed} components to match the nonlinear autoencoder with its 3 numbers on the test images")
print(f"the first 3 directions contain {filled[:3].sum():.0%} of the variance of its outputs, the first 10 "
      f"{filled[:10].sum():.0%}")
print(f"it has {sizes[1]:,} weights and biases, the linear one {sizes[0]:,}")
shown = [0, 1, 2, 3, 4, 5, 6, 7]
rows = [test_images[shown], *(drawn[shown] for drawn in list(drawings.values())[1:])]  # (8, 784) each
names = ("image", "PCA", "linear", "nonlinear")
show(plotting.tiles(np.concatenate(rows), [name for name in names for _ in shown], (28, 28), n_columns=8,
                    title="Test images, and reconstructions from three numbers"),
     alt="Eight digits; PCA and the linear autoencoder draw the same blurred images, the nonlinear one sharper ones")

# %% [markdown]
# PCA and the linear autoencoder draw the same images. Both draw shades of grey beside the strokes, and pixels below 0,
# which the picture shows as black: a flat space contains nothing better. The images lie on a curved surface, and the
# nonlinear network can follow it. The price is many more weights, a training that takes longer and ends elsewhere for
# each seed, and codes whose numbers have no order. PCA has one answer.
#
# And the codes themselves?

# %%
for name, encoder in (("components of PCA", three), ("codes of the autoencoder", nonlinear)):
    codes = encoder.transform(images)  # (N, 3)
    kmeans = KMeans(2, n_init=4, random_state=0, verbose=1).fit(codes)
    print(f"{name}: accuracy of two clusters {metrics.accuracy(labels, kmeans.labels_):.4f}")
    display(show(plotting.code_space(codes, labels, kmeans.labels_, kmeans.cluster_centers_,
                                     metrics.best_matching(labels, kmeans.labels_)),
                 alt=f"The {name} in space, by digit and by cluster: two groups, with the mistakes where they meet"))
for n_components in (1, 2):
    codes = PCA(n_components, verbose=1).fit_transform(images)  # (N, 1) or (N, 2)
    print(f"PCA with {n_components}: accuracy of two clusters "
          f"{metrics.accuracy(labels, KMeans(2, n_init=4, random_state=0, verbose=1).fit_predict(codes)):.4f}")

# %% [markdown]
# The reconstruction error fell by two fifths, but the clusters gain only half a percent. The first component alone is
# nearly enough to separate zeros from ones. PCA is the method to try first, and to compare with.
#
# ## An open task
#
# The linear autoencoder finds the subspace of the components, but not the components. **Make a network find them, one
# by one and in their order**, by gradient descent alone: no SVD, no eigenvectors. The picture below is what the rows of
# your decoder should look like, up to signs.
#
# Things to try: a code of one number has no other combinations to choose from. What has such a network found, and what
# is left of the images when you subtract its reconstructions? Or keep the code of three numbers, and change the loss so
# that the first number alone must already reconstruct as well as it can.
#
# You are there if the absolute scalar product of each row, divided by its length, with its component is above 0.99.

# %% tags=["plot"]
# Draws the components, which are what to aim at.
show(plotting.tiles(as_images(three.components_), [f"row {c}" for c in (1, 2, 3)], (28, 28), n_columns=3,
                    title="What the rows should look like"),
     alt="Three grey images: a dark ring with a bright stroke in it, and two with slanted bright and dark strokes")

# %% tags=["answer"]
# One answer: three networks with a code of one number. Each gets what the ones before it have left.
left, rows = centred, []
for c in range(3):
    one = Autoencoder((1,), activation="identity", output_activation="identity", loss="mse", optimizer="momentum",
                      learning_rate=5, epochs=20, batch_size=1000, weight_init="glorot", random_state=0, verbose=1)
    one.fit(left)
    for learning_rate, epochs in ((1, 40), (0.2, 60)):
        one.set_params(learning_rate=learning_rate, epochs=epochs).resume(left)
    left = left - one.reconstruct(left)  # (N, 784)
    rows.append(one.params_["W2"][0] / np.linalg.norm(one.params_["W2"]))  # (784,)
    print(f"row {c + 1}: |scalar product| with its component {abs(rows[c] @ three.components_[c]):.4f}")
show(plotting.tiles(as_images(np.array(rows)), [f"row {c}" for c in (1, 2, 3)], (28, 28), n_columns=3,
                    title="Rows learnt one by one"),
     alt="Three grey images that look like the components")

# %% [markdown]
# ## What you know now
#
# - A projection splits the squares into kept and lost. Largest variance and smallest loss are the same goal.
# - The principal components are the eigenvectors of the covariance, or the rows of $V^T$ in the SVD of the centred
#   data; $s^2/(N - 1)$ are their variances.
# - A covariance is a sum over samples, so one pass over the data is enough, if a point near them is subtracted first.
# - A linear autoencoder with squared error finds the subspace of PCA, but not the components: any combination gives the
#   same reconstructions.
# - With nonlinearities, three numbers can draw what takes PCA several more.
#
# ## To think about
#
# 1. A covariance is computed in float64, with about 16 digits. The largest singular value is 1, the smallest
#    $10^{-9}$. Can its eigenvalues show the smallest? Can the SVD?
# 2. Why should the flat space go through the mean?
# 3. Somebody makes the linear autoencoder deeper, 784-128-3-128-784, all without activations. Will its reconstructions
#    improve?
#
# **Previous:** [lesson 4](04_training_the_autoencoder.ipynb) trains the autoencoder, [lesson
# 6](06_clustering_the_codes.ipynb) clusters its codes. **Next:** [lesson 11](11_sparse_coding.ipynb) makes codes wide
# and mostly 0.

# %% [markdown] tags=["answer"]
# **Answers**
#
# 1. In the covariance they are squared: 1 and $10^{-18}$. Rounding perturbs all eigenvalues by about $10^{-16}$ times
#    the largest, so the smallest one is lost. The SVD of the data perturbs singular values by about $10^{-16}$ and
#    resolves $10^{-9}$ well.
# 2. Compare it with the parallel space through the mean. The vectors from the points to their projections differ
#    between the two by the same $h$ for all points. Those to the space through the mean add up to 0, so the mixed
#    terms vanish, and the sum of squares is larger by $N |h|^2$. It is the "why the mean" of lesson 5 again.
# 3. No. A product of matrices is a matrix: however many there are, the output still lies in a flat space of 3
#    dimensions, and PCA remains the lower bound. Depth is worth something only with nonlinearities.
