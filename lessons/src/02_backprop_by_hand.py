# %% [markdown]
# # 2 · Backpropagation by hand
#
# A network learns by asking one question again and again: *if I change this weight a little, what happens to the
# loss?* The answer is a derivative. A network has many weights. Backpropagation computes the derivatives for all of
# them at once, for about the cost of two more passes through the network. It is the chain rule, applied in a good
# order, and nothing else.
#
# **After this lesson you can** write the backward pass of a neuron, of a layer and of a small autoencoder, and
# explain where each transpose in it comes from.
#
# **You need** the chain rule from school, NumPy's arrays and `@`, and about 70 minutes. Lesson 1 is not needed.
#
# There are eight exercises, and an open task at the end. Each exercise has a cell to fill in, a hint that you may
# ignore, and a cell with `check(...)`, which tests your function on random inputs and says in one line whether it is
# right or what is wrong. No later cell depends on your answers, so you can move on and come back; but the network in
# this lesson learns from your derivatives if they are right.

# %%
import numpy as np

from aelearn import load_mnist, plotting
from aelearn.autoencoder import layers, losses, network
from aelearn.teaching.checks import check, yours
from aelearn.teaching.notebooks import show, waiting

# %% [markdown]
# ## One set of letters for all shapes
#
# | letter | counts |
# |---|---|
# | N | samples: images in a batch |
# | D | features: inputs of a layer |
# | H | units: outputs of a layer |
# | C | the size of a code |
#
# Each line of code that creates an array ends with its shape. And a `d` before a name means *the derivative of the loss
# with respect to* it: `dW` is $\partial L / \partial W$ and has exactly the shape of `W`. If a shape does not fit, the
# line is wrong: most mistakes in this lesson can be found that way.
#
# ## One neuron
#
# A neuron takes D numbers $x$, weights them by $w$, adds a bias $b$, and passes the sum through the sigmoid:
#
# $$ z = \sum_d w_d x_d + b \qquad\qquad a = \sigma(z) = \frac{1}{1 + e^{-z}} $$
#
# A large $z$ gives an $a$ near 1, a very negative $z$ gives an $a$ near 0, and in between there is a soft step:

# %% tags=["plot"]
# Draws the sigmoid and its slope.
z = np.linspace(-8, 8, 201)  # (201,)
a = layers.sigmoid(z)  # (201,)
show(plotting.curves({"a = sigmoid(z)": (z, a), "its slope": (z, a * (1 - a))}, xlabel="z", ylabel="a, da/dz",
                              title="The sigmoid, and how steep it is"),
              alt="An S-shaped curve that rises from 0 to 1 between z = -5 and 5, and its slope, a hump of height 1/4 "
                  "at z = 0")

# %% [markdown]
# ### Exercise 1: forward
#
# Write the neuron. `x` and `w` have shape (D,), `b` is a number, and so is the result. *One line.*

# %% tags=["exercise"]
def neuron(x, w, b):
    ### BEGIN SOLUTION
    return 1 / (1 + np.exp(-(w @ x + b)))
    ### END SOLUTION

# %% tags=["check"]
check(neuron)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# `w @ x` is the dot product of two vectors. NumPy has `np.exp`.
# </details>

# %% [markdown]
# ## The chain rule, with numbers
#
# Let the loss be some function of $a$, and suppose that we already know its derivative, $da = \partial L/\partial a$.
# How does the loss change with $w_2$ (`w[2]` in Python)? Follow the path from $w_2$ to the loss and multiply the slopes
# along it:
#
# $$ \frac{\partial L}{\partial w_2} = \underbrace{\frac{\partial L}{\partial a}}_{da} \cdot
#    \underbrace{\frac{\partial a}{\partial z}}_{\sigma'(z)} \cdot \underbrace{\frac{\partial z}{\partial w_2}}_{x_2} $$
#
# Conveniently, the slope of the sigmoid can be computed from $a$ alone, without another exponential:
#
# $$ \sigma'(z) = \frac{e^{-z}}{(1 + e^{-z})^2} = a\,(1 - a) $$
#
# Do not take our word for it: nudge $w_2$ and see what $a$ does. The picture below shows $a$ as $w_2$ changes, and the
# straight line whose slope the chain rule gave: it is the tangent.

