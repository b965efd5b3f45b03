"""All ten digits, no labels: `python -m tests.benchmarks.deep_clustering` prints a table over several seeds.

Each seed trains `DeepClustering` on the 60,000 training images of a data set. Scored are its clusters of these, and
those of the 10,000 test images by `predict`, under the matching that was best on the training images. Labels are used
for the scores only. Settings are those of the estimator and of `moved_images`.
"""

import argparse
import os
import platform
import time

import numpy as np

from aelearn import DeepClustering, KMeans, load_mnist, metrics
from aelearn.data import moved_images

PUBLISHED = """Published accuracies on MNIST, by their authors where no one else is named:

| method | accuracy | source |
|---|---|---|
| k-means on pixels | 0.53 | Xie, Girshick and Farhadi 2016 |
| autoencoder, k-means | 0.82 to 0.88 | Xie et al. 2016; Guo et al. 2018 |
| DEC | 0.84 to 0.87 | Xie et al. 2016; Guo et al. 2017 |
| IDEC | 0.88 | Guo, Gao, Liu and Yin 2017 |
| VaDE | 0.945 | Jiang et al. 2017 |
| DEKM, with convolutions | 0.958 | Guo, Lin and Ye 2021 |
| SpectralNet | 0.971 | Shaham et al. 2018 |
| N2D | 0.979; 0.836 by users who trained it anew | McConville et al. 2019 |
| DEC-DA, best variant, with convolutions | 0.985 | Guo, Zhu, Liu and Yin 2018 |

On Fashion-MNIST: k-means on pixels 0.47, all of these between 0.52 and 0.67.
"""
COLUMNS = ("k-means on codes", "start", "accuracy", "NMI", "ARI", "test accuracy", "epochs", "minutes")


def one_seed(seed, images, labels, test_images, test_labels, say, **settings):
    """Fit one model. Returns it, and the figures of COLUMNS."""
    started, curve, at_start = time.perf_counter(), [], {}

    def watch(model, row):
        curve.append(metrics.accuracy(labels, model.labels_))
        minutes = (time.perf_counter() - started) / 60
        say(f"seed {seed}, epoch {row['epoch']}: {minutes:.1f} min, loss {row['loss']:.5f}, "
            f"changed {row['changed']:.4f}, accuracy {curve[-1]:.4f}")
        if row["epoch"] == 0:
            codes = model.transform(images)
            clusters = KMeans(model.n_clusters, n_init=10, random_state=seed).fit_predict(codes)
            at_start["k-means"] = metrics.accuracy(labels, clusters)

    model = DeepClustering(len(np.unique(labels)), augment=moved_images, callbacks=(watch,), random_state=seed,
                           **settings).fit(images)
    matching = metrics.best_matching(labels, model.labels_)
    predicted = np.array([matching.get(cluster, -1) for cluster in model.predict(test_images).tolist()])
    return model, (at_start["k-means"], curve[0], curve[-1],
                   metrics.normalized_mutual_information(labels, model.labels_),
                   metrics.adjusted_rand_index(labels, model.labels_), np.mean(predicted == test_labels),
                   model.history_[-1]["epoch"], (time.perf_counter() - started) / 60)


def main():
    """Run all seeds on all data sets; a Markdown table for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4], metavar="S")
    parser.add_argument("--data", nargs="+", default=[None], metavar="FOLDER",
                        help="folders with IDX files besides MNIST's own, such as Fashion-MNIST's")
    parser.add_argument("--digits", type=int, nargs="+", metavar="D", help="only these labels, such as 4 9")
    parser.add_argument("--pretraining-epochs", type=int, default=24, metavar="E")
    parser.add_argument("--epochs", type=int, default=20, metavar="E", help="of joint training")
    arguments = parser.parse_args()
    for folder in dict.fromkeys([None, *arguments.data]):
        (images, labels), (test_images, test_labels) = (
            load_mnist(split, digits=arguments.digits, directory=folder) for split in ("train60k", "test"))
        print(f"## {folder or 'MNIST'}, {len(images):,} images\n")
        table = []
        for seed in arguments.seeds:
            _, figures = one_seed(seed, images, labels, test_images, test_labels, lambda line: print(line, flush=True),
                                  pretraining_epochs=arguments.pretraining_epochs, epochs=arguments.epochs)
            table.append(figures)
        print(f"\n| seed | {' | '.join(COLUMNS)} |\n|{'---|' * (len(COLUMNS) + 1)}")
        worst = [*np.min(table, axis=0)[:6], *np.max(table, axis=0)[6:]]
        rows = [*table, np.mean(table, axis=0), worst]
        for name, row in zip([*arguments.seeds, "mean", "worst"], rows):
            print(f"| {name} | {' | '.join(f'{value:.4f}' for value in row[:6])} | {row[6]:.0f} | {row[7]:.1f} |")
        print(flush=True)
    print(PUBLISHED)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, NumPy {np.__version__}")


if __name__ == "__main__":
    main()
