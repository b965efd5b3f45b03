# %% [markdown]
# # 11 · Sparse coding
#
# The autoencoder makes a code narrow: three numbers, and each image uses all three. There is another way to describe
# much with little. Keep a large set of parts, 64 of them, say, and for each image name the few that it is made of.
# Such a code is wide, and nearly all of it is zero. It is called **sparse**.
#
# **After this lesson you can** write the step that finds a sparse code, say why one penalty gives exact zeros and
# another does not, and weigh a wide and sparse code against a narrow one.
#
# **You need** lesson 4 and about 65 minutes. Lesson 5 helps near the end.

# %%
import numpy as np

from aelearn import PCA, Autoencoder, KMeans, SparseCoding, load_mnist, metrics, plotting
from aelearn.sparse_coding import dictionary_learning, ista
from aelearn.sparse_coding.ista import fista
from aelearn.sparse_coding.matching_pursuit import omp
from aelearn.teaching.checks import check, yours
from aelearn.teaching.exercises import EXERCISES
from aelearn.teaching.notebooks import show, slider, waiting

images, labels = load_mnist("train", digits=(0, 1))
images, labels = images[:2000], labels[:2000]  # (N, D), (N,)
test_images = load_mnist("test", digits=(0, 1))[0][:500]  # (500, D)
first_atoms = dictionary_learning.random_atoms(images, 64, np.random.default_rng(0))  # (K, D): 64 images of length 1
print("images", images.shape, "  dictionary", first_atoms.shape)

# %% [markdown]
# Shapes: N samples, D features (pixels), K parts, B samples in a batch. A part is called an **atom**; it is an image,
# a row (D,), of length 1. All atoms together are the **dictionary** (K, D). The code `z` (K,) of an image `x` (D,)
# says how much of each atom to use, and the decoder is just a weighted sum:
#
# $$ x \approx \sum_k z_k\, d_k = z\, A \qquad\qquad \text{in NumPy: } \texttt{z @ dictionary} $$
#
# Where do atoms come from? Later we learn them. For now they are 64 training images, each divided by its length.
#
# ## A penalty for each code
#
# With 64 atoms there are many ways to compose an image. We want a code with a small residual that uses few atoms. So
# add a penalty for the code, and minimise the sum of both:
#
# $$ f(z) = \tfrac12\, |x - z A|^2 + \alpha\, |z|_1 \qquad\qquad |z|_1 = \sum_k |z_k| $$
#
# The first term is the residual, the part of the image that the code misses. The second measures how much of all atoms
# is used, with either sign; $\alpha$ sets the strength of the penalty. With a strong penalty the best code has few
# non-zero entries; with $\alpha = 0$ it may use all atoms.
#
# ### Exercise 1: the cost of a code
#
# Return $f(z)$, a number, for one image `x` (D,), its code `z` (K,), the dictionary (K, D) and the penalty `alpha`.
# *Two lines.*

# %% tags=["exercise"]
def sparse_cost(x, z, dictionary, alpha):
    ### BEGIN SOLUTION
    left = x - z @ dictionary  # (D,)
    return (left**2).sum() / 2 + alpha * np.abs(z).sum()
    ### END SOLUTION

# %% tags=["check"]
check(sparse_cost)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# `z @ dictionary` is (D,), the image that the code describes. Do not forget the factor one half and the absolute
# values.
# </details>

# %% [markdown]
# ## Why this penalty gives zeros
#
# Look at a single number. Without a penalty, an entry of the code would be $a$; how far does the penalty move it?
#
# $$ \text{minimise } \tfrac12 (z - a)^2 + \alpha |z| \qquad \text{or} \qquad
#    \text{minimise } \tfrac12 (z - a)^2 + \tfrac{\alpha}{2} z^2 $$
#
# A square costs next to nothing near zero, so removing the last bit of an entry is never worthwhile. An absolute value
# costs the same for each bit, including the last: it has a corner at zero, and the minimum can be in that corner. The
# first picture shows this for $a = 0.7$ and $\alpha = 1$, the second where the minimum is for any $a$.

# %% tags=["plot"]
# Draws the costs of one number.
a, alpha = 0.7, 1.0
z = np.linspace(-1, 1.5, 251)  # (251,)
costs = {"with the penalty |z|": (z - a) ** 2 / 2 + alpha * np.abs(z),
         "with the penalty z²/2": (z - a) ** 2 / 2 + alpha * z**2 / 2}