# %%
rng = np.random.default_rng(0)
x, w, b = rng.normal(size=4), rng.normal(size=4), 0.1  # (4,), (4,), a number


def output(w):
    """The neuron as a function of its weights alone."""
    return 1 / (1 + np.exp(-(w @ x + b)))


a, nudge = output(w), np.array([0, 0, 1e-5, 0])
print("by nudging:       ", (output(w + nudge) - output(w - nudge)) / 2e-5)
print("by the chain rule:", a * (1 - a) * x[2])

# %% tags=["plot"]
# Draws the output and its tangent.
steps = np.linspace(-9, 6, 101)  # (101,)
curve = [output(w + np.array([0, 0, step, 0])) for step in steps]
tangent = a + a * (1 - a) * x[2] * steps  # (101,)
near = np.abs(steps) < 2
lines = {"the neuron's output": (steps, curve), "tangent, its slope by the chain rule": (steps[near], tangent[near])}
show(plotting.curves(lines, points={"here": ([0], [a])}, xlabel="change of w[2]", ylabel="a",
                              title="The derivative is the slope of the tangent"),
              alt="The output rises from 0 to 1 as one weight grows; a straight line touches the curve at the current "
                  "weight")

# %% [markdown]
# ### Exercise 2: one neuron, backward
#
# You get `da`, the derivative of the loss with respect to the neuron's output, its inputs `x` and `w`, and its output
# `a`. Return `dx`, `dw` and `db`, each with the shape of `x`, `w` and `b`. *Two lines.*

# %% tags=["exercise"]
def neuron_backward(da, x, w, a):
    ### BEGIN SOLUTION
    dz = da * a * (1 - a)
    return dz * w, dz * x, dz
    ### END SOLUTION

# %% tags=["check"]
check(neuron_backward)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# First compute `dz`: multiply the two slopes on the way from the loss to z. All three answers are `dz` times one more
# slope, and $\partial z/\partial b = 1$.
# </details>

# %% [markdown]
# ## A layer: many neurons, many samples
#
# H neurons that share the same D inputs form a layer. Their weights are the columns of a matrix $W$ (D, H). And N
# samples go through at once, as the rows of $x$ (N, D):
#
# $$ z_{nh} = \sum_d x_{nd} W_{dh} + b_h \qquad\text{that is}\qquad z = x W + b $$
#
# ### Exercise 3: a layer, forward
#
# Return `z` (N, H), before any activation. *One line.*

# %% tags=["exercise"]
def dense(x, W, b):
    ### BEGIN SOLUTION
    return x @ W + b
    ### END SOLUTION

# %% tags=["check"]
check(dense)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# (N, D) `@` (D, H) gives (N, H), and NumPy adds `b` (H,) to each row.
# </details>

# %% [markdown]
# ## The same chain rule, now with sums
#
# A weight $W_{dh}$ contributes to $z_{nh}$ for *every* sample n. When a variable acts along several paths, the slopes
# of the paths are added. That is the only new rule:
#
# $$ dW_{dh} = \sum_n dz_{nh} \, \frac{\partial z_{nh}}{\partial W_{dh}} = \sum_n dz_{nh} \, x_{nd} $$
#
# $$ dx_{nd} = \sum_h dz_{nh} \, W_{dh} \qquad\qquad db_h = \sum_n dz_{nh} $$
#
# Now write them as matrix products, and let the shapes tell you the order. `dW` must be (D, H). We have `x` (N, D) and
# `dz` (N, H), and the sum runs over n, so the two Ns must meet in the middle. There is only one way to do that.
#
# ### Exercise 4: a layer, backward
#
# From `dz` (N, H), `x` (N, D) and `W` (D, H) return `dx` (N, D), `dW` (D, H), `db` (H,). *One to three lines.*

# %% tags=["exercise"]
def dense_backward(dz, x, W):
    ### BEGIN SOLUTION
    return dz @ W.T, x.T @ dz, dz.sum(axis=0)
    ### END SOLUTION

# %% tags=["check"]
check(dense_backward)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# For `dW`, the N of `x` has to come last: `x.T` is (D, N). For `dx`, the H of `W` has to come first.
# </details>

