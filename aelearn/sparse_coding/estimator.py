"""Sparse coding as an estimator: a dictionary of atoms that is learnt, and codes of samples with it.

The mathematics is in ista.py and matching_pursuit.py (codes) and dictionary_learning.py (atoms). An autoencoder's code
is narrow; this one is wide and mostly 0, and its decoder is linear: codes @ components_.

Shapes: N samples, D features, K atoms.
"""

import numpy as np

from aelearn.core.arrays import SAFE_FLOAT32, unit_of, units_of_rows
from aelearn.core.base import Transformer
from aelearn.core.progress import progress
from aelearn.core.validation import check_array, check_choice, check_integer, check_number, check_verbose, generator
from aelearn.sparse_coding.dictionary_learning import ksvd, mod, objective, random_atoms, replace_unused
from aelearn.sparse_coding.ista import alpha_in, descend, fista, ista
from aelearn.sparse_coding.matching_pursuit import omp, pursue

STEPS_A_ROUND = 30  # of ISTA or FISTA between two updates: codes need not be perfect for the atoms to get better


class SparseCoding(Transformer):
    """Sparse coding: a dictionary learnt from data, and the codes of samples with it.

    n_components     K, the number of atoms; None: as many as features
    alpha            the weight of the penalty on codes, for "fista" and "ista": the larger, the more zeros
    algorithm        "fista", "ista" (the same codes in more steps) or "omp"
    n_nonzero_coefs  the largest number of nonzero entries of a code, for "omp"; None: a tenth of the features, as in
                     scikit-learn
    update           how the dictionary is improved: "mod" or "ksvd" (the approximate K-SVD)
    max_iter         the largest number of rounds, each of better codes and a better dictionary
    tol              stop when a round lowers the objective by no more than tol times its value
    transform_max_iter, transform_tol   max_iter and tol of `fista` and `ista` in `transform`; within `fit`, each
                     round takes 30 steps at most, from the codes of the round before
    random_state     None, an int, a np.random.Generator or RandomState: chooses the samples that are the first atoms
    verbose          if not 0, `fit` shows a progress bar, rounds and the objective, and `transform` the elapsed time

    After `fit`:

    components_     (K, D), of X's dtype: the atoms, each of length 1
    history_        (n_iter_,) the objective F after each round; it never rises. With "omp", which is greedy, a sample
                    keeps its code from the round before if that is the better one; so the codes of `transform`, which
                    starts from zeros, may have a somewhat larger F than the last entry
    n_iter_         the number of rounds
    n_features_in_  D

    Names are those of scikit-learn's DictionaryLearning, and alpha means the same. There are three differences:
    `transform` uses the algorithm of `fit` (theirs uses OMP by default), the first atoms are samples instead of
    singular vectors, and `fit_transform` is `fit`, then `transform`.
    """

    _estimator_type = "transformer"

    def __init__(self, n_components=None, *, alpha=1.0, algorithm="fista", n_nonzero_coefs=None, update="mod",
                 max_iter=50, tol=1e-3, transform_max_iter=1000, transform_tol=1e-4, random_state=None,
                 verbose=0):
        self.n_components = n_components
        self.alpha = alpha
        self.algorithm = algorithm
        self.n_nonzero_coefs = n_nonzero_coefs
        self.update = update
        self.max_iter = max_iter
        self.tol = tol
        self.transform_max_iter = transform_max_iter
        self.transform_tol = transform_tol
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y=None):
        """Learn a dictionary from X (N, D); y is ignored. Returns self.

        Raises ValueError or TypeError for invalid data or settings.
        """
        self._check_settings()
        X = self._check_training_data(X)
        n_atoms = X.shape[1] if self.n_components is None else int(self.n_components)
        n_nonzero = self._n_nonzero(X.shape[1], n_atoms) if self.algorithm == "omp" else None
        unit = unit_of(X, limit=SAFE_FLOAT32)
        alpha = 0.0 if self.algorithm == "omp" else alpha_in(unit, self.alpha)
        with progress(self.verbose, unit="round", total=self.max_iter) as bar:
            self.components_, history = self._learn(
                unit.scale(X), n_atoms, n_nonzero, alpha,
                after_round=lambda value: bar.advance(objective=unit.unscale(value, power=2)))  # (K, D)
        self.history_ = unit.unscale(np.array(history), power=2)  # (n_iter_,); inf where X is near float64's end
        self.n_iter_, self._n_features_out = len(history), n_atoms
        return self

    def _learn(self, X, n_atoms, n_nonzero, alpha, after_round):
        """Rounds of better codes and better atoms: the dictionary (K, D), and the objective after each round.

        after_round  called with the objective
        """
        dictionary = random_atoms(X, n_atoms, generator(self.random_state))  # (K, D)
        codes, history = np.zeros((len(X), n_atoms), X.dtype), []  # (N, K)
        update = mod if self.update == "mod" else ksvd
        for n_rounds in range(self.max_iter):
            previous = dictionary
            if n_rounds > 0:  # the first round has no codes yet
                dictionary = update(X, codes, replace_unused(X, codes, dictionary), alpha)
            if self.algorithm == "omp":
                pursue(X, dictionary, n_nonzero, codes)
            else:
                descend(X, dictionary, alpha, codes, max_iter=STEPS_A_ROUND, tol=self.transform_tol,
                        accelerated=self.algorithm == "fista")
            value = objective(X, dictionary, codes, alpha)
            if n_rounds > 0 and value > history[-1]:  # only rounding can do that, and this is as low as it gets
                return previous, history
            history.append(value)
            after_round(value)
            if n_rounds > 0 and history[-2] - value <= self.tol * value:
                break
        return dictionary, history

    def transform(self, X):
        """The codes (N, K) of X (N, D): each row's is computed on its own, however large the others are."""
        self._check_fitted("components_")
        self._check_settings()
        X = self._check_X(X)
        with progress(self.verbose, "codes"):
            if self.algorithm == "omp":
                return omp(X, self.components_, self._n_nonzero(*self.components_.shape[::-1]))
            encode = fista if self.algorithm == "fista" else ista
            return encode(X, self.components_, self.alpha, max_iter=self.transform_max_iter, tol=self.transform_tol)

    def fit_transform(self, X, y=None):
        """Learn a dictionary from X (N, D) and return the codes of its samples, (N, K)."""
        return self.fit(X).transform(X)

    def inverse_transform(self, X):
        """The samples (N, D) that codes X (N, K) stand for: X @ components_.

        Raises ValueError for codes of another size.
        """
        self._check_fitted("components_")
        codes = check_array(X, estimator="SparseCoding")
        if codes.shape[1] != len(self.components_):
            raise ValueError(f"X has {codes.shape[1]} columns, but a code of this SparseCoding has "
                             f"{len(self.components_)}, one for each atom")
        units = units_of_rows(codes, SAFE_FLOAT32)
        return units.unscale(units.scale(codes) @ self.components_)  # (N, D)

    def _check_settings(self):
        """Raise ValueError or TypeError for an invalid setting."""
        if self.n_components is not None:
            check_integer("n_components", self.n_components, 1)
        if self.n_nonzero_coefs is not None:
            check_integer("n_nonzero_coefs", self.n_nonzero_coefs, 1)
        check_number("alpha", self.alpha, 0)
        check_choice("algorithm", self.algorithm, ("fista", "ista", "omp"))
        check_choice("update", self.update, ("mod", "ksvd"))
        check_integer("max_iter", self.max_iter, 1)
        check_number("tol", self.tol, 0)
        check_integer("transform_max_iter", self.transform_max_iter, 1)
        check_number("transform_tol", self.transform_tol, 0)
        check_verbose(self.verbose)

    def _n_nonzero(self, n_features, n_atoms):
        """The largest number of atoms that OMP may take for a code."""
        if self.n_nonzero_coefs is None:
            return min(max(n_features // 10, 1), n_atoms)
        return check_integer("n_nonzero_coefs", self.n_nonzero_coefs, 1, n_atoms)