lowest = {f"lowest {name}: z = {z[cost.argmin()] + 0:.2f}": ([z[cost.argmin()]], [cost.min()])
          for name, cost in costs.items()}
display(show(plotting.curves(
    {"no penalty": (z, (z - a) ** 2 / 2), **{name: (z, cost) for name, cost in costs.items()}}, points=lowest,
    xlabel="z", ylabel="cost", title=f"Without a penalty z = {a}: one penalty sets it to zero, the other reduces it"),
    alt="Three curves; the one with the absolute value has its lowest point in a corner at zero"))
wanted = np.linspace(-3, 3, 121)  # (121,)
found = [z[np.argmin((z - a) ** 2 / 2 + np.abs(z))] for z in [np.linspace(-3, 3, 601)] for a in wanted[::12]]  # (11,)
show(plotting.curves({"no penalty: z = a": (wanted, wanted),
                      "penalty |z|: the soft threshold": (wanted, ista.soft_threshold(wanted, 1.0)),
                      "penalty z²/2: z = a / 2": (wanted, wanted / 2)},
                     points={"lowest cost with |z|, found by trying 601 values": (wanted[::12], found)},
                     xlabel="a, the entry without a penalty", ylabel="z, the entry with the penalty",
                     title="One penalty gives an interval of zeros, the other only a smaller slope"),
     alt="The soft threshold is flat at zero from minus one to one; the other line crosses zero at one point only")

# %% [markdown]
# Now with pencil and paper. For $z > 0$, the derivative $z - a + \alpha$ is 0 at $z = a - \alpha$, which is positive
# only if $a > \alpha$. For $z < 0$, it is 0 at $z = a + \alpha$, which is negative only if $a < -\alpha$. In between,
# for $|a| \le \alpha$, neither side has a minimum, so the minimum is the corner at 0. So: *move $a$ towards 0 by
# $\alpha$, and stop there.* This is the **soft threshold**.
#
# ### Exercise 2: the soft threshold
#
# `z` is an array of any shape. Return each entry moved towards 0 by `threshold`, or 0 if it was closer than that. *One
# line.*

# %% tags=["exercise"]
def shrink(z, threshold):
    ### BEGIN SOLUTION
    return np.sign(z) * np.maximum(np.abs(z) - threshold, 0)
    ### END SOLUTION

# %% tags=["check"]
check(shrink)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# `np.abs(z) - threshold` is the new absolute value, unless it is below 0: `np.maximum(..., 0)`. `np.sign(z)` restores
# the sign.
# </details>

# %% [markdown]
# ## A step, and why it is a layer
#
# The square in $f$ couples all entries of $z$, so the soft threshold is not the whole answer. But it makes a good step.
# Take a gradient step on the square alone, then apply the penalty to each entry:
#
# $$ z \leftarrow \text{shrink}\big(z + \eta\, (x - z A)\, A^T,\; \eta\, \alpha\big) $$
#
# $(x - zA)\,A^T$ is the product of each atom with the residual: an atom that resembles the residual grows. $\eta$ is
# the step size, and as the step is short, the penalty also acts only in proportion, by $\eta\,\alpha$. This is
# **ISTA**, the iterative shrinkage-thresholding algorithm (Daubechies, Defrise and De Mol, 2004).
#
# ### Exercise 3: one step
#
# Do this for a batch: `x` (B, D), codes `z` (B, K), the dictionary (K, D). Return the new codes (B, K). *Two lines;
# call your `shrink`.*

# %% tags=["exercise"]
def shrink_step(x, z, dictionary, alpha, step):
    ### BEGIN SOLUTION
    left = x - z @ dictionary  # (B, D)
    return shrink(z + step * left @ dictionary.T, step * alpha)
    ### END SOLUTION

# %% tags=["check"]
check(shrink_step)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# The residual of the images is (B, D), and its products with all atoms are `left @ dictionary.T` (B, K). The threshold
# is not `alpha`.
# </details>