# %% [markdown]
# When you are done, compare it with the library's, which has these sums in its docstring: run `layers.dense_backward??`
# in a cell of its own.
#
# ## The activation, for a whole layer
#
# The sigmoid acts on each entry separately, and so does its backward pass: no sum, no matrix product.
#
# ### Exercise 5: the sigmoid, backward
#
# From `da` (N, H) and the sigmoid's output `a` (N, H) return `dz` (N, H). *One line.*

# %% tags=["exercise"]
def sigmoid_backward(da, a):
    ### BEGIN SOLUTION
    return da * a * (1 - a)
    ### END SOLUTION

# %% tags=["check"]
check(sigmoid_backward)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# It is the first line of exercise 2. Do not change `da` or `a` in place: a backward pass modifies none of its inputs.
# </details>

# %% [markdown]
# ## Where the derivatives come from: the loss
#
# The last layer's output `a` should match `x`, pixel by pixel. The mean squared error measures how far apart they are:
#
# $$ L = \frac{1}{N D} \sum_{nd} (a_{nd} - x_{nd})^2 $$
#
# ### Exercise 6: the derivative of the loss with respect to the output
#
# From `a` and `x`, both (N, D), return `da` (N, D). Each entry of `a` appears in one term of the sum. *One line.*

# %% tags=["exercise"]
def mse_gradient(a, x):
    ### BEGIN SOLUTION
    return 2 * (a - x) / a.size
    ### END SOLUTION

# %% tags=["check"]
check(mse_gradient)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# The derivative of $(a - x)^2$ with respect to $a$ is $2 (a - x)$; `a.size` is N D. If the check says that every entry
# is off by the same factor, look at what stands before the sum.
# </details>

# %% [markdown]
# ## Everything together: an autoencoder
#
# An autoencoder compresses an image into a code and reconstructs it from the code. With one layer each way it is
#
# $$ c = \sigma(x W_1 + b_1) \qquad a = \sigma(c W_2 + b_2) \qquad L = \frac{1}{ND}\sum (a - x)^2 $$
#
# In the forward pass you go from $x$ to $L$ and keep what you computed. In the backward pass you go from $L$ to $x$:
# each forward line has its backward line, in the opposite order, and each one returns what the next one needs:
#
# | forward | backward |
# |---|---|
# | $z_1 = x W_1 + b_1$ | $dW_1, db_1$ from $dz_1$ |
# | $c = \sigma(z_1)$ | $dz_1$ from $dc$ |
# | $z_2 = c W_2 + b_2$ | $dc, dW_2, db_2$ from $dz_2$ |
# | $a = \sigma(z_2)$ | $dz_2$ from $da$ |
# | $L$ | $da$ |
#
# ### Exercise 7: the autoencoder, backward
#
# From images `x` (N, D) and the parameters return `dW1` (D, C), `db1` (C,), `dW2` (C, D), `db2` (D,). Do the forward
# pass first. You can use the library's functions and need none of your own: `layers.dense`, `layers.sigmoid`,
# `layers.dense_backward(dz, x, W)`, `layers.sigmoid_backward(da, a)`, `losses.mean_squared_error_gradient(a, x)`.
# *About seven lines.*

# %% tags=["exercise"]
def autoencoder_backward(x, W1, b1, W2, b2):
    ### BEGIN SOLUTION
    c = layers.sigmoid(layers.dense(x, W1, b1))  # (N, C)
    a = layers.sigmoid(layers.dense(c, W2, b2))  # (N, D)
    da = losses.mean_squared_error_gradient(a, x)  # (N, D)
    dz2 = layers.sigmoid_backward(da, a)  # (N, D)
    dc, dW2, db2 = layers.dense_backward(dz2, c, W2)  # (N, C), (C, D), (D,)
    dz1 = layers.sigmoid_backward(dc, c)  # (N, C)
    _, dW1, db1 = layers.dense_backward(dz1, x, W1)  # (D, C), (C,)
    return dW1, db1, dW2, db2
    ### END SOLUTION

# %% tags=["check"]
check(autoencoder_backward)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# Write the two lines of the forward pass. Then read the right column of the table from bottom to top: one line of code
# for each row.
# </details>

