# %% [markdown]
# # 4 · Training the autoencoder
#
# Lesson 2 derived the gradient, lesson 3 checked it. Now follow it downhill: from random weights to a network that
# draws a handwritten digit from three numbers. At the end you train one that is made of your own functions.
#
# **After this lesson you can** write gradient descent, momentum, Adam and the loop over batches, say what each is good
# for, read a loss curve, recognise a learning rate that is too large, and choose the size of a code.
#
# **You need** lesson 2 (or to know what a gradient is), and about 60 minutes.

# %%
import numpy as np

from aelearn import Autoencoder, load_mnist, plotting
from aelearn.autoencoder import layers, network
from aelearn.autoencoder.callbacks import LivePlot
from aelearn.autoencoder.losses import mean_squared_error, mean_squared_error_gradient
from aelearn.teaching.checks import check, yours
from aelearn.teaching.exercises import training_the_autoencoder as library
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
# $\eta$, the learning rate, says how long a step is. That is gradient descent.
#
# ### Exercise 1: gradient descent
#
# `params` and `grads` are vectors of shape (P,), where P is the number of parameters, and `learning_rate` is the number
# $\eta$. Return the new parameters (P,), an array. Leave the old ones unchanged. *One line.*

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
# The loss landscapes of networks have narrow valleys: steep across, nearly flat along. Here is one with two parameters.
# Its curvature is $h_0 = 1$ along and $h_1 = 20$ across:
#
# $$ L(p) = \tfrac12 \,(h_0\, p_0^2 + h_1\, p_1^2) \qquad\qquad g = (h_0\, p_0,\; h_1\, p_1) $$
#
# Insert this gradient into a step of gradient descent, and see what the step does to $p_0$, and what to $p_1$.
#
# ### Exercise 2: many steps at once
#
# From `params` (P,) and the `curvature` $h$ (P,) of such a valley return the parameters after `n_steps` steps of
# gradient descent. *One line, without a loop*: the check counts how many lines of Python run.

# %% tags=["exercise"]
def many_steps(params, curvature, learning_rate, n_steps):
    ### BEGIN SOLUTION
    return params * (1 - learning_rate * curvature) ** n_steps
    ### END SOLUTION

# %% tags=["check"]
check(many_steps)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# $p - \eta\, h\, p$ is $p$ times a number. The next step multiplies by the same number once more. Write it with `**`.
# </details>

# %% [markdown]
# ## A learning rate that is too large
#
# A step multiplies $p_i$ by $1 - \eta\, h_i$. Across the valley, where $h_1 = 20$, that is 0.6 for a learning rate of
# 0.02. For 0.09 it is $-0.8$: each step jumps to the other side, but comes nearer. For 0.105 it is $-1.1$: each jump
# ends higher up than it began. Along the valley the factor is 0.98, 0.91 and 0.895: there, a learning rate of 1 would
# be the best, but the slope across does not allow it. Here are your steps, on lines of equal loss:

# %%
valley, beginning = np.array([1.0, 20.0]), np.array([10.0, 1.0])  # (2,), (2,): the curvature, and a point
sgd = yours(descend, library.descend)


def height(points):
    """The loss in the valley at points (..., 2)."""
    return 0.5 * points**2 @ valley  # (...)


def walk(step, n_steps):
    """The points that an optimiser visits in the valley, (n_steps + 1, 2)."""
    points = [beginning]
    for _ in range(n_steps):
        points.append(np.asarray(step(points[-1], valley * points[-1])))  # (2,)
    return np.array(points)


walks = {rate: walk(lambda params, grads: sgd(params, grads, rate), 14) for rate in (0.02, 0.09, 0.105)}
show(plotting.walks(height, (0, 0), [(f"learning rate {rate}", points) for rate, points in walks.items()],
                    title="14 steps of gradient descent", xlabel="$p_0$, along the valley", ylabel="$p_1$, across"),
     alt="Contour lines of a narrow valley and three paths from the same start. With a learning rate of 0.02 the path "
         "is smooth and slow; with 0.09 it zigzags from side to side towards the middle; with 0.105 the zigzag grows")

# %% tags=["plot"]
# Draws the loss along these three paths.
show(plotting.curves({f"learning rate {rate}": (range(15), height(points)) for rate, points in walks.items()},
                     logarithmic="y", xlabel="step", ylabel="loss, log scale",
                     title="A learning rate that is a little too large: the loss falls at first, then it explodes"),
     alt="The loss after each step. For 0.02 and for 0.09 it falls all the way; for 0.105 it falls for a few steps and "
         "then rises")