# %% [markdown]
# Now write the same step with the factors grouped differently:
#
# $$ z_{\text{new}} = \text{shrink}(x\,W + z\,R,\; \eta\,\alpha) \qquad W = \eta A^T \quad R = I - \eta A A^T $$
#
# You know this: it is a **layer**. It has weights $W$ (D, K), a bias $zR$ that feeds the last output back, and an
# activation, which is the soft threshold where lesson 2 had a sigmoid. From $z = 0$, the first step is exactly one
# dense layer. So an encoder for sparse codes is a network of many identical layers, whose weights follow from the
# decoder. (Gregor and LeCun, 2010, took this further: they *learnt* $W$ and $R$, so that a few layers are enough.)
#
# It is also faster: $xW$ and $R$ are the same in every step. Once they are computed, a step takes $K^2$ products for
# each sample instead of $2DK$: with 784 pixels and 64 atoms, 24 times fewer.
#
# ### Exercise 4: many layers
#
# Return the codes (B, K) after `n_steps` steps of Exercise 3, which start from codes of zeros. Compute what stays the
# same before the loop. Beside `x` itself there must be no array of its shape (B, D), not even a temporary one. *About
# six lines.*

# %% tags=["exercise"]
def shrink_steps(x, dictionary, alpha, step, n_steps):
    ### BEGIN SOLUTION
    x_W = step * (x @ dictionary.T)  # (B, K)
    R = np.eye(len(dictionary)) - step * dictionary @ dictionary.T  # (K, K)
    z = np.zeros_like(x_W)  # (B, K)
    for _ in range(n_steps):
        z = shrink(x_W + z @ R, step * alpha)
    return z
    ### END SOLUTION

# %% tags=["check"]
check(shrink_steps)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# `step * x @ dictionary.T` first makes `step * x`, which is (B, D). Put the product, or $W$, in parentheses.
# `np.eye(K)` is the identity matrix.
# </details>

# %% [markdown]
# ## Many steps, and fewer
#
# ISTA is gradient descent with a threshold, and it is as slow as gradient descent. As in lesson 4, momentum helps: take
# the step not from the last code but from a point further along, in the direction of the last move. This momentum
# schedule is due to Beck and Teboulle (2009), and the method is called **FISTA**, F for fast. The step is the same in
# both, and if you have solved Exercises 2 and 3, it is yours.

# %%
x = test_images[:100].astype(np.float64)  # (B, D)
A, alpha = first_atoms.astype(np.float64), 1.0  # (K, D)
step = 1 / np.linalg.eigvalsh(A @ A.T)[-1]  # from the largest eigenvalue: such a step never increases f
_, one_step = yours((shrink, shrink_step), (ista.soft_threshold, EXERCISES["shrink_step"].answer))
layers = yours(shrink_steps, EXERCISES["shrink_steps"].answer)
z = np.zeros((100, 64))  # (B, K)
for _ in range(20):
    z = one_step(x, z, A, alpha, step)
print("20 steps and 20 layers: largest difference below 1e-9:", np.abs(z - layers(x, A, alpha, step, 20)).max() < 1e-9)


def total(z):
    """f, summed over the batch."""
    return dictionary_learning.objective(x, A, z, alpha)


n_steps, slow, fast = 400, [], []
z = np.zeros_like(z)  # (B, K)
with waiting("400 steps of ISTA"):
    for _ in range(n_steps):
        z = one_step(x, z, A, alpha, step)
        slow.append(total(z))
z = ahead = np.zeros_like(z)  # (B, K), (B, K)
t = 1.0
with waiting("400 steps of FISTA"):
    for _ in range(n_steps):
        z_new, t_new = one_step(x, ahead, A, alpha, step), (1 + np.sqrt(1 + 4 * t * t)) / 2
        ahead = z_new + (t - 1) / t_new * (z_new - z)
        z, t = z_new, t_new
        fast.append(total(z))
    best = total(fista(x, A, alpha, max_iter=5000, tol=1e-8))  # the library's version, with more than enough steps
above = {name: np.array(values) / best - 1 for name, values in (("ISTA", slow), ("FISTA", fast))}  # (400,) each
for share in (0.1, 0.01, 0.001):
    steps_taken = [f"{name} after {np.argmax(gap < share) + 1}" if gap.min() < share
                   else f"{name} not in {n_steps}" for name, gap in above.items()]
    print(f"within {share:.1%} of the lowest f, in steps: {', '.join(steps_taken)}")
