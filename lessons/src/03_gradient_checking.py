# %% [markdown]
# # 3 · Is this gradient right?
#
# A wrong gradient does not crash. The network learns a little worse, nobody knows why, and weeks go by. But there is a
# judge that cannot be fooled: the loss itself. Nudge a weight, see how the loss changes, and compare.
#
# **After this lesson you can** check any hand-written gradient, choose the size of the nudge, interpret the result of a
# gradient check, and avoid checks that pass although the gradient is wrong.
#
# **You need** lesson 2 (or to know what the backward pass of a layer is), and about 70 minutes.

# %%
import numpy as np

from aelearn import load_mnist, plotting
from aelearn.autoencoder import layers, network
from aelearn.gradcheck import GradientError, check_gradients, numerical_gradient
from aelearn.teaching.checks import check, yours
from aelearn.teaching.exercises.gradient_checking import planted_bugs
from aelearn.teaching.notebooks import show

# %% [markdown]
# ## A derivative without calculus
#
# The derivative of $f$ at $x$ is the slope of $f$ there. The simplest way to measure a slope is to take two points:
#
# $$ \text{forward: } \frac{f(x + \epsilon) - f(x)}{\epsilon} \qquad\qquad
#    \text{central: } \frac{f(x + \epsilon) - f(x - \epsilon)}{2 \epsilon} $$
#
# The central difference looks to both sides. It costs one more evaluation of $f$, and it is worth it. By Taylor's
# series,
#
# $$ f(x \pm \epsilon) = f(x) \pm \epsilon f'(x) + \tfrac12 \epsilon^2 f''(x) \pm \tfrac16 \epsilon^3 f'''(x) + \dots $$
#
# In the forward difference, $\frac12 \epsilon f''$ remains as an error. In the central difference the $f''$ of both
# sides cancel, and only $\frac16 \epsilon^2 f'''$ remains: with $\epsilon$ a thousandth, about a thousand times less.
#
# ### Exercise 1: the central difference
#
# `f` is a function of one number; return its slope at `x` by the central difference with the nudge `eps`. *One line.*

# %% tags=["exercise"]
def central_difference(f, x, eps):
    ### BEGIN SOLUTION
    return (f(x + eps) - f(x - eps)) / (2 * eps)
    ### END SOLUTION

# %% tags=["check"]
check(central_difference)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# How far apart are the two points? Divide by that distance.
# </details>

# %% [markdown]
# ## How large should the nudge be?
#
# The smaller, the better? Try it, from large to tiny, with numbers of 32 and of 64 bits. The function is the sigmoid,
# whose slope is known exactly. If your exercise 1 is right, it measures the slopes:

# %%
def sigmoid(z):
    """In the precision of z, which may be complex."""
    return 1 / (1 + np.exp(-z))


def forward_difference(f, x, eps):
    return (f(x + eps) - f(x)) / eps


def errors_of(formula, dtype, epsilons):
    """The relative errors of the sigmoid's slope at 0.7, at least 1e-16 each, so that they can be drawn."""
    exact = sigmoid(0.7) * (1 - sigmoid(0.7))
    slopes = [float(formula(sigmoid, dtype(0.7), dtype(eps))) for eps in epsilons]
    return np.maximum(np.abs(np.array(slopes) / exact - 1), 1e-16)


central = yours(central_difference, lambda f, x, eps: (f(x + eps) - f(x - eps)) / (2 * eps))
epsilons = 10.0 ** np.arange(-14, 0.25, 0.25)  # (57,)
lines = {"central, float32": (epsilons, errors_of(central, np.float32, epsilons)),
         "central, float64": (epsilons, errors_of(central, np.float64, epsilons)),
         "forward, float64": (epsilons, errors_of(forward_difference, np.float64, epsilons))}
show(plotting.curves(lines, logarithmic=True, xlabel="nudge eps", ylabel="relative error of the slope",
                     title="Too large a nudge sees the curvature; too small a nudge loses digits"),
     alt="Three V-shaped curves of the error against the nudge: float32 is highest, with its lowest point near 0.01; "
         "forward differences in float64 are in the middle, central ones go down below 1e-11 near 1e-5")

