# %% [markdown]
# # 3 · Is this gradient right?
#
# A wrong gradient does not crash. The network learns a little worse, nobody knows why, and weeks go by. But there is
# a judge that cannot be fooled: the loss itself. Nudge a weight, look how the loss answers, and compare.
#
# **After this lesson you can** check any gradient that anybody wrote by hand, choose the size of the nudge, read what
# a gradient check says, and avoid the checks that pass although the gradient is wrong.
#
# **You need** lesson 2 (or to know what a layer's backward is), and about an hour.

# %%
import numpy as np

from aelearn import plotting
from aelearn.autoencoder import layers
from aelearn.gradcheck import GradientError, check_gradients
from aelearn.teaching.checks import check
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
# The central one looks to both sides. That costs one more evaluation of $f$, and pays. With Taylor's series,
#
# $$ f(x \pm \epsilon) = f(x) \pm \epsilon f'(x) + \tfrac12 \epsilon^2 f''(x) \pm \tfrac16 \epsilon^3 f'''(x) + \dots $$
#
# In the forward difference $\frac12 \epsilon f''$ is left over as an error. In the central one the $f''$ of both
# sides cancel, and only $\frac16 \epsilon^2 f'''$ is left: with $\epsilon$ a thousandth, about a thousand times less.
#
# ### Exercise 1: the central difference
#
# `f` is a function of one number; return its slope at `x`. *One line.*

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
# How far apart are the two points? By that you divide.
# </details>

# %% [markdown]
# ## How large a nudge?
#
# The smaller, the better? Try it, from large to tiny, with numbers of 32 and of 64 bits. The function is the sigmoid,
# whose slope is known exactly.

# %%
def sigmoid(z):
    """In the precision of z."""
    return 1 / (1 + np.exp(-z))


point, exact = 0.7, sigmoid(0.7) * (1 - sigmoid(0.7))
lines = {}
for name, dtype in (("float32", np.float32), ("float64", np.float64)):
    epsilons = 10.0 ** np.arange(-14, 0.25, 0.25)  # (57,)
    errors = []
    for eps in epsilons:
        up, down = sigmoid(dtype(point) + dtype(eps)), sigmoid(dtype(point) - dtype(eps))
        errors.append(max(abs((float(up) - float(down)) / (2 * eps) - exact) / exact, 1e-14))
    lines[f"central, {name}"] = (epsilons, np.array(errors))
epsilons64, errors64 = lines["central, float64"]
forward = [max(abs((sigmoid(point + eps) - sigmoid(point)) / eps - exact) / exact, 1e-14) for eps in epsilons64]
lines["forward, float64"] = (epsilons64, forward)
show(plotting.curves(lines, logarithmic=True, xlabel="nudge eps", ylabel="relative error of the slope",
                              title="Too large, and the curve bends; too small, and digits are missing"),
              alt="Three U-shaped curves of error against nudge: float32 high, forward in the middle, float64 lowest")

# %% [markdown]
# Each curve is a U, or rather a V:
#
# - **From the right** the error falls with $\epsilon^2$ (central) or $\epsilon$ (forward): Taylor's left-over.
# - **From the left** it falls with $1/\epsilon$: each of the two values is rounded, with a relative error of about
#   $\delta$, the spacing of the numbers of its type next to 1. The subtraction keeps that error, and the division by
#   $\epsilon$ magnifies it to $\delta/\epsilon$. Where float32 lies flat at 1, both nudges give the same output, and
#   the measured slope is 0.
#
# The bottom of the central V is where both are alike: $\delta/\epsilon = \epsilon^2$, so $\epsilon = \delta^{1/3}$.

# %%
for dtype in (np.float32, np.float64):
    delta = np.finfo(dtype).eps
    epsilons, errors = lines[f"central, {np.dtype(dtype).name}"]
    best = np.argmin(errors)
    print(f"{np.dtype(dtype).name}: delta = {delta:.1e}, delta^(1/3) = {delta ** (1 / 3):.1e}, "
          f"best eps found {epsilons[best]:.1e}, error there {errors[best]:.1e}")