show(plotting.curves({name: (np.arange(1, n_steps + 1), gap) for name, gap in above.items()}, logarithmic=True,
                     xlabel="steps", ylabel="f relative to its minimum, minus 1",
                     title="The same step, without and with momentum"),
     alt="Both curves fall; FISTA's falls far faster after the first few steps")

# %% [markdown]
# Both reach the same codes; the library uses FISTA. It also decides when to stop: it computes a lower bound of $f$, and
# leaves a code alone once it is close enough to it.
#
# ## Learning the atoms
#
# Other images are poor parts. Better atoms also lower $f$, so let us learn them, alternating between two steps as in
# k-means:
#
# 1. **Codes.** The atoms are fixed. Find better codes: FISTA.
# 2. **Atoms.** The codes $Z$ (N, K) are fixed. Find better atoms: a least-squares problem, $(Z^T Z)^{-1} Z^T X$, for
#    all atoms at once, normalised to length 1. This is **MOD**, the method of optimal directions (Engan, Aase and
#    Husoy, 1999).
#
# In step 2 the library also takes into account that longer atoms would make codes cheaper. So neither step can
# increase the sum of $f$ over all images. There is another method for step 2, **K-SVD** (Aharon, Elad and Bruckstein,
# 2006), which updates one atom after the other, together with its own column of codes. Here are three rounds by hand,
# then thirty of `SparseCoding`, which has both methods, from the same kind of start.
#
# An atom has entries of both signs: it can darken an image as well as brighten it. The second picture shows 0 as grey,
# positive entries lighter and negative ones darker, each atom on its own scale.

# %%
atoms, penalty = first_atoms, 0.5
codes = fista(images, atoms, penalty)  # (N, K)
print(f"first codes           {dictionary_learning.objective(images, atoms, codes, penalty):8.0f}")
for turn in (1, 2, 3):
    atoms = dictionary_learning.mod(images, codes, atoms, penalty)  # (K, D); the codes are rescaled in place
    print(f"round {turn}: better atoms {dictionary_learning.objective(images, atoms, codes, penalty):8.0f}", end="")
    codes = fista(images, atoms, penalty)  # (N, K)
    print(f"   better codes {dictionary_learning.objective(images, atoms, codes, penalty):8.0f}")
fits = {update: SparseCoding(64, alpha=penalty, update=update, max_iter=30, tol=0, random_state=0,
                             verbose=1).fit(images)
        for update in ("mod", "ksvd")}
model = fits["mod"]
display(show(plotting.curves({name: (range(1, fit.n_iter_ + 1), fit.history_)
                              for name, fit in (("MOD", fits["mod"]), ("K-SVD", fits["ksvd"]))},
                             xlabel="rounds", ylabel="f, summed over all images",
                             title="Neither method can increase f"),
             alt="Two falling curves that end near each other"))


def grey(rows):
    """Rows of numbers of both signs as rows of pixels from 0 to 1, with 0.5 for 0."""
    return 0.5 + rows / (2 * np.abs(rows).max(axis=1, keepdims=True))


codes = model.transform(images)  # (N, K)
used = (codes != 0).mean(axis=0)  # (K,)
order = np.argsort(-used)  # (K,)
show(plotting.tiles(grey(model.components_[order]), [f"{share:.0%}" for share in used[order]], (28, 28), n_columns=16,
                    title="The 64 atoms (grey is 0, light is plus, dark minus), and the share of images that use each"),
     alt="Sixty-four atoms: upright and slanted strokes, rings, and some that adjust edges")

# %% [markdown]
# Nobody told the method what a part should be. For images of zeros and ones, the parts are rings and strokes of all
# slants and widths, many with a dark rim: added to another atom, they shift an edge. Now look at the codes of ten
# images. A code of lesson 4 would be three numbers, none of them 0.
#
# ### What the penalty does
#
# The stronger the penalty, the fewer atoms, and the larger the residual. Note that the penalty also reduces the atoms
# that remain: with a strong penalty the images are fainter. (Run the cell, and drag.)

# %%
print(f"an image uses {np.mean((codes != 0).sum(axis=1)):.1f} of 64 atoms on average")
shown = np.concatenate([np.flatnonzero(labels == digit)[:5] for digit in (0, 1)])  # (10,)
pictures = np.concatenate([images[shown], codes[shown] @ model.components_])  # (20, D)
display(show(plotting.tiles(pictures, ["image"] * 10 + [f"{np.sum(codes[i] != 0)} atoms" for i in shown], (28, 28),
                            title="Images, and the sums of their atoms"),
             alt="Ten images above the sums of their atoms, which look like them"))
