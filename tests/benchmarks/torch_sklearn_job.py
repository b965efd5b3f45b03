"""The main job, written with PyTorch and scikit-learn: the competitor of `aelearn` in main_job.py.

    python -m tests.benchmarks.torch_sklearn_job OUT [EPOCHS]

It has the same images, network, batches, optimiser and number of epochs, the loss over all training images and the
validation images after each epoch, k-means on codes, pixels and principal components, the same scores, four figures and
two tables. It is as fast as a plain script can be made: it uses PyTorch's fused Adam, which is the fastest here.
"""

import csv
import gzip
import json
import sys
from pathlib import Path

import matplotlib
import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score, confusion_matrix, normalized_mutual_info_score

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

DATA = Path(__file__).parents[2] / "data" / "mnist"


def read(name, offset):
    return np.frombuffer(gzip.decompress((DATA / f"{name}.gz").read_bytes()), np.uint8, offset=offset)


def digits(kind, digits=(0, 1)):
    labels = read(f"{kind}-labels-idx1-ubyte", 8).astype(np.int64)
    images = read(f"{kind}-images-idx3-ubyte", 16).reshape(-1, 784)
    return images, labels, np.isin(labels, digits)


def scores(labels, clusters):
    matching = linear_sum_assignment(-confusion_matrix(labels, clusters))[1]
    return {"accuracy": float(np.mean(matching[labels] == clusters)),
            "nmi": normalized_mutual_info_score(labels, clusters), "ari": adjusted_rand_score(labels, clusters)}


def main(out, epochs=150):
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    images, labels, wanted = digits("train")
    rows = np.arange(len(labels))
    train, validation = wanted & (rows >= 5000), wanted & (rows < 5000)
    X, y = torch.from_numpy(images[train] / np.float32(255)), labels[train]
    V = torch.from_numpy(images[validation] / np.float32(255))
    images, labels, wanted = digits("t10k")
    T, test_labels = torch.from_numpy(images[wanted] / np.float32(255)), labels[wanted]

    torch.manual_seed(0)
    widths, layers = (784, 128, 3, 128, 784), []
    for n_in, n_out in zip(widths, widths[1:]):
        linear = torch.nn.Linear(n_in, n_out)
        deviation = (2 / n_in) ** 0.5
        torch.nn.init.trunc_normal_(linear.weight, 0, deviation, -2 * deviation, 2 * deviation)
        torch.nn.init.constant_(linear.bias, 0.1)
        layers += [linear, torch.nn.Sigmoid()]
    network = torch.nn.Sequential(*layers)
    encoder, optimizer = network[:4], torch.optim.Adam(network.parameters(), lr=3e-3, fused=True)
    loss_of = torch.nn.functional.mse_loss

    def evaluate(images):
        with torch.no_grad():
            return sum(float(loss_of(network(x), x)) * len(x) for x in images.split(1024)) / len(images)

    history = []
    for epoch in range(1, epochs + 1):
        for batch in torch.randperm(len(X)).split(48):
            x = X[batch]
            optimizer.zero_grad(set_to_none=True)
            loss_of(network(x), x).backward()
            optimizer.step()
        history.append((epoch, evaluate(X), evaluate(V)))

    with torch.no_grad():
        codes, test_codes, outputs = encoder(X).numpy(), encoder(T).numpy(), network(X).numpy()
    kmeans = KMeans(2, n_init=4, random_state=0).fit(codes)
    matching = linear_sum_assignment(-confusion_matrix(y, kmeans.labels_))[1]
    test_clusters = kmeans.predict(test_codes)
    baselines = {}
    for name, features in (("raw", X.numpy()), ("pca", PCA(3).fit_transform(X.numpy()))):
        baselines[name] = scores(y, KMeans(2, n_init=4, random_state=0).fit(features).labels_)
    report = {"mse": evaluate(X), "test_mse": evaluate(T), **scores(y, kmeans.labels_),
              "test_accuracy": float(np.mean(matching[test_labels] == test_clusters)),
              "inertia": float(kmeans.inertia_), "baselines": baselines}
    (out / "report.json").write_text(json.dumps(report, indent=1))
    torch.save(network.state_dict(), out / "model.pt")
    with open(out / "history.csv", "w", newline="") as file:
        csv.writer(file).writerows([("epoch", "loss", "validation_loss"), *history])
    with open(out / "clusters.csv", "w", newline="") as file:
        csv.writer(file).writerows([("digit", "cluster", "code1", "code2", "code3"),
                                    *((d, c, *code) for d, c, code in zip(y, kmeans.labels_, codes.tolist()))])

    plt.semilogy([row[0] for row in history], [row[1:] for row in history], label=["training", "validation"])
    plt.legend()
    plt.savefig(out / "loss.png", dpi=110)
    plt.close()
    errors = ((outputs - X.numpy()) ** 2).mean(1).argsort()
    figure, axes = plt.subplots(6, 10, figsize=(12, 8))
    for g, rows in enumerate((errors[:10], errors[len(errors) // 2:][:10], errors[::-1][:10])):
        for column, row in enumerate(rows):
            for kind, source in enumerate((X[row], outputs[row])):
                axes[2 * g + kind, column].imshow(np.reshape(source, (28, 28)), cmap="gray")
                axes[2 * g + kind, column].axis("off")
    figure.savefig(out / "reconstructions.png", dpi=110)
    plt.close(figure)
    figure = plt.figure(figsize=(14, 7))
    for column, groups in enumerate((y, kmeans.labels_), 1):
        axes = figure.add_subplot(1, 2, column, projection="3d")
        axes.scatter(*codes.T, c=groups, s=3)
        axes.scatter(*kmeans.cluster_centers_.T, c="red", marker="*", s=300)
    figure.savefig(out / "codes.png", dpi=110)
    plt.close(figure)
    with torch.no_grad():
        centers = network[4:](torch.from_numpy(kmeans.cluster_centers_.astype(np.float32))).numpy()
    wrong = np.flatnonzero(matching[y] != kmeans.labels_)[:18]
    figure, axes = plt.subplots(2, 10, figsize=(12, 3))
    for cell, image in zip(axes.flat, [*centers, *X.numpy()[wrong]]):
        cell.imshow(image.reshape(28, 28), cmap="gray")
        cell.axis("off")
    figure.savefig(out / "centers.png", dpi=110)
    print(json.dumps(report))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
