"""The autoencoder: a network that learns to give back its input through a narrow middle, the code.

    x (N, 784) -> 128 -> code (N, 3) -> 128 -> reconstruction (N, 784)

What the code keeps is what the network found most useful for drawing the image again. This module is the estimator:
settings, training, saving. The arithmetic is in network.py, layers.py, losses.py and optim.py.

Shapes: N samples, D features, C code size, B rows of a batch.

Source: Hinton and Salakhutdinov, "Reducing the dimensionality of data with neural networks" (2006).
"""

import time
import warnings
import zlib

import numpy as np

from aelearn.estimator import Estimator
from aelearn.layers import ACTIVATIONS, INITIALIZERS
from aelearn.model_file import read_model, write_model
from aelearn.network import (EVALUATION_ROWS, LOSSES, Architecture, Workspace, autoencoder_widths, backward, forward,
                             loss_and_gradients, mean_loss, parameter_views)
from aelearn.optim import OPTIMIZERS
from aelearn.validation import (ConvergenceWarning, check_array, check_backend, check_choice, check_finite,
                                check_float_dtype, check_integer, check_number, generator, peer_class)


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
    backend             "auto" or "numpy"
    dtype               np.float32 or np.float64: what the network computes in and returns
    callbacks           functions callback(autoencoder, row), called after each epoch; True stops the training
    weight_init         "truncated_normal" (the original script's: deviation sqrt(2 / fan-in), biases 0.1) or "glorot"
    random_state        None, an int, a np.random.Generator or RandomState: initial weights and order of batches

    After `fit`:

    params_         {"W1": (D, H), "b1": (H,), ...}
    history_        a dict for each epoch: "epoch" (from 1), "loss" and "validation_loss" (over the whole set, after
                    the epoch; None without validation data), "seconds"
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
        # One seed rules the run. Each epoch's order is drawn from (seed, epoch): nothing random needs to be saved.
        self.seed_ = int(generator(self.random_state).integers(2**63))
        self._build(self._structure(), X.shape[1])
        rng = np.random.default_rng(self.seed_)
        for layer in range(1, self._architecture.n_layers + 1):
            INITIALIZERS[self.weight_init](rng, self.params_[f"W{layer}"], self.params_[f"b{layer}"])
        self.history_ = []
        self._fingerprint = zlib.crc32(X)
        return self._train(X, validation)

    def resume(self, X, *, validation=None):
        """Go on with a training that was interrupted or loaded from a checkpoint, until `epochs` are done.

        X must be the images that `fit` was given. The result has the same bits as that of one uninterrupted `fit`
        with the same number of BLAS threads. To train for longer, raise `epochs` first. The callbacks are asked once
        more about the last epoch, so that a training which one of them had stopped stays stopped. Returns self.

        Raises ValueError if X or a setting that shapes the network is not that of `fit`.
        """
        self._check_fitted("params_")
        self.check_settings()
        for name, value in self._structure().items():
            if value != self._fitted_structure[name]:
                raise ValueError(f"this network was fitted with {name}={self._fitted_structure[name]!r}, "
                                 f"not {value!r}: call fit to start anew")
        X = self._images(X)
        if zlib.crc32(X) != self._fingerprint:
            raise ValueError("X is not the data that this network was fitted to: call fit to start anew")
        validation = None if validation is None else self._images(validation)
        self._optimizer.learning_rate = float(self.learning_rate)
        self.interrupted_ = False
        if self.history_ and self._call_back():
            return self
        return self._train(X, validation)

    def _structure(self):
        """The settings that shape the network: what a fitted one cannot change any more."""
        return {"hidden_layer_sizes": [int(size) for size in self.hidden_layer_sizes], "activation": self.activation,
                "output_activation": self.output_activation, "loss": self.loss, "optimizer": self.optimizer,
                "dtype": np.dtype(self.dtype).name}

    def _build(self, structure, n_features):
        """Make the network and its optimiser, with parameters that are not set yet."""
        widths = autoencoder_widths(n_features, structure["hidden_layer_sizes"])
        self._fitted_structure = structure
        self._architecture = Architecture(widths, structure["activation"], structure["output_activation"],
                                          structure["loss"])
        self._vector = np.zeros(self._architecture.n_parameters, structure["dtype"])
        self.params_ = parameter_views(self._vector, widths)
        self._optimizer = OPTIMIZERS[structure["optimizer"]](self._vector, float(self.learning_rate))
        self.widths_, self._n_features_out = widths, widths[self._architecture.n_layers // 2]

    def __setstate__(self, state):
        """Unpickle or copy: `params_` must be views of the vector again, not copies beside it."""
        self.__dict__.update(state)
        if "_vector" in state:
            self.params_ = parameter_views(self._vector, self.widths_)

    def _call_back(self):
        """Tell every callback of the last epoch; True if one of them wants to stop."""
        answers = [callback(self, self.history_[-1]) for callback in self.callbacks]
        return any(isinstance(answer, (bool, np.bool_)) and answer for answer in answers)

    def _train(self, X, validation):
        """Epochs until `epochs` are done. `good` is the state after the last whole epoch, to fall back on."""
        batch = Workspace(self._architecture, min(self.batch_size, len(X)), self._vector.dtype)
        blocks = Workspace(self._architecture, EVALUATION_ROWS, self._vector.dtype)
        self.interrupted_ = False
        good = self._state()
        try:
            with np.errstate(over="ignore", invalid="ignore", under="ignore"):  # _measure looks at the loss instead
                while len(self.history_) < self.epochs:
                    started = time.perf_counter()
                    self._train_epoch(X, len(self.history_) + 1, batch)
                    row = self._measure(X, validation, blocks, started)
                    good = self._state(row)
                    self.history_.append(row)
                    if self._call_back():
                        break
        except KeyboardInterrupt:
            self._restore(good)
            self.interrupted_ = True
            warnings.warn(f"Training interrupted after {len(self.history_)} of {self.epochs} epochs; "
                          "what was learnt is kept, resume(X) goes on.",
                          peer_class("sklearn.exceptions", ConvergenceWarning), stacklevel=3)
        except BaseException:
            self._restore(good)
            raise
        return self

    def _train_epoch(self, X, epoch, work):
        """One pass over X in the epoch's own random order."""
        order = np.random.default_rng((self.seed_, epoch)).permutation(len(X))  # (N,)
        x = np.empty((min(self.batch_size, len(X)), X.shape[1]), X.dtype)  # (B, D)
        for start in range(0, len(X), self.batch_size):
            rows = order[start:start + self.batch_size]
            batch = np.take(X, rows, axis=0, out=x[:len(rows)], mode="clip")  # (B, D); "clip" spares a hidden copy
            forward(self.params_, batch, self._architecture, work)
            backward(self.params_, batch, self._architecture, work)
            self._optimizer.update(self._vector, work.gradient)

    def _measure(self, X, validation, work, started):
        """The new row of `history_`. Raises ValueError if the loss is not a finite number."""
        epoch = len(self.history_) + 1
        loss = mean_loss(self.params_, X, self._architecture, work)
        if not np.isfinite(loss) or not np.isfinite(self._vector).all():
            raise ValueError(f"the training diverged in epoch {epoch} (loss {loss}): lower learning_rate, now "
                             f"{self.learning_rate}, or scale X, whose largest entry is {np.abs(X).max():.3g}")
        validation_loss = None
        if validation is not None:
            validation_loss = mean_loss(self.params_, validation, self._architecture, work)
        return {"epoch": epoch, "loss": loss, "validation_loss": validation_loss,
                "seconds": time.perf_counter() - started}

    def _state(self, *new_rows):
        """Copies of all that training changes: history, parameters, the optimiser's memory."""
        memory = {name: array.copy() for name, array in self._optimizer.state().items()}
        return [*self.history_, *new_rows], self._vector.copy(), memory

    def _restore(self, state):
        history, vector, memory = state
        self.history_ = history
        self._vector[...] = vector
        for name, array in self._optimizer.state().items():
            array[...] = memory[name]

    def transform(self, X):
        """The codes (N, C) of images X (N, D)."""
        return self._evaluate(self._images(X), last=self._n_encoder_layers())

    def fit_transform(self, X, y=None, **fit_params):
        """Learn from X (N, D) and return its codes (N, C)."""
        return self.fit(X, y, **fit_params).transform(X)

    def inverse_transform(self, X):
        """The images (N, D) that codes X (N, C) stand for."""
        self._check_fitted("params_")
        codes = check_array(X, estimator=type(self).__name__)
        if codes.shape[1] != self._n_features_out:
            raise ValueError(f"X has {codes.shape[1]} features, but {type(self).__name__} "
                             f"is expecting codes of {self._n_features_out} features as input")
        return self._evaluate(_as_dtype(codes, self._vector.dtype), first=self._n_encoder_layers() + 1)

    def reconstruct(self, X):
        """Each image of X (N, D) as the network gives it back, (N, D)."""
        return self._evaluate(self._images(X))

    def score(self, X, y=None):
        """Minus the loss on X (N, D): higher is better."""
        X = self._images(X)
        work = Workspace(self._architecture, EVALUATION_ROWS, self._vector.dtype)
        with np.errstate(over="ignore", under="ignore"):
            return -mean_loss(self.params_, X, self._architecture, work)

    def loss_and_gradients(self, X):
        """The loss on X (N, D), a float, and its derivative by every parameter, a dict like `params_`."""
        X = self._images(X)
        with np.errstate(over="ignore", under="ignore"):
            return loss_and_gradients(self.params_, X, self._architecture)

    def save(self, path):
        """Write everything that `load` and `resume` need to one .npz file, whole or not at all.

        Callbacks are not saved, nor is a random_state that is not a number.
        """
        self._check_fitted("params_")
        settings = {**self.get_params(), **self._fitted_structure}
        settings.pop("callbacks")
        if not isinstance(self.random_state, (int, np.integer, type(None))):
            settings["random_state"] = None
        write_model(path, settings=settings, seed=self.seed_, n_features=self.n_features_in_, history=self.history_,
                    interrupted=self.interrupted_, fingerprint=self._fingerprint, params=self.params_,
                    memory=self._optimizer.state())

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
        model.seed_, model.n_features_in_ = check_integer("seed", seed, 0), check_integer("n_features", n_features, 1)
        model.history_, model.interrupted_ = [dict(row) for row in history], bool(interrupted)
        model._fingerprint = fingerprint
        if params["W1"].shape[0] != n_features:
            raise ValueError("its arrays do not fit its settings")
        model._build(model._structure(), n_features)
        for arrays, saved in ((model.params_, params), (model._optimizer.state(), memory)):
            if {name: (array.shape, array.dtype) for name, array in arrays.items()} != \
                    {name: (array.shape, array.dtype) for name, array in saved.items()}:
                raise ValueError("its arrays do not fit its settings")
            for name, array in arrays.items():
                check_finite(saved[name], name)
                array[...] = saved[name]
        return model

    def _n_encoder_layers(self):
        return self._architecture.n_layers // 2

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
        self._check_fitted("params_")
        return _as_dtype(self._check_X(X), self._vector.dtype, self._architecture.loss)

    def _evaluate(self, X, first=1, last=None):
        """Layers `first` to `last` applied to all rows of X, block by block."""
        last = last or self._architecture.n_layers
        work = Workspace(self._architecture, EVALUATION_ROWS, self._vector.dtype)
        outputs = np.empty((len(X), self.widths_[last]), self._vector.dtype)
        with np.errstate(over="ignore", under="ignore"):
            for start in range(0, len(X), EVALUATION_ROWS):
                rows = slice(start, start + EVALUATION_ROWS)
                outputs[rows] = forward(self.params_, X[rows], self._architecture, work, first=first, last=last)
        return outputs

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