# %% [markdown]
# Each curve is a U, or rather a V:
#
# - **On the right**, the error falls with $\epsilon^2$ (central) or $\epsilon$ (forward): the remainder of Taylor's
#   series.
# - **On the left**, it falls with $1/\epsilon$: each of the two values is rounded, with a relative error of about
#   $\delta$, the spacing of the numbers of its type next to 1. The subtraction keeps that error, and the division by
#   $\epsilon$ magnifies it to $\delta/\epsilon$. Where the float32 curve is flat at 1, both nudges give the same
#   output, and the measured slope is 0.
#
# The central V is lowest where both errors are about equal: $\delta/\epsilon = \epsilon^2$, so $\epsilon =
# \delta^{1/3}$.

# %%
for dtype in (np.float32, np.float64):
    delta = np.finfo(dtype).eps
    epsilons, errors = lines[f"central, {np.dtype(dtype).name}"]
    best = np.argmin(errors)
    print(f"{np.dtype(dtype).name}: delta = {delta:.1e}, delta^(1/3) = {delta ** (1 / 3):.1e}, "
          f"best eps found {epsilons[best]:.1e}, error there {errors[best]:.1e}")

# %% [markdown]
# So: **check gradients in float64**. Its V goes down much deeper. Put the threshold between right and wrong far above
# the lowest point, say at a relative error of $10^{-5}$.
#
# ## Without the left side of the V
#
# On the left, digits are lost because two nearly equal numbers are subtracted. If `f` also accepts complex numbers, no
# subtraction is needed. Nudge $x$ sideways, into the complex plane: Taylor's series with $i \epsilon$ is
#
# $$ f(x + i\epsilon) = f(x) + i\epsilon f'(x) - \tfrac12 \epsilon^2 f''(x) - \tfrac{i}{6} \epsilon^3 f'''(x) + \dots $$
#
# The slope is in the imaginary part, all by itself. So $\epsilon$ can be as small as you like, $10^{-100}$ for example.
#
# ### Exercise 2: now without a subtraction
#
# Return the slope of `f` at `x` by such a **complex step**, with the nudge `eps`. In Python $i$ is `1j`, and `z.imag`
# is the imaginary part. *One line.*

# %% tags=["exercise"]
def complex_step(f, x, eps):
    ### BEGIN SOLUTION
    return f(x + 1j * eps).imag / eps
    ### END SOLUTION

# %% tags=["check"]
check(complex_step)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# Take the imaginary part of both sides of Taylor's series, and leave out the term with $\epsilon^3$. What must the
# imaginary part be divided by?
# </details>

# %% [markdown]
# The complex step is exact to the last digit. (Networks are mostly checked with central differences all the same,
# because `abs`, `max` and comparisons do not work for complex numbers.)
#
# ## Every entry of every array
#
# A loss depends on many numbers. Nudge one, put it back, nudge the next one:
#
# ### Exercise 3: a gradient by nudging
#
# `loss` is a function of a matrix; return its derivative with respect to every entry of `W`, an array of the same
# shape, by central differences with the nudge `eps`. When you are done, `W` must be unchanged. *About five lines.*

# %% tags=["exercise"]
def gradient_by_nudging(loss, W, eps):
    ### BEGIN SOLUTION
    dW = np.empty(W.shape)
    for index in np.ndindex(W.shape):
        nudge = np.zeros(W.shape)
        nudge[index] = eps
        dW[index] = (loss(W + nudge) - loss(W - nudge)) / (2 * eps)
    return dW
    ### END SOLUTION

# %% tags=["check"]
check(gradient_by_nudging)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# `for index in np.ndindex(W.shape)` visits all entries, and `W[index]` is one of them. Either change a copy of `W`, or
# remember the old value and put exactly that back: `+= eps` followed by `-= eps` may change the last digit.
# </details>

# %% [markdown]
# ## When are two numbers the same?
#
# Not simply when their difference is small: 0.000001 and 0.000002 differ by little, yet one is twice the other. What
# counts is the **relative error**,
#
# $$ \frac{|\,\text{yours} - \text{numerical}\,|}{\max(|\,\text{yours}\,|, |\,\text{numerical}\,|, 10^{-8})} $$
#
# The $10^{-8}$ is for entries that are 0 in both: they are right, but the quotient would be 0/0.
#
# ### Exercise 4: the relative error
#
# For two arrays of the same shape, return the relative error of each entry. *One or two lines.*