# %% [markdown]
# So: **check gradients in float64**. Its V goes down much deeper. Draw the line between right and wrong far above its
# bottom, say at a relative error of $10^{-5}$.
#
# ## Every entry of every array
#
# A loss depends on many numbers. Nudge one, put it back, nudge the next one:
#
# ### Exercise 2: a gradient by nudging
#
# `loss` is a function of a matrix; return its derivative by every entry of `W`, an array of the same shape. `W` must
# be as it was when you are done. *About five lines.*

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
# `for index in np.ndindex(W.shape)` goes over all entries, and `W[index]` is one of them. Either change a copy of
# `W`, or keep the old value and put exactly that back: after `+= eps` and `-= eps` it may be another in the last
# digit.
# </details>

# %% [markdown]
# ## When are two numbers the same?
#
# Not when their difference is small: of 0.000001 and 0.000002 the difference is small, and one is twice the other.
# What counts is the **relative error**,
#
# $$ \frac{|\,\text{yours} - \text{numerical}\,|}{\max(|\,\text{yours}\,|, |\,\text{numerical}\,|, 10^{-8})} $$
#
# The $10^{-8}$ is for entries that are 0 in both: they are right, and 0/0 would not say so.
#
# ### Exercise 3: the relative error
#
# For two arrays of one shape, return the relative error of each entry. *One or two lines.*

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
# `np.maximum` takes the larger of two arrays, entry by entry; three of them need two calls.
# </details>

# %% [markdown]
# With central differences in float64, a right gradient is off by little more than the bottom of the V. A wrong one is
# off by a good part of itself. Between the two lies a wide empty space; if you land there, look for a kink or for
# float32.
#
# ## The check that always passes
#
# A layer is not a loss: it returns an array. So people take the sum of what it returns as the loss, and give the
# backward an array of ones. Here is a backward of a layer that never looks at the derivative that it is given:

# %%
def careless_backward(dz, x, W):
    """A wrong backward: it ignores the values of dz."""
    ones = np.ones(dz.shape)  # (N, H)
    return ones @ W.T, x.T @ ones, ones.sum(axis=0)  # (N, D), (D, H), (H,)


rng = np.random.default_rng(0)
x, W, b = rng.normal(size=(5, 4)), rng.normal(size=(4, 3)), rng.normal(size=3)  # (N, D), (D, H), (H,)


def loss_with(U):
    """A loss whose derivative by the layer's output is U (N, H)."""
    return lambda params: np.sum(U * layers.dense(params["x"], params["W"], params["b"]))


def verdict(backward, U):
    """What the library's gradient check says."""
    dx, dW, db = backward(U, x, W)
    try:
        return str(check_gradients(loss_with(U), {"x": x, "W": W, "b": b}, {"x": dx, "W": dW, "b": db}))
    except GradientError as error:
        return f"WRONG: {error}".replace("; d", "\nWRONG: d")


print("with a sum:", verdict(careless_backward, np.ones((5, 3))), sep="\n")
print("\nwith random weights:", verdict(careless_backward, rng.normal(size=(5, 3))), sep="\n")

# %% [markdown]
# With ones the wrong backward passes in all entries. So weigh the outputs with random numbers $U$: the loss is $\sum
# U \cdot \text{layer}(x)$, its derivative by the layer's output is $U$, and that is what the backward must be given.
#
# And take sizes that are all different, as above: N = 5, D = 4, H = 3. Where two of them are equal, a product with the
# wrong factor transposed still has the right shape.
#
# ## Five planted bugs
#
# Here are five backwards of a layer, each with one mistake in it. The library's check is in `verdict` above. **Before
# you read on**, look at its output, and say for each what was done wrong (N = 5 here).

# %%
U = rng.normal(size=(5, 3))  # (N, H)
for number, backward in enumerate(planted_bugs(), 1):
    print(f"--- bug {number}", verdict(backward, U), sep="\n")