display(show(plotting.tiles(grey(codes[shown]), [f"code of a {labels[i]}" for i in shown], (8, 8),
                            title="Their codes, 64 numbers as squares of 8 by 8 (grey is 0, light plus, dark minus)"),
             alt="Ten grey squares, each with a few cells that are not grey"))
penalties = [0.05, 0.2, 0.5, 1, 2, 4, 6, 8]
image = test_images[[1]]  # (1, D)
answers = {penalty: fista(image, model.components_, penalty) for penalty in penalties}  # (1, K) each
display(show(plotting.tiles(
    np.concatenate([image, *(answer @ model.components_ for answer in answers.values())]),
    ["the image"] + [f"{p}: {np.sum(z != 0)} atoms" for p, z in answers.items()], (28, 28),
    title="One image with increasing penalties, and how many atoms its code uses"),
    alt="A zero, then its reconstructions, which use fewer atoms and get fainter as the penalty increases"))
slider(lambda p: plotting.tiles(np.concatenate([image, answers[p] @ model.components_]),
                                ["the image", f"{np.sum(answers[p] != 0)} atoms"], (28, 28), title=f"Penalty {p}"),
       penalties, label="penalty", alt="A zero, and its reconstruction with one penalty")

# %% [markdown]
# ## One atom at a time
#
# A penalty is one way to use few atoms. Another is to fix their number, and to choose them one by one. **Matching
# pursuit** takes the atom that explains most of the image, subtracts it, and continues with the residual.
#
# How much does an atom $d$ of length 1 explain? The best coefficient minimises $|x - z\,d|^2$, and it is the scalar
# product $z = d \cdot x$. The squared residual is then $|x|^2 - z^2$. So the best atom is the one with the largest
# absolute product.
#
# ### Exercise 5: the first atom
#
# For an image `x` (D,) and a dictionary (K, D) of atoms of length 1, return the index of the atom that leaves the
# smallest residual, and its coefficient. If two are equally good, take the lower index. *Three lines.*

# %% tags=["exercise"]
def first_atom(x, dictionary):
    ### BEGIN SOLUTION
    products = dictionary @ x  # (K,)
    atom = np.abs(products).argmax()
    return atom, products[atom]
    ### END SOLUTION

# %% tags=["check"]
check(first_atom)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# `dictionary @ x` has all products, (K,). A product of -5 explains more than one of 4: look for the largest absolute
# value, and return the coefficient with its sign. (`argmax` returns the first of equal values.)
# </details>

# %% [markdown]
# ### Exercise 6: without a loop
#
# The same for all rows of `X` (N, D) at once: return the indices (N,) and the coefficients (N,). No loop over samples,
# not even a hidden one. *Three lines.*

# %% tags=["exercise"]
def best_atoms(X, dictionary):
    ### BEGIN SOLUTION
    products = X @ dictionary.T  # (N, K)
    atoms = np.abs(products).argmax(axis=1)  # (N,)
    return atoms, products[np.arange(len(X)), atoms]
    ### END SOLUTION

# %% tags=["check"]
check(best_atoms)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# The products of all samples with all atoms are one matrix product, (N, K). `argmax(axis=1)` finds an index in each
# row. To pick one entry of each row, give NumPy two arrays of indices: `products[np.arange(N), atoms]`.
# </details>

# %% [markdown]
# There is one complication. Atoms overlap: once a second one is chosen, the first coefficient is no longer the best.
# So after each choice, *orthogonal* matching pursuit (OMP; Pati, Rezaiifar and Krishnaprasad, 1993) refits all
# coefficients by least squares. The library's `omp` does this for many images at once; for one image it is a short
# loop, which calls your Exercise 5.
#
# ### Smaller parts
#
# The parts of whole images are whole rings. Look through a small window instead, 10 pixels wide, at random places in
# the images, and learn 64 atoms for what appears there. Then put each of them at 100 places of an empty image: this
# gives a dictionary of 6,400 atoms, and a very wide code. Watch the pursuit draw with it:

# %%
choose = yours(first_atom, EXERCISES["first_atom"].answer)
choose_all = yours(best_atoms, EXERCISES["best_atoms"].answer)


def pursue_one(x, dictionary, n_atoms):
    """The atoms that OMP chooses for x (D,), in order, and their coefficients after the last fit, (n_atoms,)."""
    taken, left = [], x
    for _ in range(n_atoms):
        taken.append(int(choose(left, dictionary)[0]))
        amounts = np.linalg.lstsq(dictionary[taken].T, x, rcond=None)[0]  # (atoms so far,)
        left = x - amounts @ dictionary[taken]  # (D,)
    return taken, amounts


x, atoms = images[0].astype(np.float64), model.components_.astype(np.float64)  # (D,), (K, D)
explained = (choose_all(images, model.components_)[1] ** 2).sum() / (images**2).sum()
print(f"one atom for each image explains {explained:.0%} of the squares of all pixels")
taken, amounts = pursue_one(x, atoms, 7)
print("atoms", taken, "  the library finds the same:", np.allclose(amounts, omp(x[None], atoms, 7)[0, taken]))

rng = np.random.default_rng(0)
squares, corners = images.reshape(-1, 28, 28), rng.integers(0, 19, (4000, 2))  # upper left corners of 4,000 windows
windows = np.array([squares[n % 2000, row:row + 10, column:column + 10].ravel()
                    for n, (row, column) in enumerate(corners)])  # (4000, 100)
windows = windows[windows.mean(axis=1) > 0.08]  # those that are not empty
strokes = SparseCoding(64, alpha=1.0, max_iter=30, random_state=0, verbose=1).fit(windows).components_  # (64, 100)
display(show(plotting.tiles(grey(strokes), [""] * 64, (10, 10), n_columns=16,
                            title="64 atoms for windows of 10 by 10 pixels (grey is 0, light is plus, dark is minus)"),
             alt="Short strokes in all directions, curves and ends of strokes"))

places = [(row, column) for row in range(0, 19, 2) for column in range(0, 19, 2)]  # 100 of them
placed = np.zeros((64, len(places), 28, 28))
for p, (row, column) in enumerate(places):
    placed[:, p, row:row + 10, column:column + 10] = strokes.reshape(64, 10, 10)
placed = placed.reshape(-1, 784)  # (6400, D)
tiles, captions = [], []
for n in (np.flatnonzero(labels == 0)[7], np.flatnonzero(labels == 1)[5]):
    x = images[n].astype(np.float64)  # (D,)
    taken = pursue_one(x, placed, 8)[0]
    sums = [pursue_one(x, placed, m)[1] @ placed[taken[:m]] for m in range(1, 9)]  # (D,) each
    tiles += [*grey(placed[taken]), x, *sums, 0 * x]
    captions += [f"stroke {m}" for m in range(1, 9)] + ["the image"]
    captions += [f"residual: {np.sum((x - y)**2) / np.sum(x**2):.0%}" for y in sums] + [""]
show(plotting.tiles(np.array(tiles), captions, (28, 28), n_columns=9,
                    title="A zero and a one: each stroke as it is chosen (grey is 0), and below, the sum so far"),
     alt="Stroke by stroke a zero closes its ring and a one gets its length; the residuals fall")

# %% [markdown]
# The atoms are strokes and curves. The first ones draw the digit, the later ones correct it. A pursuit is greedy: it
# never removes an atom, even if a later one would have been a better choice.
#
# ## Wide and sparse, or narrow?
#
# Which code says more with the same number of numbers? Give each method k of them: PCA has k components (the best
# linear projection), an autoencoder has a code of k, and sparse coding has k non-zero entries among 64. All learn from
# the same 2,000 images, and are tested on 500 others.
#
# To be fair, a non-zero entry also needs its **position**, the index of its atom. In bits this is little, but it is
# information. So a fourth curve counts each position as a whole number.

# %%
def error(outputs):
    """The mean squared error on the test images."""
    return float(np.mean((outputs - test_images) ** 2))


