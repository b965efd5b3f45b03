# %% [markdown]
# # 4 · Training the autoencoder
#
# Lesson 2 derived the gradient, lesson 3 checked it. Now follow it downhill: from random weights to a network that
# draws a handwritten digit from three numbers.
#
# **After this lesson you can** write gradient descent, momentum and Adam, say what each is good for, read a loss curve,
# and choose the size of a code.
#
# **You need** lesson 2 (or to know what a gradient is), and about 40 minutes.

# %%
import inspect

import numpy as np

from aelearn import Autoencoder, load_mnist, plotting
from aelearn.autoencoder import optim
from aelearn.teaching.checks import check
from aelearn.teaching.notebooks import show, slider, waiting

# %% [markdown]
# ## Downhill
#
# All weights and biases of a network, put into one long vector, are a point $p$ in a space of very many dimensions. The
# loss is a landscape over this space, and the gradient $g$ points in the direction of steepest ascent. So go the other
# way:
#
# $$ p \leftarrow p - \eta\, g $$
#
# $\eta$, the learning rate, is the length of the step. That is gradient descent.
#
# ### Exercise 1: gradient descent
#
# Return the new parameters, an array. Leave the old ones unchanged. *One line.*

# %% tags=["exercise"]
def descend(params, grads, learning_rate):
    ### BEGIN SOLUTION
    return params - learning_rate * grads
    ### END SOLUTION

# %% tags=["check"]
check(descend)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# Adding the gradient would go uphill. And `params -= ...` would change the array that you were given.
# </details>

# %% [markdown]
# ## The narrow valley
#
# The loss landscapes of networks have narrow valleys: steep across, nearly flat along. Here is one with two parameters,
# twenty times as steep across as along:
#
# $$ L(p) = \tfrac12 \,(20\, p_0^2 + p_1^2) \qquad\qquad g = (20\, p_0,\; p_1) $$
#
# A step that is short enough not to jump across the valley is far too short to make progress along it.
#
# A heavy ball does better. It keeps a **velocity**: across the valley the gradients alternate in sign and cancel, along
# it they add up. This is momentum:
#
# $$ v \leftarrow \mu\, v + g \qquad\qquad p \leftarrow p - \eta\, v $$
#
# ### Exercise 2: momentum
#
# Return the new parameters and the new velocity. *Two lines.*

# %% tags=["exercise"]
def roll(params, grads, velocity, learning_rate, momentum):
    ### BEGIN SOLUTION
    velocity = momentum * velocity + grads
    return params - learning_rate * velocity, velocity
    ### END SOLUTION

# %% tags=["check"]
check(roll)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# First compute the velocity, then the step, which uses the new velocity.
# </details>

# %% [markdown]
# ## Adam: a step size for each parameter
#
# Some weights have large gradients and others tiny ones, and one learning rate cannot suit both. Adam measures, for
# each parameter separately, how large its gradient has recently been, and divides by that:
#
# $$ m \leftarrow \beta_1 m + (1 - \beta_1)\, g \qquad\qquad v \leftarrow \beta_2 v + (1 - \beta_2)\, g^2 $$
#
# $$ \hat m = \frac{m}{1 - \beta_1^t} \qquad \hat v = \frac{v}{1 - \beta_2^t} \qquad\qquad
#    p \leftarrow p - \eta\, \frac{\hat m}{\sqrt{\hat v} + \epsilon} $$
#
# $m$ is a running mean of the gradient, $v$ of its square. Both start at 0 and would be too small at first; dividing by
# $1 - \beta^t$, where $t$ counts the steps from 1, corrects that exactly. (Kingma and Ba, 2015, algorithm 1.)
#
# ### Exercise 3: Adam
#
# Return the new parameters, the new `m` and the new `v`. *Three to five lines.*

# %% tags=["exercise"]
def adapt(params, grads, m, v, t, learning_rate, beta1, beta2, epsilon):
    ### BEGIN SOLUTION
    m = beta1 * m + (1 - beta1) * grads
    v = beta2 * v + (1 - beta2) * grads**2
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    return params - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon), m, v
    ### END SOLUTION

# %% tags=["check"]
check(adapt)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# Translate the equations line by line. The square root is of $\hat v$ alone, and $\epsilon$ is added after it.
# </details>

# %% [markdown]
# Now all three in the valley, with the library's optimisers. Each starts at the same place:

# %%
def walk(optimizer, n_steps=100):
    """The loss in the valley after each step."""
    params, found = np.array([1.0, 10.0]), []  # (2,)
    walker = optimizer(params)
    for _ in range(n_steps):
        walker.update(params, np.array([20, 1]) * params)
        found.append(0.5 * np.sum(np.array([20, 1]) * params**2))
    return range(1, n_steps + 1), found


lines = {"gradient descent": walk(lambda params: optim.SGD(params, 0.02)),
         "momentum": walk(lambda params: optim.Momentum(params, 0.02, momentum=0.8)),
         "Adam": walk(lambda params: optim.Adam(params, 0.5))}
show(plotting.curves(lines, xlabel="step", ylabel="loss", title="Three ways down a narrow valley"),
     alt="Momentum and Adam reach the bottom sooner than gradient descent")

# %% [markdown]
# The library's Adam does what yours does, but in place, so that a step allocates nothing:

# %%
print(inspect.getsource(optim.adam_step))