# %% [markdown]
# ## Does it learn?
#
# Gradients are used for descent: $W \leftarrow W - \eta \, dW$, again and again, where the number $\eta$, the learning
# rate, says how long a step is. Here are several hundred steps on zeros and ones from MNIST, a collection of
# handwritten digits, 28 x 28 pixels each. If your exercise 7 is right, `yours` gives your function to this lesson;
# otherwise the library's, which does the same for any number of layers.
# `layers.glorot` draws random initial weights, at a scale for which signals neither explode nor vanish from layer to
# layer.

# %%
def by_the_library(x, W1, b1, W2, b2):
    """Exercise 7 with the library's network."""
    architecture = network.Architecture((x.shape[1], W1.shape[1], x.shape[1]))
    params = architecture.parameters(np.concatenate([param.ravel() for param in (W1, b1, W2, b2)]))
    grads = network.loss_and_gradients(params, x, architecture)[1]
    return grads["W1"], grads["b1"], grads["W2"], grads["b2"]


def rebuilt(x):
    """What the autoencoder makes of images x (N, 784)."""
    return layers.sigmoid(layers.sigmoid(x @ W1 + b1) @ W2 + b2)  # (N, 784)


backward = yours(autoencoder_backward, by_the_library, seconds=2.0)  # slower: the library's
zeros_and_ones, labels = load_mnist("test", digits=(0, 1))  # (N, 784), (N,)
images = zeros_and_ones[:400]  # (400, 784)
W1, b1, W2, b2 = (np.zeros(shape, np.float32) for shape in ((784, 16), 16, (16, 784), 784))
rng = np.random.default_rng(0)
layers.glorot(rng, W1, b1)
layers.glorot(rng, W2, b2)

before = rebuilt(images)  # (400, 784)
with waiting("600 steps of gradient descent"):
    for _ in range(600):
        for param, grad in zip((W1, b1, W2, b2), backward(images, W1, b1, W2, b2)):
            param -= 100 * np.asarray(grad)  # 100, because the loss is divided by N D
after = rebuilt(images)  # (400, 784)
print(f"the loss: {losses.mean_squared_error(before, images):.3f} before, "
      f"{losses.mean_squared_error(after, images):.3f} after 600 steps")
print(f"{W1.size + b1.size + W2.size + b2.size:,} derivatives in each step")
show(plotting.tiles(np.concatenate([images[:5], before[:5], after[:5]]),
                    ["image"] * 5 + ["before"] * 5 + ["after"] * 5, (28, 28), n_columns=5,
                    title="Five images and their reconstructions before and after training"),
     alt="Five zeros and ones; below them grey noise, their reconstructions before training; below that, blurred zeros "
         "and ones, their reconstructions afterwards")

# %% [markdown]
# Blurred, but no longer grey: the network has started to learn. Lesson 4 trains it properly.
#
# Nudging the weights one by one would take two forward passes for each of them. Backpropagation costs about as much as
# two more forward passes for all of them together: where the forward pass of a layer has one matrix product, the
# backward pass has two of the same size.
#
# ## More images than fit into memory
#
# ### Exercise 8: now in one pass
#
# Somebody reads images from a disk for you and hands them over in batches. `batches` is an iterator: a loop over it
# gets the batches x (n, D), of different sizes n, one after the other, **once**. All of them together are too large for
# the memory. Return the `dW1`, `db1`, `dW2`, `db2` of exercise 7 for the mean squared error over *all* images. For one
# batch, `backward(x, W1, b1, W2, b2)` from the cell above returns the four of them. *About seven lines.*

# %% tags=["exercise"]
def gradients_in_one_pass(batches, W1, b1, W2, b2):
    ### BEGIN SOLUTION
    n_images, totals = 0, [np.zeros(param.shape) for param in (W1, b1, W2, b2)]
    for x in batches:
        n_images += len(x)
        for total, grad in zip(totals, backward(x, W1, b1, W2, b2)):
            total += len(x) * np.asarray(grad)
    return tuple(total / n_images for total in totals)
    ### END SOLUTION

# %% tags=["check"]
check(gradients_in_one_pass)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# The loss of a batch is its sum of squares divided by n D. So n times its derivatives, added up over all batches, are
# those of the sum over all images, divided by D. How many images there were is known when the loop ends.
# </details>