# %% [markdown]
# The last curve is what you see in practice: first the loss falls along the valley, and all seems well, but the jumps
# across it grow, until they win. A curve that rises again, or that ends in NaN, calls for a smaller learning rate.
#
# ## A heavy ball
#
# A heavy ball does better. It keeps a **velocity**: across the valley the gradients alternate in sign and cancel, along
# it they add up. This is momentum:
#
# $$ v \leftarrow \mu\, v + g \qquad\qquad p \leftarrow p - \eta\, v $$
#
# ### Exercise 3: momentum
#
# `velocity` is the old $v$, of shape (P,) like `params` and `grads`; `momentum` is the number $\mu$. Return the new
# parameters and the new velocity. *Two lines.*

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
# ### Exercise 4: Adam
#
# You get $m$ and $v$ from the step before, both (P,), and the number $t$ of this step. Return the new parameters, the
# new `m` and the new `v`. *Three to five lines.*

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
# Translate the equations line by line. The square root is of $\hat v$ alone, and $\epsilon$ is added after it. Return
# $m$ and $v$, not $\hat m$ and $\hat v$: the correction is for this step only.
# </details>

# %% [markdown]
# Now all three in the valley, with your functions where they are right. Gradient descent and momentum ($\mu = 0.8$)
# have a learning rate of 0.02, Adam has one of 0.5. (Across the valley, this picture shows a smaller part than the
# first.)

# %%
heavy_ball, adam = yours(roll, library.roll), yours(adapt, library.adapt)


class Optimizer:
    """A step such as Adam's, and what it remembers from one step to the next."""

    def __init__(self, rule, *memory):
        self.rule, self.memory, self.t = rule, memory, 0

    def step(self, params, grads):
        """The new parameters."""
        self.t += 1
        params, *self.memory = map(np.asarray, self.rule(params, grads, *self.memory, self.t))
        return params


rolling = Optimizer(lambda p, g, velocity, t: heavy_ball(p, g, velocity, 0.02, 0.8), np.zeros(2))
adapting = Optimizer(lambda p, g, m, v, t: adam(p, g, m, v, t, 0.5, 0.9, 0.999, 1e-8), np.zeros(2), np.zeros(2))
walks = {"gradient descent": walk(lambda p, g: sgd(p, g, 0.02), 50), "momentum": walk(rolling.step, 50),
         "Adam": walk(adapting.step, 50)}
show(plotting.walks(height, (0, 0), [(f"{name}: loss {height(points[-1]):.2g} in the end", points)
                                     for name, points in walks.items()],
                    title="50 steps down a narrow valley", xlabel="$p_0$, along the valley", ylabel="$p_1$, across"),
     alt="Contour lines of a narrow valley and three paths from the same start. Gradient descent creeps along the "
         "bottom and stops far from the lowest point; momentum and Adam swing from side to side and arrive there")

# %% [markdown]
# Gradient descent is soon at the bottom of the valley, and then creeps along it. Momentum gathers speed along it.
# Adam's first step is as long across the valley as along it, whatever the slopes are: it needs no learning rate that
# suits the steepest direction.
#
# ## Batches
#
# The gradient over all images takes a pass over all of them for a single step. But a few dozen images, drawn at random,
# give nearly the same direction for a fraction of the work. So shuffle the images, take them batch by batch, and make a
# step after each batch. One pass over all images is an **epoch**. The direction is a little different for each batch:
# that is the "stochastic" in stochastic gradient descent.
#
# ### Exercise 5: an epoch
#
# You get `params` (P,), `images` (N, D), and `order` (N,), their indices in random order. Take the images in this
# order, `batch_size` at a time; the last batch may be smaller. For each batch `x` (B, D), `gradient(params, x)` is the
# gradient of the loss, and `step(params, grads)` returns the new parameters. Return the parameters after the last
# step. *Three to five lines.*

# %% tags=["exercise"]
def one_epoch(params, images, order, batch_size, gradient, step):
    ### BEGIN SOLUTION
    for start in range(0, len(order), batch_size):
        x = images[order[start:start + batch_size]]  # (B, D)
        params = step(params, gradient(params, x))
    return params
    ### END SOLUTION

# %% tags=["check"]
check(one_epoch)

# %% [markdown] tags=["hint"]
# <details><summary>Hint</summary>
#
# `range(0, N, batch_size)` has the start of each batch; `order[start:start + batch_size]` are the indices of its
# images. A slice that reaches beyond the end is only shorter. `step` returns the new parameters: assign them.
# </details>

# %% [markdown]
# ## Training on MNIST
#
# All zeros and ones of MNIST's training split, the network 784-128-3-128-784, batches of 48, Adam with a learning rate
# of 0.003. After each epoch the two callbacks are called: `look` keeps a few reconstructions for later, and `watch`
# draws the loss so far. The diamonds are the losses once recorded with the original TensorFlow script:

# %%
images, labels = load_mnist("train", digits=(0, 1))  # (N, 784), (N,)
watched, glimpses = images[[0, 1, 2, 3, 5]], {}  # (5, 784)


def look(model, row):
    """After some epochs, keep the reconstructions of five images."""
    if row["epoch"] in (1, 3, 10, 30):
        glimpses[row["epoch"]] = model.reconstruct(watched)  # (5, 784)


watch = LivePlot(reference=plotting.ORIGINAL_LOSSES,
                 alt="The loss falls over thirty epochs, close to the points recorded by the original script")
model = Autoencoder((128, 3), epochs=30, callbacks=(look, watch), random_state=0, verbose=1).fit(images)

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
# There is no sharp border between zero and one: the decoder is a smooth function of the code. Halfway it draws a faint
# mixture of the two, although it has never seen such an image.
#
# ## How many numbers does a digit need?
#
# The same training with codes of 1 to 32 numbers, on fewer images and for a few epochs:

# %%
sizes = [1, 2, 3, 4, 8, 16, 32]
some = images[:3000]  # (3000, 784)
with waiting("training with seven sizes of codes"):
    losses = [Autoencoder((128, size), epochs=8, random_state=0).fit(some).history_[-1]["loss"] for size in sizes]
show(plotting.curves({"after 8 epochs": (sizes, losses)}, points={"one training each": (sizes, losses)},
                     xlabel="numbers in a code", ylabel="mean squared error",
                     title="More numbers help, but each of them less and less"),
     alt="The error falls with the size of the code, steeply at first")

# %% [markdown]
# With more numbers the reconstructions get better. (Each point is a single short training from random weights, so a
# little of its height is luck: compare 3 and 4.) But the aim is not a perfect copy; for that one could just copy. The
# aim is to find the few numbers that matter, and three can be plotted.
#
# ## Your own autoencoder
#
# Everything is there to do the same with functions of your own: the layers of lesson 2, and the optimiser and the loop
# of this one. If you have done lesson 2, put your four functions in place of the dots. Otherwise leave them as they
# are: the library's do the same. (If one of yours is not right, `check(dense)`, for example, in a new cell says why.)
#
# The cell after it has the forward and the backward pass of lesson 2, for four layers instead of two. All weights and
# biases are in one vector `params`; `parts(params)` has each as a matrix or a vector.

# %%
def dense(x, W, b):
    ### BEGIN SOLUTION
    return x @ W + b
    ### END SOLUTION


def dense_backward(dz, x, W):
    ### BEGIN SOLUTION
    return dz @ W.T, x.T @ dz, dz.sum(axis=0)
    ### END SOLUTION


def sigmoid_backward(da, a):
    ### BEGIN SOLUTION
    return da * a * (1 - a)
    ### END SOLUTION


def mse_gradient(a, x):
    ### BEGIN SOLUTION
    return 2 * (a - x) / a.size
    ### END SOLUTION

# %%
layer, layer_backward = yours(dense, layers.dense), yours(dense_backward, layers.dense_backward)
slope, loss_slope = yours(sigmoid_backward, layers.sigmoid_backward), yours(mse_gradient, mean_squared_error_gradient)
adam, epoch_of_batches = yours(adapt, library.adapt, seconds=5), yours(one_epoch, library.one_epoch)


def parts(params):
    """{"W1": (784, 128), "b1": (128,), "W2": (128, 3), ...}: views of the vector."""
    return network.Architecture((784, 128, 3, 128, 784)).parameters(np.asarray(params))


def forward(params, x):
    """The outputs of all layers for images x (B, 784), from the images themselves to their reconstructions."""
    p, a = parts(params), [x]
    for n in (1, 2, 3, 4):
        a.append(layers.sigmoid(layer(a[-1], p[f"W{n}"], p[f"b{n}"])))  # (B, units)
    return a


def gradient(params, x):
    """The gradient of the loss on images x (B, 784), a vector like params."""
    grads = np.empty_like(params)
    p, d, a = parts(params), parts(grads), forward(params, x)
    da = loss_slope(a[4], x)  # (B, 784)
    for n in (4, 3, 2, 1):
        dz = slope(da, a[n])  # (B, units)
        da, d[f"W{n}"][...], d[f"b{n}"][...] = layer_backward(dz, a[n - 1], p[f"W{n}"])
    return grads

# %% [markdown]
# Now train it on those 3,000 images, and the library's network too, from the same initial weights, with the same
# batches in the same order. What do you expect to see?

# %%
epochs = range(7)
first_params = Autoencoder((128, 3), epochs=0, random_state=0).fit(some).params_.vector.copy()  # (P,)
seed = np.random.default_rng(0).integers(2**63)  # what the library makes of random_state=0