# %% [markdown]
# ## Batches
#
# The gradient over all images takes a pass over all of them for a single step. But a few dozen images, drawn at random,
# give nearly the same direction for a fraction of the work. So shuffle the images, take them batch by batch, and make a
# step after each batch. One pass over all images is an **epoch**. The direction is a little different for each batch:
# that is the "stochastic" in stochastic gradient descent.
#
# ## Training on MNIST
#
# All zeros and ones of MNIST's training split, the network 784-128-3-128-784, batches of 48, Adam with a learning rate
# of 0.003. The diamonds are the losses once recorded with the original TensorFlow script:

# %%
images, labels = load_mnist("train", digits=(0, 1))  # (N, 784), (N,)
watched, glimpses = images[[0, 1, 2, 3, 5]], {}  # (5, 784)


def look(model, row):
    """After some epochs, keep the reconstructions of five images."""
    if row["epoch"] in (1, 3, 10, 30):
        glimpses[row["epoch"]] = model.reconstruct(watched)  # (5, 784)


model = Autoencoder((128, 3), epochs=30, callbacks=(look,), random_state=0, verbose=1).fit(images)
show(plotting.loss_curve(model.history_, reference=plotting.ORIGINAL_LOSSES),
     alt="The loss falls over thirty epochs, close to the points recorded by the original script")

# %% tags=["plot"]
# Draws the reconstructions after some epochs.
pictures = np.concatenate([watched, *glimpses.values()])  # (25, 784)
captions = ["image"] * 5 + [f"epoch {epoch}" for epoch in glimpses for _ in range(5)]
show(plotting.tiles(pictures, captions, (28, 28), n_columns=5, title="Reconstructions from three numbers each"),
     alt="Five digits and their reconstructions after epochs 1, 3, 10 and 30")

# %% [markdown]
# ## What does a code contain?
#
# The code is three numbers, and the decoder turns any three numbers into an image. Take the mean code of the zeros and
# that of the ones, and walk in a straight line from one to the other:

# %%
codes = model.transform(images)  # (N, 3)
zero, one = (codes[labels == digit].mean(axis=0) for digit in (0, 1))  # (3,), (3,)
shares = np.linspace(0, 1, 9)  # (9,)
drawn = model.inverse_transform(zero + shares[:, None] * (one - zero))  # (9, 784)
show(plotting.tiles(drawn, [f"{share:.0%}" for share in shares], (28, 28), n_columns=9,
                    title="Decoded between the mean code of the zeros and that of the ones"),
     alt="Nine images that change gradually from a zero to a one")

# %% tags=["plot"]
# Run this cell and drag.
slider(lambda share: plotting.tiles(drawn[shares == share], [f"{share:.0%}"], (28, 28), title="decoded"), shares,
       label="from zero to one", alt="A digit decoded between the mean code of the zeros and that of the ones")

# %% [markdown]
# There is no sharp border between zero and one: the decoder is a smooth function of the code. Halfway it draws
# something between the two, although it has never seen such an image.
#
# ## How many numbers does a digit need?
#
# The same training with codes of 1 to 32 numbers, on fewer images and for a few epochs:

# %%
sizes = [1, 2, 3, 4, 8, 16, 32]
some = images[:3000]  # (3000, 784)
with waiting("training with seven sizes of codes"):
    losses = [Autoencoder((128, size), epochs=8, random_state=0).fit(some).history_[-1]["loss"] for size in sizes]
show(plotting.curves({"after 8 epochs": (sizes, losses)}, logarithmic=True, xlabel="numbers in a code",
                     ylabel="mean squared error", title="Each additional number helps, but less and less"),
     alt="The error falls with the size of the code, steeply at first")

# %% [markdown]
# With more numbers the reconstructions get better. But the aim is not a perfect copy; for that one could just copy. The
# aim is to find the few numbers that matter, and three can be plotted.
#
# ## What you know now
#
# - Gradient descent steps against the gradient; momentum averages directions; Adam gives each parameter its own step
#   size.
# - A batch gives a noisy direction for little work; an epoch is one pass over all images.
# - A loss curve falls steeply at first and then slowly. If it rises or becomes NaN, the learning rate is too large.
# - The size of the code limits how much of an image can be kept.
#
# ## To think about
#
# 1. In the valley, why can gradient descent not simply use a larger learning rate?
# 2. Adam's first step has the same length for every parameter, whatever its gradient. How long is it, and why?
# 3. Somebody shuffles the images but forgets to shuffle the labels in the same way. For this autoencoder it makes no
#    difference. Why, and when would it matter?
#
# **Previous:** [lesson 2](02_backprop_by_hand.ipynb) derives the gradient, [lesson 3](03_gradient_checking.ipynb)
# checks it. **Next:** [lesson 10](10_pca_and_the_linear_autoencoder.ipynb) asks what is left of a network whose layers
# are linear.

# %% [markdown] tags=["answer"]
# **Answers**
#
# 1. Across the valley the curvature is 20. A step multiplies $p_0$ by $1 - 20\,\eta$; beyond $\eta = 0.1$ that is
#    below $-1$, and $p_0$ grows from step to step.
# 2. At $t = 1$, $\hat m = g$ and $\hat v = g^2$, so the step is $\eta\, g/(|g| + \epsilon)$: the learning rate, with
#    the sign of the gradient.
# 3. The autoencoder never looks at a label: the image is its own target. It matters as soon as clusters are scored
#    with the labels. (The original script did exactly that, and never scored its clusters.)
