# %% [markdown]
# # 3 · Is this gradient right?
#
# A wrong gradient does not crash. The network learns a little worse, nobody knows why, and weeks go by. But there is a
# judge that cannot be fooled: the loss itself. Nudge a weight, see how the loss changes, and compare.
#
# **After this lesson you can** check any hand-written gradient, choose the size of the nudge, interpret the result of a
# gradient check, and avoid checks that pass although the gradient is wrong.
#
# **You need** lesson 2 (or to know what the backward pass of a layer is), and about 60 minutes.

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
# How far apart are the two points? Divide by that distance.
# </details>

# %% [markdown]
# ## How large should the nudge be?
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
                              title="Too large a nudge sees the curvature; too small a nudge loses digits"),
              alt="Three U-shaped curves of error against nudge: float32 high, forward in the middle, float64 lowest")

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
# ## Every entry of every array
#
# A loss depends on many numbers. Nudge one, put it back, nudge the next one:
#
# ### Exercise 2: a gradient by nudging
#
# `loss` is a function of a matrix; return its derivative with respect to every entry of `W`, an array of the same
# shape. When you are done, `W` must be unchanged. *About five lines.*

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
# ### Exercise 3: the relative error
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
# ### Exercise 4: find the bug
#
# Write the check yourself. `backward(dz, x, W)` returns `dx`, `dW`, `db`, one of which is wrong. Return its name:
# `"dx"`, `"dW"` or `"db"`. The layer is `z = x @ W + b`. *About ten lines; use the functions of your other exercises,
# or `aelearn.gradcheck.numerical_gradient`.*

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
# The loss is `np.sum(dz * (x @ W + b))`: its derivative with respect to z is dz. Nudge all entries of x, then of W,
# then of b, and compare each numerical gradient with the one that `backward` returns. A wrong shape counts as wrong.
# </details>

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
# - The pattern of the errors identifies the mistake: a factor, a sign, a transpose, a row.
#
# ## To think about
#
# 1. A gradient check needs two losses for each weight. The network of lesson 1 has some two hundred thousand weights.
#    How can you check its backward pass without waiting for that?
# 2. Why is a random matrix $U$ enough? Could a wrong backward pass not be right for this $U$ by accident?
# 3. Somebody checks with $\epsilon = 10^{-12}$ in float64, "to be exact". What will they see?
#
# **Previous:** [lesson 2](02_backprop_by_hand.ipynb) derives the gradients that were checked here.

# %% [markdown] tags=["answer"]
# **Answers**
#
# 1. The code of the backward pass does not depend on the size of the layers. A network 6-4-2-4-6 with five samples runs
#    through the same lines, and has so few weights that the check takes no time.
# 2. Only if the error is 0 for exactly this $U$. For the usual mistakes the error depends linearly on $U$, and a random
#    $U$ hits the directions in which it vanishes with probability 0. (For the careless backward pass, ones are such a
#    direction.)
# 3. The left branch of the V: errors as large as a thousandth or a hundredth, and right gradients reported as wrong.