# %% [markdown]
# ## What you know now
#
# - A derivative of the loss is the product of the slopes along the path; several paths are added.
# - `dW` has the shape of `W`. For a layer: `dx = dz @ W.T`, `dW = x.T @ dz`, `db = dz.sum(axis=0)`.
# - The backward pass of an activation is an elementwise product.
# - The backward pass of a network is its forward pass read from bottom to top.
# - Derivatives of a sum are sums of derivatives, so they can be collected batch by batch.
#
# ## To think about
#
# 1. Suppose that all weights start at the same number, say 0.5 in every layer. What can the code's units then never
#    learn?
# 2. The slope of the sigmoid is at most 1/4 (look at the first picture). What does that do to `dW1` in a network of
#    ten sigmoid layers?
# 3. `dense_backward` also returns `dx`. Nothing uses it for the first layer. What would `dx` of the first layer tell
#    you?
#
# ## An open task: fill in what is missing
#
# `dense_backward` also returns `dx`, which training never uses. With it, gradient descent can change the *image* and
# leave the weights alone. The lower halves of eight images, which the network has not been trained on, were erased.
# Start from black, and move only the erased pixels downhill, until the network can reconstruct the image well: it has
# seen zeros and ones, so it knows how they go on.
#
# Note that the loss depends on x in two ways: as the input of the network, and as what the output is compared with.
# The steps have to be long, because the loss is divided by N D: 0.1 N D is a good length, and a hundred
# steps are enough.
#
# The first row of the picture is where you start, the second where you would like to arrive. You are there when the
# mean squared error in the erased half, `erased_error(x)`, is below 0.05. (The mean of the training images, which the
# cell tries, does not get there.)
#
# **Next:** [lesson 3](03_gradient_checking.ipynb) shows how to know that a gradient is right when nobody gives you a
# `check`.

# %%
whole = zeros_and_ones[1000:1008]  # (8, 784)
erased = np.arange(784) >= 392  # (784,): the lower 14 of 28 rows
damaged = np.where(erased, 0, whole)  # (8, 784)


def erased_error(x):
    """The mean squared error of x (8, 784) in the erased half."""
    return np.mean((x - whole)[:, erased] ** 2)


print(f"black {erased_error(damaged):.3f}, the mean image {erased_error(images.mean(axis=0)):.3f}")
show(plotting.tiles(np.concatenate([damaged, whole]), ["start"] * 8 + ["goal"] * 8, (28, 28), n_columns=8,
                    title="Eight images without their lower halves, and the whole ones"),
     alt="Above, the upper halves of eight zeros and ones; below, the same images with both halves")

# %% tags=["answer"]
x = damaged.copy()  # (8, 784)
for _ in range(100):
    code = layers.sigmoid(x @ W1 + b1)  # (8, 16)
    a = layers.sigmoid(code @ W2 + b2)  # (8, 784)
    da = losses.mean_squared_error_gradient(a, x)  # (8, 784)
    dcode = layers.dense_backward(layers.sigmoid_backward(da, a), code, W2)[0]  # (8, 16)
    dx = layers.dense_backward(layers.sigmoid_backward(dcode, code), x, W1)[0]  # (8, 784), as the input
    dx -= da  # and as what the output is compared with
    x[:, erased] -= 0.1 * x.size * dx[:, erased]
print(f"the open task: {erased_error(x):.3f}")
show(plotting.tiles(np.concatenate([damaged, x, whole]), ["start"] * 8 + ["filled in"] * 8 + ["goal"] * 8, (28, 28),
                    n_columns=8, title="Descent on the erased pixels"),
     alt="Between the upper halves and the whole images, the images filled in: the lower halves are blurred, but they "
         "continue the zeros as rings and the ones as strokes")

# %% [markdown] tags=["answer"]
# **Answers**
#
# 1. All units of a layer compute the same value and get the same gradient: they stay equal for ever, as if there were
#    only one. Random initial weights break the symmetry.
# 2. Each layer multiplies by at most 1/4 on the way back: ten of them give a factor of at most $4^{-10}$, less than a
#    millionth, in addition to the effect of the weights. The first layers learn very slowly: the vanishing gradient.
# 3. How the loss changes with each pixel of the image: which pixels matter most, and in which direction the image would
#    have to change to be reconstructed better.