budgets, errors = [1, 2, 4, 8], {"PCA": [], "autoencoder": [], "sparse": []}
for k in budgets:
    pca = PCA(k).fit(images)
    narrow = Autoencoder((128, k), epochs=30, batch_size=16, random_state=0, verbose=1).fit(images)
    wide = SparseCoding(64, algorithm="omp", n_nonzero_coefs=k, max_iter=15, random_state=0, verbose=1).fit(images)
    errors["PCA"].append(error(pca.inverse_transform(pca.transform(test_images))))
    errors["autoencoder"].append(error(narrow.reconstruct(test_images)))
    errors["sparse"].append(error(wide.inverse_transform(wide.transform(test_images))))
longer = error(narrow.set_params(epochs=100).resume(images).reconstruct(test_images))
for k, *row in zip(budgets, *errors.values()):
    print(f"k = {k}   " + "   ".join(f"{name} {value:.4f}" for name, value in zip(errors, row)))
print(f"k = 8   autoencoder after 100 epochs instead of 30: {longer:.4f}")
print(f"a position among 64 takes {np.log2(64):.0f} bits; a number of float32 takes 32")
lines = {"PCA, k numbers": (budgets, errors["PCA"]),
         "autoencoder, a code of k, 30 epochs": (budgets, errors["autoencoder"]),
         "sparse, k of 64": (budgets, errors["sparse"]),
         "sparse, each position counted as a number": ([2 * k for k in budgets[:-1]], errors["sparse"][:-1])}
show(plotting.curves(lines, points={"autoencoder, 100 epochs": ([8], [longer])}, xlabel="k, numbers in a code",
                     ylabel="mean squared error on new images", title="Reconstruction error with codes of k numbers"),
     alt="Falling curves: PCA highest, then the autoencoder, then the two curves of sparse coding")

# %% [markdown]
# At the same k, sparse coding has the smallest error, by far at k = 1. One number of a narrow code can only select a
# point on one line or curve; one entry of 64 also selects *which* of 64 lines. The first way of counting does not show
# that choice. If each position counts as a number, most of the lead at k = 8 is gone, and an autoencoder that trains
# longer overtakes it.
#
# What the narrow code has is order. Neighbouring codes are similar digits, and a slider can move through them (lesson
# 4). Eight random entries of a wide code are no digit at all.
#
# ## Do sparse codes cluster?
#
# Now k-means with two clusters, on pixels and on sparse codes, with three dictionaries each. The codes with a penalty
# do about as well as the pixels. The codes of OMP are hardly better than tossing a coin. Have they lost the digit? The
# last lines look only at the index of the atom that a code uses most.

# %%
def scores(X):
    """How well two clusters of X match the digits."""
    return f"{metrics.accuracy(labels, KMeans(2, n_init=4, random_state=0, verbose=1).fit_predict(X)):.3f}"


by_penalty = [SparseCoding(64, alpha=0.5, max_iter=30, random_state=seed, verbose=1)
              .fit_transform(images) for seed in range(3)]
by_pursuit = [SparseCoding(64, algorithm="omp", n_nonzero_coefs=5, max_iter=15, random_state=seed, verbose=1)
              .fit_transform(images) for seed in range(3)]
print("accuracy on pixels               ", scores(images))
print("on codes with a penalty (FISTA)  ", "  ".join(scores(codes) for codes in by_penalty))
print("on codes of 5 atoms (OMP)        ", "  ".join(scores(codes) for codes in by_pursuit))
same = (labels[:, None] == labels) & ~np.eye(len(labels), dtype=bool)  # (N, N): pairs of images of one digit
for name, codes in (("penalty", by_penalty[0]), ("OMP", by_pursuit[0])):
    on = codes != 0  # (N, K)
    zeros, ones = on[labels == 0].mean(axis=0), on[labels == 1].mean(axis=0)  # (K,), (K,)
    sided = np.maximum(zeros, ones) > 5 * np.minimum(zeros, ones)  # (K,)
    most = np.abs(codes).argmax(axis=1)  # (N,)
    apart = ~(on.astype(np.float32) @ on.T > 0)  # (N, N)
    print(f"{name:7}  the atom used most predicts the digit of {metrics.purity(labels, most):.1%} of the images;  "
          f"{sided.sum()} of 64 atoms\n         are used five times as often by one digit as by the other;  "
          f"{apart[same].mean():.0%} of pairs of one digit have no atom in common")