# %% tags=["exercise"]
def relative_error(yours, numerical):
    ### BEGIN SOLUTION
    size = np.maximum(np.maximum(np.abs(yours), np.abs(numerical)), 1e-8)
    return np.abs(yours - numerical) / size
    ### END SOLUTION

# %% tags=["check"]
check(relative_error)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# `np.maximum` takes the larger of two arrays, entry by entry; for three arrays call it twice.
# </details>

# %% [markdown]
# With central differences in float64, the error of a right gradient is not much larger than the lowest point of the V.
# The error of a wrong one is a good part of the gradient itself. Between the two is a wide gap; if your error is there,
# look for a kink or for float32.
#
# ## The check that always passes
#
# A layer is not a loss: it returns an array. A common shortcut is to take the sum of its output as the loss, and to
# give the backward pass an array of ones. Here is a backward pass that never looks at the derivative that it is given:

# %%
def careless_backward(dz, x, W):
    """A wrong backward pass: it ignores the values of dz."""
    ones = np.ones(dz.shape)  # (N, H)
    return ones @ W.T, x.T @ ones, ones.sum(axis=0)  # (N, D), (D, H), (H,)


rng = np.random.default_rng(0)
x, W, b = rng.normal(size=(5, 4)), rng.normal(size=(4, 3)), rng.normal(size=3)  # (N, D), (D, H), (H,)


def loss_with(U):
    """A loss whose derivative with respect to the layer's output is U (N, H)."""
    return lambda params: np.sum(U * layers.dense(params["x"], params["W"], params["b"]))


def verdict(backward, U):
    """The result of the library's gradient check."""
    dx, dW, db = backward(U, x, W)
    try:
        return str(check_gradients(loss_with(U), {"x": x, "W": W, "b": b}, {"x": dx, "W": dW, "b": db}))
    except GradientError as error:
        return f"WRONG: {error}".replace("; d", "\nWRONG: d")


print("with a sum:", verdict(careless_backward, np.ones((5, 3))), sep="\n")
print("\nwith random weights:", verdict(careless_backward, rng.normal(size=(5, 3))), sep="\n")

# %% [markdown]
# With ones, the wrong backward pass gets every entry right. So weight the outputs with random numbers $U$: the loss is
# $\sum U \cdot \text{layer}(x)$, its derivative with respect to the layer's output is $U$, and that is what the
# backward pass must be given.
#
# And choose sizes that are all different, as above: N = 5, D = 4, H = 3. If two of them are equal, a product with the
# wrong factor transposed still has the right shape.
#
# ## Five planted bugs
#
# Here are five backward passes of a layer, each with one mistake. The library's check is in `verdict` above. **Before
# you read on**, look at its output and say for each of them what is wrong (N = 5 here).

# %%
U = rng.normal(size=(5, 3))  # (N, H)
for number, backward in enumerate(planted_bugs(), 1):
    print(f"--- bug {number}", verdict(backward, U), sep="\n")

# %% [markdown] tags=["answer"]
# **Answers.** Each mistake shows a pattern:
#
# 1. `dW` is off by one factor, the number of samples: a mean over the batch where there should be a sum.
# 2. `dx` has the wrong sign everywhere.
# 3. `db` is right in its first entries and wrong in the last one: a loop that ends too early.
# 4. `dW` is transposed: its shape gives it away. (With as many features as units it would not: use unequal sizes.)
# 5. `dx` is wrong in one row: the last sample was forgotten.

# %% [markdown]
# ### Exercise 5: find the bug
#
# Write the check yourself. `backward(dz, x, W)` returns `dx`, `dW`, `db`, one of which is wrong, if only by a
# thousandth. Return its name: `"dx"`, `"dW"` or `"db"`. The layer is `z = x @ W + b`. *About ten lines; use the
# functions of your other exercises, or `aelearn.gradcheck.numerical_gradient`.*

