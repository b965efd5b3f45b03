"""Deep clustering: an autoencoder learns codes, and then codes and cluster centres learn from their own guesses.

Shapes: N samples, D features, C code size, K clusters.

    pre-training     an autoencoder learns to reconstruct X                                  aelearn.autoencoder
    start            clusters of the codes: of their graph, by k-means, or given             aelearn.spectral, kmeans
    joint training   reconstruction + gamma * divergence, by the weights and the centres     soft_assignment.py

k-means wants clusters that are round, and codes are what reconstructs best, which nothing makes round: digits lie in
long, bent groups. A graph of neighbours follows these. Joint training then draws each code towards the centre that it
is nearest to, and reconstruction keeps the codes from collapsing into a few points. The start decides: joint training
makes clusters purer, but it does not find other ones.

Sources: Xie, Girshick and Farhadi, "Unsupervised deep embedding for clustering analysis" (2016), called DEC; Guo, Gao,
Liu and Yin, "Improved deep embedded clustering with local structure preservation" (2017), IDEC, which adds the
reconstruction; images moved at random: Guo, Zhu, Liu and Yin, "Deep embedded clustering with data augmentation" (2018);
clusters of a graph of the codes: McConville et al., "N2D: (not too) deep clustering" (2019).
"""

import copy
import time

import numpy as np

from aelearn.autoencoder import Adam, Autoencoder
from aelearn.core.arrays import squared_distances
from aelearn.core.base import Transformer, all_or_nothing
from aelearn.core.output_containers import only_arrays
from aelearn.core.progress import progress
from aelearn.core.validation import (
    ConvergenceWarning,
    as_array,
    as_float64,
    check_choice,
    check_finite,
    check_integer,
    check_number,
    check_verbose,
    generator,
    warn,
)
from aelearn.deep_clustering.model_file import read_model, write_model
from aelearn.deep_clustering.soft_assignment import divergence, divergence_gradients, soft_assignment, target
from aelearn.kmeans import KMeans
from aelearn.spectral import SpectralClustering

FAR = 1e100  # a code that is as far away has the same distance from all centres, to rounding, and can be squared
ORDER, MOVES, START = range(1, 4)  # what is drawn from (seed, one of these, epoch)