# %% [markdown] tags=["answer"]
# **Answers.** Each is told by its pattern:
#
# 1. `dW` is off by one factor, the number of samples: a mean over the batch where there should be a sum.
# 2. `dx` has the wrong sign everywhere.
# 3. `db` is right in its first entries and wrong in the last one: a loop that ends too early.
# 4. `dW` is transposed: its shape gives it away. (With as many features as units it would not: take uneven sizes.)
# 5. `dx` is wrong in one row: the last sample was forgotten.

# %% [markdown]
# ### Exercise 4: the judge
#
# Write it yourself. `backward(dz, x, W)` returns `dx`, `dW`, `db`, one of which is wrong. Return its name: `"dx"`,
# `"dW"` or `"db"`. The layer is `z = x @ W + b`. *About ten lines; the functions of your other exercises help, or
# `aelearn.gradcheck.numerical_gradient`.*

# %% tags=["exercise"]
def find_bug(backward, dz, x, W, b):
    ### BEGIN SOLUTION
    arrays = {"x": x, "W": W, "b": b}
    for name, gradient in zip(arrays, backward(dz, x, W)):
        numerical = np.empty(arrays[name].shape)
        for index in np.ndindex(numerical.shape):
            values = []
            for eps in (1e-5, -1e-5):
                nudged = {**arrays, name: arrays[name].copy()}
                nudged[name][index] += eps
                values.append(np.sum(dz * (nudged["x"] @ nudged["W"] + nudged["b"])))
            numerical[index] = (values[0] - values[1]) / 2e-5
        if gradient.shape != numerical.shape or not np.allclose(gradient, numerical, rtol=1e-5, atol=1e-8):
            return "d" + name
    ### END SOLUTION

# %% tags=["check"]
check(find_bug)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# The loss is `np.sum(dz * (x @ W + b))`: its derivative by z is dz. Nudge all entries of x, then of W, then of b, and
# compare each with what the backward says. A wrong shape counts as wrong.
# </details>

# %% [markdown]
# ## Where the judge itself is wrong
#
# At a **kink** there is no derivative. ReLU has one at 0: left of it the slope is 0, right of it 1, and a central
# difference across it says something between. Watch a right gradient fail, a hair's breadth from the kink:

# %%
for position in (0.5, 1e-6):
    z = np.array([position])  # (1,)
    slope = layers.relu_backward(np.ones(1), layers.relu(z))  # (1,)
    numerical = (layers.relu(z + 1e-4) - layers.relu(z - 1e-4)) / 2e-4  # (1,)
    print(f"z = {position:g}: slope {slope[0]:g}, numerical {numerical[0]:.3g}")

# %% [markdown]
# The remedy is not a looser tolerance, but inputs that stay away from the kink. `python -m
# aelearn.autoencoder.selfcheck` checks the library's own network in that way, with every activation and every loss.
#
# ## What you know now
#
# - A central difference costs two evaluations and is right to $\epsilon^2$; in float64, $\epsilon$ near $10^{-5}$ is
#   good.
# - Compare every entry, by relative error.
# - Give the backward a random derivative, and the layer uneven sizes.
# - The pattern of the errors names the mistake: a factor, a sign, a transpose, a row.
#
# ## To think about
#
# 1. A gradient check takes two losses for each weight. The network of lesson 1 has some two hundred thousand
#    weights. How can you check its backward without waiting for that?
# 2. Why is a random matrix $U$ enough? Could a wrong backward not be right for this $U$ by accident?
# 3. Somebody checks with $\epsilon = 10^{-12}$ in float64, "to be exact". What will they see?
#
# **Before:** [lesson 2](02_backprop_by_hand.ipynb) derives the gradients that were checked here.

# %% [markdown] tags=["answer"]
# **Answers**
#
# 1. The code of the backward does not know how large the layers are. A network 6-4-2-4-6 with five samples goes
#    through the same lines, and has so few weights that the check is done at once.
# 2. Only if the error is 0 for this very $U$. The error depends linearly on $U$ for the usual mistakes, and a random
#    $U$ hits the directions where it vanishes with probability 0. (Ones are such a direction for the careless
#    backward.)
# 3. The left branch of the V: errors as large as a thousandth or a hundredth, and right gradients called wrong.