# %% tags=["exercise"]
def find_bug(backward, dz, x, W, b):
    ### BEGIN SOLUTION
    arrays = {"x": x, "W": W, "b": b}

    def loss(arrays):
        return np.sum(dz * (arrays["x"] @ arrays["W"] + arrays["b"]))

    for name, gradient in zip(arrays, backward(dz, x, W)):
        numerical = gradient_by_nudging(lambda nudged: loss({**arrays, name: nudged}), arrays[name], 1e-5)
        if gradient.shape != numerical.shape or not np.allclose(gradient, numerical, rtol=1e-5, atol=1e-8):
            return "d" + name
    ### END SOLUTION

# %% tags=["check"]
check(find_bug)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# The loss is `np.sum(dz * (x @ W + b))`: its derivative with respect to z is dz. Nudge all entries of x, then of W,
# then of b, and compare each numerical gradient with the one that `backward` returns. A wrong shape counts as wrong.
# </details>

# %% [markdown]
# ## Two hundred thousand weights
#
# The network of lesson 1 has 202,515 weights and biases. To nudge each of them takes 405,030 losses. But all of them
# can be nudged at the same time, in a random direction $V$. By the chain rule,
#
# $$ \frac{d}{dt} \text{loss}(W + t V) = \sum_i \frac{\partial \text{loss}}{\partial W_i} V_i $$
#
# The left side is a single slope. On the right is the gradient. If both agree for a random $V$, the gradient is right:
# an error in one entry changes the sum. (*Which* entry it is in, the sum does not say.)
#
# ### Exercise 6: now with two losses
#
# `loss` is a function of an array, and `V` has the shape of `W`. Return the slope of the loss at `W` in the direction
# `V`, by a central difference with `eps`. It must take the time of two losses, however large W is. *One or two lines.*

# %% tags=["exercise"]
def slope_along(loss, W, V, eps):
    ### BEGIN SOLUTION
    return (loss(W + eps * V) - loss(W - eps * V)) / (2 * eps)
    ### END SOLUTION

# %% tags=["check"]
check(slope_along)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# It is exercise 1 for the function $t \mapsto \text{loss}(W + t V)$, at $t = 0$.
# </details>

# %%
def by_the_library(loss, W, V, eps):
    """The same slope: the derivative with respect to t, an array with one entry."""
    return numerical_gradient(lambda params: loss(W + params["t"] * V), {"t": np.zeros(1)}, "t")[0][0]


slope = yours(slope_along, by_the_library)
images = load_mnist("test", dtype=np.float64)[0][:20]  # (20, 784)
architecture = network.Architecture((784, 128, 3, 128, 784))
params = architecture.parameters(rng.normal(0, 0.1, architecture.n_parameters))
V = rng.normal(size=params.vector.shape)  # (202515,)
gradient = network.loss_and_gradients(params, images, architecture)[1].vector  # (202515,)


def loss(vector):
    return network.loss_and_gradients(architecture.parameters(vector), images, architecture)[0]


measured = slope(loss, params.vector, V, 1e-5)
for name, wrong in (("right", gradient), ("one entry is wrong", np.where(np.arange(V.size) == 50_000, 0.01, gradient))):
    print(f"{name}: the sum is {np.sum(wrong * V):.6f}, the slope {measured:.6f}")

# %% [markdown]
# ## Where the check itself is wrong
#
# At a **kink** there is no derivative. ReLU has one at 0: the slope is 0 to the left and 1 to the right, and a central
# difference across it gives something in between. Here a right gradient fails, because it is very close to the kink:

# %%
for position in (0.5, 1e-6):
    z = np.array([position])  # (1,)
    slope = layers.relu_backward(np.ones(1), layers.relu(z))  # (1,)
    numerical = (layers.relu(z + 1e-4) - layers.relu(z - 1e-4)) / 2e-4  # (1,)
    print(f"z = {position:g}: slope {slope[0]:g}, numerical {numerical[0]:.3g}")