class DeepClustering(Transformer):
    """Clusters of images, or of other rows, by an autoencoder that is trained to form them.

    n_clusters           K
    hidden_layer_sizes   units of the encoder's layers, the code's last
    activation           of the hidden layers except the code; neither that nor the output has one
    pretraining_epochs   passes over the data before there are clusters
    epochs               most epochs of joint training. One is `update_interval` steps towards the same targets p
    update_interval      steps from one computation of p (of all rows of X) to the next
    start                "graph": spectral clustering of the graph of nearest neighbours of the codes; "k-means"; labels
                         (N,) from 0 to K - 1; or centres (K, C) of codes
    n_neighbors          of "graph", each point itself included
    gamma                weight of the clustering loss; that of the reconstruction, the mean squared error, is 1
    reconstruction       False: only the clustering loss, and no weight: DEC (with gamma=1); True: IDEC
    degrees_of_freedom   of Student's t-distribution, see soft_assignment.py
    tol                  stop when less than this share of the labels changed in an epoch of joint training; 0: never
    learning_rate        of Adam in pre-training
    joint_learning_rate  of Adam in joint training, for weights and centres
    batch_size           rows per step
    augment              None, or a function of images and a generator, as in Autoencoder: aelearn.data.moved_images.
                         Targets are those of the images themselves
    backend, dtype       as in Autoencoder
    callbacks            functions callback(model, row), called after the start and after each epoch of joint training;
                         True ends it. aelearn.Checkpoint saves the model; EarlyStopping(monitor="loss")
    weight_init          as in Autoencoder
    random_state         None, an int, a np.random.Generator or RandomState: everything that is drawn
    verbose              if not 0, `fit` and `resume` show progress bars

    After `fit`:

    labels_           (N,) int32
    cluster_centers_  (K, C) float64, among the codes; `inverse_transform` decodes them
    autoencoder_      the Autoencoder, with the `history_` of the pre-training
    history_          a dict for the start ("epoch" 0) and for each epoch of joint training: "epoch", "steps" so far,
                      "loss" = "reconstruction" + gamma * "clustering", "reconstruction" (the mean over the epoch's
                      batches before their steps; at first that of the pre-training; None without), "clustering" (the
                      divergence of all rows from the epoch's targets, after it), "changed" (the share of labels that
                      changed), "sizes" of the clusters, "seconds"
    interrupted_      True if Ctrl-C ended it early; `resume` continues
    n_features_in_    D

    Nothing in it sees a true label. X is best scaled to [0, 1] or to a variance of about 1.
    """

    _estimator_type = "clusterer"

    def __init__(self, n_clusters=8, *, hidden_layer_sizes=(500, 500, 2000, 10), activation="relu",
                 pretraining_epochs=24, epochs=20, update_interval=140, start="graph", n_neighbors=10, gamma=0.1,
                 reconstruction=True, degrees_of_freedom=1.0, tol=1e-3, learning_rate=1e-3, joint_learning_rate=3e-4,
                 batch_size=256, augment=None, backend="auto", dtype=np.float32, callbacks=(), weight_init="glorot",
                 random_state=None, verbose=0):
        self.n_clusters = n_clusters
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.pretraining_epochs = pretraining_epochs
        self.epochs = epochs
        self.update_interval = update_interval
        self.start = start
        self.n_neighbors = n_neighbors
        self.gamma = gamma
        self.reconstruction = reconstruction
        self.degrees_of_freedom = degrees_of_freedom
        self.tol = tol
        self.learning_rate = learning_rate
        self.joint_learning_rate = joint_learning_rate
        self.batch_size = batch_size
        self.augment = augment
        self.backend = backend
        self.dtype = dtype
        self.callbacks = callbacks
        self.weight_init = weight_init
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y=None):
        """Find K clusters in X (N, D); y is ignored. Returns self.

        Ctrl-C ends it with a warning and keeps all whole epochs, of pre-training or of joint training; `resume`
        continues. Raises ValueError or TypeError for invalid data or settings, and ValueError if a loss is no longer
        finite. Whatever it raises, a fitted model stays unchanged; otherwise all whole epochs are kept as well. Warns
        (ConvergenceWarning) if a cluster has no rows left, and of what `SpectralClustering` or `KMeans` warn of.
        """
        self.check_settings()
        X = self._check_training_data(X)
        self._check_start(len(X))
        self._seed = int(generator(self.random_state).integers(2**63))
        self.history_, self.interrupted_ = [], False
        for name in ("autoencoder_", "cluster_centers_", "labels_", "_center_optimizer"):
            vars(self).pop(name, None)
        return self._go_on(X)

    @all_or_nothing
    def resume(self, X):
        """Continue what was interrupted or loaded from a file, until `epochs` are done. Returns self.

        X must be the rows that `fit` was given. The result has the same bits as that of one uninterrupted `fit` on the
        same back end. To train for longer, increase `epochs` first. The callbacks are called once more for the last
        epoch, so that a training which one of them stopped remains stopped.

        Raises ValueError if X or the number of clusters is not that of `fit`.
        """
        self._check_fitted("autoencoder_")
        self.check_settings()
        X = self._check_X(X)
        self._check_start(len(X))
        if not self.autoencoder_.was_fitted_to(X):
            raise ValueError("X is not the data that this model was fitted to: call fit to start anew")
        if hasattr(self, "cluster_centers_") and len(self.cluster_centers_) != self.n_clusters:
            raise ValueError(f"this model was fitted with n_clusters={len(self.cluster_centers_)}, "
                             f"not {self.n_clusters}: call fit to start anew")
        self.interrupted_ = False
        if self.history_ and self._is_over():
            return self
        return self._go_on(X)

    def _go_on(self, X):
        """Do what is left to do: pre-training, the start, joint training."""
        try:
            self._pretrain(X)
            if self.autoencoder_.interrupted_:
                self.interrupted_ = True  # of which the autoencoder has warned
                return self
            X = np.ascontiguousarray(X, self.autoencoder_.dtype)  # (N, D), once for all epochs
            if not self.history_:
                self._start(X)
                if self._is_over():
                    return self
            self._train_jointly(X)
        except KeyboardInterrupt:
            if not hasattr(self, "autoencoder_"):
                raise  # there is nothing to keep
            self.interrupted_ = True
            where = f"after {len(self.history_) - 1} of {self.epochs} epochs" if self.history_ else "before its start"
            warn(f"Joint training interrupted {where}; what was learnt is kept, resume(X) continues.",
                 ConvergenceWarning)
        return self

    def _pretrain(self, X):
        """Fit the autoencoder, or go on with it."""
        if hasattr(self, "cluster_centers_"):
            return
        model = copy.deepcopy(self.autoencoder_) if hasattr(self, "autoencoder_") else None
        try:
            if model is None:
                model = self._make_autoencoder()
                model.fit(X)
            elif len(model.history_) < self.pretraining_epochs:
                model.set_params(epochs=int(self.pretraining_epochs), augment=self.augment, backend=self.backend,
                                 verbose=self.verbose).resume(X)
            else:
                model.interrupted_ = False
        finally:
            if hasattr(model, "_training") and (model.history_ or not self.pretraining_epochs):
                self.autoencoder_ = model

    def _make_autoencoder(self):
        """The Autoencoder, not fitted, with the settings of pre-training."""
        return Autoencoder(self.hidden_layer_sizes, activation=self.activation, code_activation="identity",
                           output_activation="identity", learning_rate=self.learning_rate,
                           epochs=self.pretraining_epochs, batch_size=self.batch_size, backend=self.backend,
                           dtype=self.dtype, weight_init=self.weight_init, augment=self.augment,
                           random_state=getattr(self, "_seed", None), verbose=self.verbose)

    def _start(self, X):
        """Set centres and labels from the codes of the pre-training; the first row of the history."""
        begun, model = time.perf_counter(), copy.deepcopy(self.autoencoder_)
        model.set_params(learning_rate=self.joint_learning_rate, verbose=0).reset_optimizer()
        codes = self._codes(model, X)  # (N, C)
        with progress(self.verbose, "start"):
            centers = self._first_centers(codes)  # (K, C)
        optimizer = Adam(centers.ravel(), float(self.joint_learning_rate))
        q = soft_assignment(codes, centers, float(self.degrees_of_freedom))  # (N, K)
        reconstruction = model.history_[-1]["loss"] if model.history_ and self.reconstruction else None
        self._commit(model, centers, optimizer, q, target(q), reconstruction, steps=0, begun=begun)

    def _first_centers(self, codes):
        """Centres (K, C) float64 for codes (N, C), as `start` says."""
        n_clusters, rng = int(self.n_clusters), np.random.default_rng((self._seed, START))
        if not isinstance(self.start, str):
            given = np.asarray(self.start)
            if given.ndim == 1:
                return means(codes, given.astype(np.int64), n_clusters)
            return np.array(given, np.float64, order="C")
        if self.start == "k-means":
            model = KMeans(n_clusters, n_init=10, random_state=rng, backend=self.backend).fit(codes)
            return np.array(model.cluster_centers_, np.float64, order="C")
        graph = SpectralClustering(n_clusters, n_components="auto", affinity="nearest_neighbors", random_state=rng,
                                   n_neighbors=min(int(self.n_neighbors), len(codes)))
        return means(codes, graph.fit_predict(codes), n_clusters)

    def _train_jointly(self, X):
        """Epochs of joint training. Each works on copies, which replace the model's parts when it is whole."""
        v, gamma, warned = float(self.degrees_of_freedom), float(self.gamma), False
        batch = min(int(self.batch_size), len(X))
        codes = self._codes(self.autoencoder_, X)  # (N, C)
        q = soft_assignment(codes, self.cluster_centers_, v)  # (N, K)
        with progress(self.verbose, "joint training", unit="epoch", total=int(self.epochs),
                      done=len(self.history_) - 1) as bar:
            while len(self.history_) <= self.epochs:
                begun, epoch, p = time.perf_counter(), len(self.history_), target(q)  # p (N, K)
                model = copy.deepcopy(self.autoencoder_)
                model.set_params(learning_rate=self.joint_learning_rate, batch_size=int(self.batch_size),
                                 augment=self.augment, backend=self.backend)
                centers, optimizer = self.cluster_centers_.copy(), copy.deepcopy(self._center_optimizer)
                optimizer.learning_rate = float(self.joint_learning_rate)

                def code_gradient(z, rows, p=p, centers=centers, optimizer=optimizer):
                    """gamma dL/dz (B, C); the centres are moved at once, by the same loss."""
                    dz, dm = divergence_gradients(p[rows], z.astype(np.float64), centers, v)  # (B, C), (K, C)
                    optimizer.update(centers.ravel(), gamma * dm.ravel())
                    return gamma * dz

                reconstruction = model.train_jointly(
                    X, self._order(epoch, len(X), int(self.update_interval) * batch), code_gradient,
                    rng=np.random.default_rng((self._seed, MOVES, epoch)), reconstruction=bool(self.reconstruction))
                q = soft_assignment(self._codes(model, X), centers, v)  # (N, K)
                steps = self.history_[-1]["steps"] + int(self.update_interval)
                row = self._commit(model, centers, optimizer, q, p, reconstruction, steps=steps, begun=begun)
                bar.advance(loss=row["loss"], changed=row["changed"])
                if min(row["sizes"]) == 0 and not warned:
                    warned = True
                    n_empty = row["sizes"].count(0)
                    warn(f"{n_empty} of {self.n_clusters} clusters have no rows left after epoch {epoch}: use fewer "
                         "clusters, or a smaller joint_learning_rate or gamma.", ConvergenceWarning)
                if self._is_over():
                    break

    def _order(self, epoch, n_samples, n_rows):
        """The rows (n_rows,) that an epoch's batches take: random permutations of all N, one after the other."""
        rng = np.random.default_rng((self._seed, ORDER, epoch))
        return np.concatenate([rng.permutation(n_samples) for _ in range(-(-n_rows // n_samples))])[:n_rows]

    def _commit(self, model, centers, optimizer, q, p, reconstruction, *, steps, begun):
        """Set all that the start or an epoch has found, at once. Returns the row of the history."""
        labels, clustering = q.argmax(axis=1).astype(np.int32), divergence(p, q)  # (N,)
        row = {"epoch": len(self.history_), "steps": steps,
               "loss": (reconstruction or 0.0) + float(self.gamma) * clustering, "reconstruction": reconstruction,
               "clustering": clustering,
               "changed": float(np.mean(labels != self.labels_)) if hasattr(self, "labels_") else 1.0,
               "sizes": np.bincount(labels, minlength=len(centers)).tolist(), "seconds": time.perf_counter() - begun}
        vars(self).update(autoencoder_=model, cluster_centers_=centers, _center_optimizer=optimizer, labels_=labels,
                          history_=[*self.history_, row], _n_features_out=centers.shape[1])
        return row

    def _is_over(self):
        """Call the callbacks with the last row; True if one returns True, or if hardly a label has changed."""
        row = self.history_[-1]
        answers = [callback(self, row) for callback in self.callbacks]
        return any(isinstance(answer, (bool, np.bool_)) and answer for answer in answers) \
            or row["epoch"] > 0 and row["changed"] < self.tol

    def _go_back_to(self, before):
        """As in any estimator, but the whole epochs of a first fit are kept."""
        if "autoencoder_" not in before and "autoencoder_" in vars(self):
            before = {**vars(self), **before}  # the settings from before, and what was learnt since
        super()._go_back_to(before)

    def predict(self, X):
        """The cluster of each row of X (N, D), that of the nearest centre to its code: labels (N,) int32."""
        return self.predict_proba(X).argmax(axis=1).astype(np.int32)

    def predict_proba(self, X):
        """The soft assignments q (N, K) of the rows of X (N, D): each adds up to 1."""
        self._check_fitted("cluster_centers_")
        return soft_assignment(self._codes(self.autoencoder_, self._check_X(X)), self.cluster_centers_,
                               float(self.degrees_of_freedom))

    def fit_predict(self, X, y=None):
        """Find clusters in X (N, D) and return the labels of its rows, (N,) int32."""
        return self.fit(X).labels_

    def transform(self, X):
        """The codes (N, C) of the rows of X (N, D)."""
        self._check_fitted("cluster_centers_")
        X = self._check_X(X)
        with only_arrays():
            return self.autoencoder_.transform(X)

    def inverse_transform(self, X):
        """The rows (N, D) that codes X (N, C), such as `cluster_centers_`, are decoded to."""
        self._check_fitted("autoencoder_")
        return self.autoencoder_.inverse_transform(X)

    def save(self, path):
        """Write everything that `load` and `resume` need to one .npz file, completely or not at all.

        Callbacks, augment and verbose are not saved, nor is a random_state that is not a number: the loaded model has
        (), None, 0 and None there. (A model that was fitted with augment is resumed with augment only.)
        """
        self._check_fitted("autoencoder_")
        write_model(path, self)

    @classmethod
    def load(cls, path):
        """The model that `save` wrote to `path`; loading runs no code from the file.

        Raises FileNotFoundError if there is none, ValueError if it is not a complete file of that kind.
        """
        return read_model(path, cls)

    def check_settings(self):
        """Raise ValueError or TypeError for an invalid setting; `fit` does this first."""
        check_integer("n_clusters", self.n_clusters, 1)
        check_integer("pretraining_epochs", self.pretraining_epochs, 0)
        check_integer("epochs", self.epochs, 0)
        check_integer("update_interval", self.update_interval, 1)
        check_integer("n_neighbors", self.n_neighbors, 1)
        check_number("gamma", self.gamma, 0)
        check_number("degrees_of_freedom", self.degrees_of_freedom, 0, exclusive_low=True)
        check_number("tol", self.tol, 0)
        check_number("joint_learning_rate", self.joint_learning_rate, 0, exclusive_low=True)
        check_verbose(self.verbose)
        if not isinstance(self.reconstruction, (bool, np.bool_)):
            raise TypeError(f"reconstruction must be True or False; got {self.reconstruction!r}")
        if isinstance(self.start, str):
            check_choice("start", self.start, ("graph", "k-means"))
        self._make_autoencoder().set_params(callbacks=self.callbacks).check_settings()
        for callback in self.callbacks:
            if hasattr(callback, "begin"):
                raise TypeError(f"{type(callback).__name__} shows the training of an Autoencoder, not that of "
                                "DeepClustering: use a function callback(model, row)")

    def _check_start(self, n_samples):
        """Raise ValueError or TypeError for too few rows, and for a `start` of the wrong shape or kind."""
        n_clusters = int(self.n_clusters)
        if n_samples < n_clusters:
            raise ValueError(f"n_samples={n_samples} should be >= n_clusters={n_clusters}.")
        if isinstance(self.start, str):
            return
        given, shape = as_array(self.start, "start"), (n_clusters, list(self.hidden_layer_sizes)[-1])
        if given.shape == (n_samples,) and given.dtype.kind in "iu":
            if given.min() < 0 or given.max() >= n_clusters:
                raise ValueError(f"labels to start from must be from 0 to {n_clusters - 1}; "
                                 f"they go from {given.min()} to {given.max()}")
        elif given.shape == shape:
            check_finite(as_float64(given, "start"), "start")
        else:
            raise ValueError(f"start must be 'graph', 'k-means', integers of shape ({n_samples},) or centres of shape "
                             f"{shape}; got {given.dtype} of shape {given.shape}")

    def _codes(self, model, X):
        """Codes (N, C) in float64 that can be squared. Raises ValueError if one is not a number."""
        with only_arrays(), np.errstate(over="ignore", invalid="ignore"):
            codes = model.transform(X).astype(np.float64)  # (N, C)
        if np.isnan(codes).any():
            raise ValueError(f"X has entries as large as {np.abs(X).max():.3g}, whose codes are not finite: scale X")
        return np.clip(codes, -FAR, FAR)

    def _dtypes_kept(self):
        return [np.dtype(self.dtype).name]


def means(codes, labels, n_clusters):
    """The mean of each cluster's codes (N, C), (K, C) float64; of an empty one, the code farthest from its own mean."""
    sums = np.stack([np.bincount(labels, column, n_clusters) for column in codes.T], axis=1)  # (K, C)
    counts = np.bincount(labels, minlength=n_clusters)  # (K,)
    centers = sums / np.maximum(counts, 1)[:, None]  # (K, C)
    distances = squared_distances(codes, centers[labels])  # (N,)
    for k in np.flatnonzero(counts == 0):
        farthest = distances.argmax()
        centers[k], distances[farthest] = codes[farthest], 0
    return centers