# %% [markdown]
# The digit is there, in the positions. (The first figure is a purity with 64 groups, which is generous: lesson 6.) But
# k-means looks at distances. Two ones without a common atom are as far apart, in their codes, as a one and a zero, and
# a greedy choice of few atoms produces many such pairs. Two centres cannot represent points in so many directions.
#
# ## An open task
#
# Three of four pixels of a digit are missing. **Fill them in.** Whoever knows which strokes a digit is made of needs
# few pixels to find out which of them are there. The picture below shows eight damaged images and what to aim at.
#
# Things to try: find the code from the pixels that are known alone (then an atom is only as long as its known pixels),
# and use it with whole atoms. Which penalty, or which number of atoms, fills best? Are atoms of 64 training images as
# good as those that were learnt? What if a whole corner is missing?
#
# You are there if the mean squared error of the missing pixels is less than a quarter of what the mean image gives,
# which the cell below prints.

# %%
# Makes the damaged images, and draws them.
whole = test_images[:8]  # (8, D)
known = np.random.default_rng(0).random(whole.shape) < 0.25  # (8, D)


def error_of_missing(filled):
    """The mean squared error of filled-in images (8, D) on the pixels that are not known."""
    return float(np.mean((filled - whole)[~known] ** 2))


print(f"missing pixels taken from the mean image: mean squared error {error_of_missing(images.mean(axis=0)):.4f}")
show(plotting.tiles(np.concatenate([np.where(known, whole, 0.5), whole]), ["damaged"] * 8 + ["the goal"] * 8, (28, 28),
                    n_columns=8, title="A quarter of the pixels is known (grey ones are missing)"),
     alt="Eight grey squares with scattered black and white pixels; below them the eight digits that they are from")

# %% tags=["answer"]
# One answer: a code of the known pixels with a penalty, for atoms of which only these pixels are left.
filled = []
for x, seen in zip(whole, known):
    lengths = np.linalg.norm(model.components_[:, seen], axis=1)  # (K,), of what is left of the atoms
    code = fista(x[None, seen], model.components_[:, seen] / lengths[:, None], 0.3) / lengths  # (1, K)
    filled.append((code @ model.components_)[0])
filled = np.clip(filled, 0, 1)  # (8, D)
print(f"missing pixels from a sparse code: mean squared error {error_of_missing(filled):.4f}")
show(plotting.tiles(np.concatenate([np.where(known, whole, 0.5), filled, whole]),
                    ["damaged"] * 8 + ["filled in"] * 8 + ["the goal"] * 8, (28, 28), n_columns=8,
                    title="Digits filled in from a quarter of their pixels"),
     alt="Eight damaged digits; below each the digit that was filled in, which looks much like the original under it")

# %% [markdown]
# ## What you know now
#
# - A sparse code is wide and mostly 0; its decoder adds up atoms.
# - The penalty $|z|_1$ gives exact zeros because it has a corner at 0. The solution for one number is the soft
#   threshold.
# - A step of ISTA is a layer: weights, a bias that feeds back, and the soft threshold as its activation. FISTA adds
#   momentum.
# - Matching pursuit chooses atoms one by one. Dictionary learning alternates between codes and atoms, as k-means does
#   between labels and centres.
# - Few numbers out of many say more than few numbers: their positions also carry information.
#
# ## To think about
#
# 1. In which sense is k-means a sparse coding with one entry per code? What is different?
# 2. What happens to the codes if the atoms need not have length 1?
# 3. Above which penalty is the code of an image all zeros?
#
# **Previous:** [lesson 4](04_training_the_autoencoder.ipynb) trains the narrow code, [lesson
# 5](05_kmeans_by_hand.ipynb) writes k-means. **Next:** [lesson 12](12_densities.ipynb) asks where codes are likely.

# %% [markdown] tags=["answer"]
# **Answers**
#
# 1. A centre is an atom, and the label is the position of the only entry. But k-means has no coefficients: the entry
#    is always 1, and centres have lengths of their own. Sparse coding with one entry chooses the line closest to the
#    image, and a position on it.
# 2. Atoms ten times as long need codes a tenth as large, which cost a tenth. The sum stays the same, so $f$ can always
#    be lowered by longer atoms, and the penalty has no effect.
# 3. The largest absolute product of any atom with the image. Below it, the first step of ISTA from 0 moves the entry of
#    that atom away from 0; from there on, shrinking sets all entries back to it. (Exercise 5 finds this atom.)
