"""The whole idea in one file, for a first reading: an autoencoder, backpropagation by hand, then k-means.

    python -m aelearn.tiny

loads the zeros and ones of MNIST, compresses each image of 784 pixels into a code of 3 numbers, looks for two clusters
among the codes without using the labels, and prints how many images are in the cluster of their digit. It needs only
NumPy and follows the order of an explanation; the rest of aelearn does the same with options, checks and speed.

Shapes: N images, B images in a batch, D = 784 pixels, H = 128 hidden units, C = 3 numbers in a code, K = 2 clusters.
"""

import gzip
from pathlib import Path

import numpy as np

SIZES = [784, 128, 3, 128, 784]  # units in each layer, from the image through the code and back to the image
CODE = 2  # the code is the output of layer 2
EPOCHS, BATCH_SIZE, LEARNING_RATE = 40, 48, 3e-3


def load_zeros_and_ones():
    """Images (N, D) from 0 to 1 and their digits (N,). An IDX file is a header of 16 (or 8) bytes, then the data."""
    here = Path(__file__).parent
    folder = here / "mnist" if any((here / "mnist").glob("*.gz")) else here.parent / "data" / "mnist"
    pixels = gzip.decompress((folder / "train-images-idx3-ubyte.gz").read_bytes())[16:]
    digits = gzip.decompress((folder / "train-labels-idx1-ubyte.gz").read_bytes())[8:]
    images = np.frombuffer(pixels, np.uint8).reshape(-1, 784)[5000:]  # (55000, D); the first 5,000 are for validation
    digits = np.frombuffer(digits, np.uint8)[5000:]  # (55000,)
    wanted = digits <= 1
    return images[wanted].astype(np.float32) / 255, digits[wanted]  # (N, D), (N,)


def initial_parameters(rng):
    """Weights (n_in, n_out) and biases (n_out,) of each layer; the scale of the weights keeps that of the signals."""
    weights = [rng.normal(0, np.sqrt(2 / n_in), (n_in, n_out)).astype(np.float32)
               for n_in, n_out in zip(SIZES, SIZES[1:])]
    biases = [np.full(n_out, 0.1, np.float32) for n_out in SIZES[1:]]
    return weights, biases


def sigmoid(z):
    """1 / (1 + exp(-z)), written so that it cannot overflow. The result has the shape of z."""
    return 0.5 + 0.5 * np.tanh(0.5 * z)


def forward(x, weights, biases):
    """The outputs of all layers for images x (B, D): [x, (B, H), the codes (B, C), (B, H), the reconstructions (B, D)].

        a_0 = x        a_l = sigmoid(a_(l-1) @ W_l + b_l)
    """
    a = [x]
    for W, b in zip(weights, biases):
        a.append(sigmoid(a[-1] @ W + b))  # (B, n_out)
    return a


def mean_squared_error(a, x):
    """How far reconstructions a (B, D) are from images x (B, D): the mean of all (a - x)^2."""
    return np.mean((a - x) ** 2)


def backward(a, weights):
    """The derivatives of the loss with respect to all weights and biases, by the chain rule from the last layer back.

    a  what `forward` returned: a[0] are the images, a[-1] their reconstructions

        loss = mean of (a_L - x)^2         =>  da = 2 (a_L - x) / (B D)
        a = sigmoid(z)                     =>  dz = da * a * (1 - a)          since sigmoid' = sigmoid (1 - sigmoid)
        z = a_below @ W + b                =>  dW = a_below.T @ dz,  db = sum of dz over the batch,  da_below = dz @ W.T
    """
    d_weights, d_biases = [], []
    da = 2 * (a[-1] - a[0]) / a[0].size  # (B, D)
    for layer in range(len(weights), 0, -1):
        dz = da * a[layer] * (1 - a[layer])  # (B, n_out)
        d_weights.insert(0, a[layer - 1].T @ dz)  # (n_in, n_out)
        d_biases.insert(0, dz.sum(axis=0))  # (n_out,)
        da = dz @ weights[layer - 1].T  # (B, n_in)
    return d_weights, d_biases


def adam_step(parameters, gradients, means, squares, t):
    """Update number t (from 1): each entry moves by about LEARNING_RATE, against the average sign of its gradient.

        m <- 0.9 m + 0.1 g      v <- 0.999 v + 0.001 g^2      p <- p - rate m_hat / (sqrt(v_hat) + 1e-8)

    with m_hat = m / (1 - 0.9^t) and v_hat = v / (1 - 0.999^t), because both start at 0. All lists are changed in place.
    Source: Kingma and Ba, "Adam: a method for stochastic optimization" (2015).
    """
    for p, g, m, v in zip(parameters, gradients, means, squares):
        m += 0.1 * (g - m)  # the shape of p
        v += 0.001 * (g * g - v)  # the shape of p
        p -= LEARNING_RATE * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)


def train(images, rng, epochs=EPOCHS):
    """Weights and biases that reconstruct images (N, D) well: gradient descent on the loss, one batch at a time."""
    weights, biases = initial_parameters(rng)
    parameters = weights + biases
    means, squares = [np.zeros_like(p) for p in parameters], [np.zeros_like(p) for p in parameters]
    t = 0
    for epoch in range(1, epochs + 1):
        order, losses = rng.permutation(len(images)), []
        for start in range(0, len(order), BATCH_SIZE):
            x = images[order[start:start + BATCH_SIZE]]  # (B, D)
            a = forward(x, weights, biases)
            d_weights, d_biases = backward(a, weights)
            t += 1
            adam_step(parameters, d_weights + d_biases, means, squares, t)
            losses.append(mean_squared_error(a[-1], x))
        if epoch % 5 == 0 or epoch == 1:
            print(f"epoch {epoch:2}: mean squared error {np.mean(losses):.5f}", flush=True)
    return weights, biases


def kmeans(points, centers):
    """Lloyd's k-means from centers (K, C): points join the nearest centre, centres move to the mean of their points.

    It stops when no point changes its cluster. Returns the labels (N,) of points (N, C), and the centres (K, C).
    """
    labels = None
    while True:
        squared = ((points[:, None, :] - centers) ** 2).sum(axis=2)  # (N, K)
        nearest = squared.argmin(axis=1)  # (N,)
        if labels is not None and (nearest == labels).all():
            return labels, centers
        labels = nearest
        centers = np.array([points[labels == k].mean(axis=0) for k in range(len(centers))])  # (K, C)


def accuracy(digits, labels):
    """The fraction of images in the right one of two clusters (N,), whichever of the two is called 0."""
    agree = np.mean(digits == labels)
    return max(agree, 1 - agree)


def main():
    """Load, train, cluster, score."""
    rng = np.random.default_rng(0)
    images, digits = load_zeros_and_ones()  # (N, D), (N,)
    print(f"{len(images):,} images of zeros and ones; layers {SIZES}")
    weights, biases = train(images, rng)
    codes = forward(images, weights, biases)[CODE]  # (N, C)
    first = codes[rng.integers(len(codes))]  # (C,): a random code, and the code farthest from it
    second = codes[((codes - first) ** 2).sum(axis=1).argmax()]  # (C,)
    labels, centers = kmeans(codes, np.array([first, second]))  # (N,), (K, C)
    print(f"centres of the two clusters of codes:\n{centers}")
    print(f"images in the cluster of their digit: {accuracy(digits, labels):.4f}")


if __name__ == "__main__":
    main()
