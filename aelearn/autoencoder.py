"""The autoencoder: a network that learns to give back its input through a narrow middle, the code.

    x (N, 784) -> 128 -> code (N, 3) -> 128 -> reconstruction (N, 784)

What the code keeps is what the network found most useful for drawing the image again. This module is the estimator:
settings, checks, saving. The arithmetic is in network.py, the way downhill in training.py.

Shapes: N samples, D features, C code size.

Source: Hinton and Salakhutdinov, "Reducing the dimensionality of data with neural networks" (2006).
"""

import warnings
import zlib

import numpy as np

from aelearn.estimator import Estimator
from aelearn.layers import ACTIVATIONS, INITIALIZERS
from aelearn.model_file import read_model, write_model
from aelearn.network import LOSSES, Architecture, autoencoder_widths
from aelearn.optim import OPTIMIZERS
from aelearn.training import Training, evaluation_rows, mean_loss, network_functions
from aelearn.validation import (ConvergenceWarning, check_array, check_backend, check_choice, check_finite,
                                check_float_dtype, check_integer, check_number, generator, load_backend, peer_class)


class Autoencoder(Estimator):
    """An autoencoder of dense layers, trained by hand-derived backpropagation.

    hidden_layer_sizes  units of the encoder's layers, the code's last: (128, 3) makes 784-128-3-128-784
    activation          of the hidden layers: "sigmoid", "tanh", "relu" or "identity"
    output_activation   of the last layer, the same choice
    loss                "mse" (mean squared error) or "bce" (binary cross-entropy: X in [0, 1], sigmoid output)
    optimizer           "adam", "momentum" or "sgd"
    learning_rate       size of its steps
    epochs              passes over the data
    batch_size          images a step; the last batch of an epoch may be smaller and is used
    backend             "numpy"; "numba": compiled, on all cores; "cuda": an NVIDIA GPU; "auto": "numba" where it runs
    dtype               np.float32 or np.float64: what the network computes in and returns
    callbacks           functions callback(autoencoder, row), called after each epoch; True stops the training
    weight_init         "truncated_normal" (the original script's) or "glorot": see layers.py
    random_state        None, an int, a np.random.Generator or RandomState: initial weights and order of batches

    After `fit`:

    params_         {"W1": (D, H), "b1": (H,), ...}
    history_        a dict for each epoch: "epoch" (from 1), "loss" and "validation_loss" (over the whole set, after
                    the epoch; the latter None without validation data), "seconds"
    widths_         units of each layer, from the images through the code and back: (784, 128, 3, 128, 784)
    interrupted_    True if Ctrl-C ended the training early; `resume` goes on
    n_features_in_  D
    """

    _estimator_type = "transformer"

    def __init__(self, hidden_layer_sizes=(128, 3), *, activation="sigmoid", output_activation="sigmoid", loss="mse",
                 optimizer="adam", learning_rate=3e-3, epochs=150, batch_size=48, backend="auto", dtype=np.float32,
                 callbacks=(), weight_init="truncated_normal", random_state=None):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.output_activation = output_activation
        self.loss = loss
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.backend = backend
        self.dtype = dtype
        self.callbacks = callbacks
        self.weight_init = weight_init
        self.random_state = random_state

    def fit(self, X, y=None, *, validation=None):
        """Learn from X (N, D), starting anew; y is ignored. Returns self.

        validation  images (M, D) whose loss is recorded after each epoch

        Ctrl-C ends the training with a warning and keeps what was learnt up to the last whole epoch.

        Raises ValueError or TypeError for data or settings that are not possible, and ValueError if the loss stops
        being a finite number; the parameters are then those of the last good epoch.
        """
        self.check_settings()
        columns, X = X, _as_dtype(check_array(X, estimator="Autoencoder"), self.dtype, self.loss)
        if validation is not None:
            validation = _as_dtype(check_array(validation, name="validation", estimator="Autoencoder"), self.dtype,
                                   self.loss)
            if validation.shape[1] != X.shape[1]:
                raise ValueError(f"validation has {validation.shape[1]} columns, X has {X.shape[1]}")
        self._record_columns(columns, X.shape[1])
        self._start(self._structure(), seed=int(generator(self.random_state).integers(2**63)))
        self._training.initialize(self.weight_init)
        self._fingerprint = zlib.crc32(X)
        return self._train(X, validation)

    def resume(self, X, *, validation=None):
        """Go on with a training that was interrupted or loaded from a checkpoint, until `epochs` are done.

        X must be the images that `fit` was given. The result has the same bits as that of one uninterrupted `fit`
        on the same back end (NumPy's wants the same number of BLAS threads, too). To train for longer, raise `epochs`
        first. The callbacks are asked once more about the last epoch, so that a training which one of them had
        stopped stays stopped. Returns self.

        Raises ValueError if X or a setting that shapes the network is not that of `fit`.
        """
        self._check_fitted("_training")
        self.check_settings()
        for name, value in self._structure().items():
            if value != self._fitted_structure[name]:
                raise ValueError(f"this network was fitted with {name}={self._fitted_structure[name]!r}, "
                                 f"not {value!r}: call fit to start anew")
        if not self.was_fitted_to(X):
            raise ValueError("X is not the data that this network was fitted to: call fit to start anew")
        X, validation = self._images(X), None if validation is None else self._images(validation)
        self._training.optimizer.learning_rate = float(self.learning_rate)
        self.interrupted_ = False
        if self.history_ and self._call_back():
            return self
        return self._train(X, validation)

    def _train(self, X, validation):
        self.interrupted_ = False
        try:
            self._training.run(X, validation, epochs=self.epochs, batch_size=int(self.batch_size),
                               backend=load_backend(self.backend), after_epoch=self._call_back)
        except KeyboardInterrupt:
            self.interrupted_ = True
            warnings.warn(f"Training interrupted after {len(self.history_)} of {self.epochs} epochs; "
                          "what was learnt is kept, resume(X) goes on.",
                          peer_class("sklearn.exceptions", ConvergenceWarning), stacklevel=3)
        return self

    def _call_back(self):
        """Tell every callback of the last epoch; True if one of them wants to stop."""
        answers = [callback(self, self.history_[-1]) for callback in self.callbacks]
        return any(isinstance(answer, (bool, np.bool_)) and answer for answer in answers)

    @property
    def params_(self):
        """The parameters, {"W1": (D, H), "b1": (H,), ...}: the network's own arrays, not copies."""
        self._check_fitted("_training")
        return self._training.params

    @property
    def history_(self):
        """A dict for each epoch of the training."""
        self._check_fitted("_training")
        return self._training.history

    def was_fitted_to(self, X):
        """True if X is the data that `fit` was given, entry for entry (by their checksum)."""
        return zlib.crc32(self._images(X)) == self._fingerprint

    def _structure(self):
        """The settings that shape the network: what a fitted one cannot change any more."""
        return {"hidden_layer_sizes": [int(size) for size in self.hidden_layer_sizes], "activation": self.activation,
                "output_activation": self.output_activation, "loss": self.loss, "optimizer": self.optimizer,
                "dtype": np.dtype(self.dtype).name}

    def _start(self, structure, seed):
        """A network of this structure and its training run, with parameters that are not set yet."""
        self.widths_ = autoencoder_widths(self.n_features_in_, structure["hidden_layer_sizes"])
        self._fitted_structure = structure
        self._architecture = Architecture(self.widths_, structure["activation"], structure["output_activation"],
                                          structure["loss"])
        self._n_encoder_layers = self._architecture.n_layers // 2
        self._n_features_out = self.widths_[self._n_encoder_layers]
        self._training = Training(self._architecture, structure["optimizer"], self.learning_rate, structure["dtype"],
                                  seed)

    def transform(self, X):
        """The codes (N, C) of images X (N, D)."""
        return self._evaluate(self._images(X), last=self._n_encoder_layers)

    def fit_transform(self, X, y=None, **fit_params):
        """Learn from X (N, D) and return its codes (N, C)."""
        return self.fit(X, y, **fit_params).transform(X)

    def inverse_transform(self, X):
        """The images (N, D) that codes X (N, C) stand for."""
        self._check_fitted("_training")
        codes = check_array(X, estimator=type(self).__name__)
        if codes.shape[1] != self._n_features_out:
            raise ValueError(f"X has {codes.shape[1]} features, but {type(self).__name__} "
                             f"is expecting codes of {self._n_features_out} features as input")
        return self._evaluate(_as_dtype(codes, self._training.vector.dtype), first=self._n_encoder_layers + 1)

    def reconstruct(self, X):
        """Each image of X (N, D) as the network gives it back, (N, D)."""
        return self._evaluate(self._images(X))

    def score(self, X, y=None):
        """Minus the loss on X (N, D): higher is better."""
        X = self._images(X)
        with np.errstate(over="ignore", under="ignore"):
            return -mean_loss(self._functions(), self.params_, X, self._architecture)

    def loss_and_gradients(self, X):
        """The loss on X (N, D), a float, and its derivative by every parameter, a dict like `params_`."""
        X = self._images(X)
        with np.errstate(over="ignore", under="ignore"):
            return self._functions().loss_and_gradients(self.params_, X, self._architecture)

    def save(self, path):
        """Write everything that `load` and `resume` need to one .npz file, whole or not at all.

        Callbacks are not saved, nor is a random_state that is not a number.
        """
        self._check_fitted("_training")
        settings = {**self.get_params(), **self._fitted_structure}
        settings.pop("callbacks")
        if not isinstance(self.random_state, (int, np.integer, type(None))):
            settings["random_state"] = None
        write_model(path, settings=settings, seed=self._training.seed, n_features=self.n_features_in_,
                    history=self.history_, interrupted=self.interrupted_, fingerprint=self._fingerprint,
                    params=self.params_, memory=self._training.optimizer.state())

    @classmethod
    def load(cls, path):
        """The autoencoder that `save` wrote to `path`; loading runs no code from the file.

        Raises FileNotFoundError if there is none, ValueError if it is not a whole file of that kind.
        """
        return read_model(path, cls._from_file)

    @classmethod
    def _from_file(cls, settings, seed, n_features, history, interrupted, fingerprint, params, memory):
        model = cls(**{**settings, "dtype": np.dtype(settings["dtype"]).type,
                       "hidden_layer_sizes": tuple(settings["hidden_layer_sizes"])})
        model.check_settings()
        model.n_features_in_, model._fingerprint = check_integer("n_features", n_features, 1), fingerprint
        model.interrupted_ = bool(interrupted)
        for name, array in {**params, **memory}.items():
            check_finite(array, name)
        if params["W1"].shape[0] != n_features:  # asked first: a wrong number could ask for all the memory there is
            raise ValueError("its arrays do not fit its settings")
        model._start(model._structure(), check_integer("seed", seed, 0))
        model._training.fill(params, memory)
        model._training.history = [dict(row) for row in history]
        return model

    def check_settings(self):
        """Raise ValueError or TypeError for impossible settings, each with a sentence; `fit` does this first."""
        sizes = self.hidden_layer_sizes
        if not isinstance(sizes, (tuple, list, np.ndarray)) or len(sizes) == 0:
            raise ValueError(f"hidden_layer_sizes must name one or more layer sizes, such as (128, 3); got {sizes!r}")
        for size in sizes:
            check_integer("each of hidden_layer_sizes", size, 1)
        check_choice("activation", self.activation, ACTIVATIONS)
        check_choice("output_activation", self.output_activation, ACTIVATIONS)
        check_choice("loss", self.loss, LOSSES)
        if self.loss == "bce" and self.output_activation != "sigmoid":
            raise ValueError("loss 'bce' reads the output as probabilities and needs output_activation='sigmoid'; "
                             f"got {self.output_activation!r}")
        check_choice("optimizer", self.optimizer, OPTIMIZERS)
        check_choice("weight_init", self.weight_init, INITIALIZERS)
        check_number("learning_rate", self.learning_rate, 0, exclusive_low=True)
        check_integer("epochs", self.epochs, 0)
        check_integer("batch_size", self.batch_size, 1)
        check_backend(self.backend)
        check_float_dtype(self.dtype)
        if not np.iterable(self.callbacks) or not all(callable(callback) for callback in self.callbacks):
            raise TypeError(f"callbacks must be a sequence of functions; got {self.callbacks!r}")

    def _images(self, X):
        """Images X (N, D), checked against the fitted network, as it wants them."""
        self._check_fitted("_training")
        return _as_dtype(self._check_X(X), self._training.vector.dtype, self._architecture.loss)

    def _evaluate(self, X, first=1, last=None):
        """Layers `first` to `last` applied to all rows of X, block by block."""
        last, functions = last or self._architecture.n_layers, self._functions()
        n_rows = evaluation_rows(functions)
        work = functions.Workspace(self._architecture, n_rows, self._training.vector.dtype)
        outputs = np.empty((len(X), self.widths_[last]), self._training.vector.dtype)  # (N, width of layer `last`)
        with np.errstate(over="ignore", under="ignore"):
            for start in range(0, len(X), n_rows):
                rows = slice(start, start + n_rows)
                outputs[rows] = functions.forward(self.params_, X[rows], self._architecture, work, first=first,
                                                  last=last)
        return outputs

    def _functions(self):
        """The network's functions, of the back end that this estimator runs on."""
        return network_functions(load_backend(self.backend))

    def _dtypes_kept(self):
        return [np.dtype(self.dtype).name]


def _as_dtype(X, dtype, loss=None):
    """X as a C-ordered array of the network's dtype. Raises ValueError if that or the loss cannot hold its values."""
    dtype = np.dtype(dtype)
    if X.dtype == np.float64 and dtype == np.float32:
        largest = np.abs(X).max()
        if largest > np.finfo(np.float32).max:
            raise ValueError(f"X holds {largest:.3g}, which float32 cannot: scale X, or use dtype=np.float64")
    if loss == "bce" and (X.min() < 0 or X.max() > 1):
        raise ValueError("loss 'bce' reads X as probabilities, from 0 to 1; "
                         f"X goes from {X.min():.3g} to {X.max():.3g}: scale it, or use loss='mse'")
    return np.ascontiguousarray(X, dtype=dtype)