# %% [markdown]
# The remedy is not a looser tolerance, but inputs that stay away from the kink. `python -m
# aelearn.autoencoder.selfcheck` checks the library's own network in this way, with every activation and every loss.
#
# ## What you know now
#
# - A central difference costs two evaluations and has an error of order $\epsilon^2$; in float64, $\epsilon$ near
#   $10^{-5}$ is good.
# - Compare every entry, by relative error.
# - Give the backward pass a random derivative, and the layer unequal sizes.
# - The slope along one random direction checks all weights with two losses, but does not say which one is wrong.
# - The pattern of the errors identifies the mistake: a factor, a sign, a transpose, a row.
#
# ## To think about
#
# 1. The slope along a random direction disagrees with the gradient. How do you find the entry that is wrong, among two
#    hundred thousand, without nudging each?
# 2. Why is a random matrix $U$ enough? Could a wrong backward pass not be right for this $U$ by accident?
# 3. Somebody checks with $\epsilon = 10^{-12}$ in float64, "to be exact". What will they see?
#
# ## An open task: a layer that nobody has derived for you
#
# Layer normalisation shifts and scales each row of x (N, D) to mean 0 and variance 1:
#
# $$ a_{nd} = \frac{x_{nd} - \mu_n}{s_n} \qquad \mu_n = \frac1D \sum_d x_{nd} \qquad
#    s_n^2 = \frac1D \sum_d (x_{nd} - \mu_n)^2 $$
#
# Every x of a row is in its mean and in its deviation, so each $x_{nd}$ acts on all $a$ of its row, along three paths.
# Derive `dx` from `da`, and check it. As a first try, here is `dx = da / s`, which forgets two of the paths. The
# picture shows the relative error of each entry; yours should be white everywhere, below $10^{-6}$. Forget only one of
# the paths to see what that looks like.
#
# Hints, if you want any: write `da / s` first, then subtract what comes back through $\mu$, then what comes back
# through $s$. Both are means over the row. Can you say why `dx` has the sum 0 in each row?
#
# **Previous:** [lesson 2](02_backprop_by_hand.ipynb) derives the gradients that were checked here.

# %%
x, da = rng.normal(size=(4, 6)), rng.normal(size=(4, 6))  # (N, D), (N, D)


def layer_norm(x):
    """Each row with mean 0 and variance 1, and its standard deviation (N, 1)."""
    centered = x - x.mean(axis=1, keepdims=True)  # (N, D)
    s = np.sqrt(np.mean(centered**2, axis=1, keepdims=True))  # (N, 1)
    return centered / s, s


def errors_in(dx):
    """The relative error of each entry of dx, by finite differences; 0 where it is at most 1e-6."""
    numerical = numerical_gradient(lambda params: np.sum(da * layer_norm(params["x"])[0]), {"x": x}, "x")[0]  # (N, D)
    errors = np.abs(dx - numerical) / np.maximum(np.maximum(np.abs(dx), np.abs(numerical)), 1e-8)  # (N, D)
    return np.where(errors > 1e-6, errors, 0)


a, s = layer_norm(x)  # (N, D), (N, 1)
show(plotting.matrices([("dx = da / s", errors_in(da / s)), ("the goal", np.zeros(x.shape))],
                       title="Relative errors of the derivative of layer normalisation"),
     alt="A table of relative errors, most of which are between 0.05 and 1.6, and next to it the goal, where all are 0")

# %% tags=["answer"]
da_mean, correlation = da.mean(axis=1, keepdims=True), np.mean(da * a, axis=1, keepdims=True)  # (N, 1) each
dx = (da - da_mean - a * correlation) / s  # (N, D): directly, through the mean, through the deviation
print("the open task:", check_gradients(lambda params: np.sum(da * layer_norm(params["x"])[0]), {"x": x}, {"x": dx}))
show(plotting.matrices([("da / s", errors_in(da / s)), ("through the mean, too", errors_in((da - da_mean) / s)),
                        ("all three paths", errors_in(dx))],
                       title="Relative errors of the derivative of layer normalisation"),
     alt="Three tables of relative errors: large with one path and with two, and 0 in every entry with all three")

# %% [markdown] tags=["answer"]
# **Answers**
#
# 1. Let V be 0 except in one array, then in one half of it, and so on: each slope says whether the error is in that
#    part, and halving takes 18 slopes. Or check a small network entry by entry: the code does not depend on the sizes,
#    so 6-4-2-4-6 runs through the same lines.
# 2. Only if the error is 0 for exactly this $U$. For the usual mistakes the error depends linearly on $U$, and a random
#    $U$ hits the directions in which it vanishes with probability 0. (For the careless backward pass, ones are such a
#    direction.)
# 3. The left branch of the V: errors as large as a thousandth or a hundredth, and right gradients reported as wrong.