def train(params, learning_rate, batch_size):
    """The parameters after six epochs, and the loss on all images before the first epoch and after each."""
    zeros, history = np.zeros_like(params), [mean_squared_error(forward(params, some)[4], some)]
    optimizer = Optimizer(lambda p, g, m, v, t: adam(p, g, m, v, t, learning_rate, 0.9, 0.999, 1e-8), zeros, zeros)
    for epoch in epochs[1:]:
        order = np.random.default_rng((seed, epoch)).permutation(len(some))  # (N,)
        params = epoch_of_batches(params, some, order, batch_size, gradient, optimizer.step)
        history.append(mean_squared_error(forward(params, some)[4], some))
    return params, history


with waiting("training both networks"):
    _, own = train(first_params, learning_rate=0.003, batch_size=48)
    theirs = [row["loss"] for row in Autoencoder((128, 3), epochs=6, random_state=0).fit(some).history_]
print("loss after each epoch:", "the same" if np.allclose(own[1:], theirs, rtol=0.01) else "different")
show(plotting.curves({"made of the functions above": (epochs, own)}, points={"the library's": (epochs[1:], theirs)},
                     logarithmic="y", xlabel="epoch", ylabel="mean squared error, log scale",
                     title="Two networks, from the same weights and with the same batches"),
     alt="The loss of the network made of the functions above falls over six epochs; the losses of the library's "
         "network are markers, which lie on this line")

# %% [markdown]
# The lines above the two trainings say which parts were yours. If all were, these steps needed nothing of the library
# but the sigmoid and the views of the vector. What its network does in addition: it compiles the layers, writes into
# arrays that it keeps, and checks its input.
#
# ## An open task
#
# The six epochs end near 0.039. Bring the loss below **0.028**, the dashed line in the next picture, with the same
# images, the same initial weights and six epochs; you may change everything else. What happens to the loss curve with
# another learning rate? With other batches, and so more steps or fewer? With both? With a learning rate that gets
# smaller from epoch to epoch, or other $\beta$s? `train(first_params, ...)` takes a few seconds. You are there when
# your curve ends below the line, and when you can say which of your changes did it.

# %% tags=["plot"]
# Draws the loss so far, and the goal.
goal = {"the goal": ([0, 6], [0.028, 0.028])}
show(plotting.curves({"learning rate 0.003, batches of 48": (epochs, own), **goal}, logarithmic="y", xlabel="epoch",
                     ylabel="mean squared error, log scale", title="Can you get below the dashed line in six epochs?"),
     alt="The loss of the network above falls to 0.039 in six epochs; a dashed horizontal line at 0.028 is the goal")

# %% tags=["answer"]
with waiting("training with smaller batches"):
    _, better = train(first_params, learning_rate=0.01, batch_size=16)
show(plotting.curves({"learning rate 0.003, batches of 48": (epochs, own), **goal,
                      "learning rate 0.01, batches of 16": (epochs, better)}, logarithmic="y", xlabel="epoch",
                     ylabel="mean squared error, log scale", title="Three times as many steps, each of them longer"),
     alt="With a learning rate of 0.01 and batches of 16 the loss ends below the goal")

# %% [markdown]
# ## What you know now
#
# - Gradient descent steps against the gradient; momentum averages directions; Adam gives each parameter its own step
#   size.
# - A learning rate that is too large for the steepest direction makes the loss rise, after a while.
# - A batch gives a noisy direction for little work; an epoch is one pass over all images, in a random order.
# - A loss curve falls steeply at first and then slowly. If it rises or becomes NaN, the learning rate is too large.
# - The size of the code limits how much of an image can be kept.
#
# ## To think about
#
# 1. Which learning rate is the best one for gradient descent in the valley, in the long run? By which factor does the
#    distance to the lowest point then shrink in a step?
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
# The open task: in six epochs, batches of 16 make three times as many steps as batches of 48. Their directions are
# noisier, but that matters less than their number. A learning rate of 0.01 makes each step longer. Either change alone
# ends above the line.
#
# 1. A step multiplies $p_0$ by $1 - \eta$ and $p_1$ by $1 - 20\,\eta$, and the one farther from 0 decides in the long
#    run. They are equally far from it when $1 - \eta = 20\,\eta - 1$, that is for $\eta = 2/21$, and the factor is
#    $19/21 \approx 0.9$. In general it is $(\kappa - 1)/(\kappa + 1)$, where $\kappa$ is the ratio of the largest
#    curvature to the smallest: the narrower the valley, the slower the descent.
# 2. At $t = 1$, $\hat m = g$ and $\hat v = g^2$, so the step is $\eta\, g/(|g| + \epsilon)$: the learning rate, with
#    the sign of the gradient.
# 3. The autoencoder never looks at a label: the image is its own target. It matters as soon as clusters are scored
#    with the labels. (The original script did exactly that, and never scored its clusters.)
