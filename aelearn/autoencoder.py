"""The autoencoder: a network that learns to give back its input through a narrow middle, the code.

    x (N, 784) -> 128 -> code (N, 3) -> 128 -> reconstruction (N, 784)

What the code keeps is what the network found most useful for drawing the image again. This module is the estimator:
settings, training, saving. The arithmetic is in network.py, layers.py, losses.py and optim.py.

Shapes: N samples, D features, C code size, B rows of a batch.

Source: Hinton and Salakhutdinov, "Reducing the dimensionality of data with neural networks" (2006).
"""

import time
import warnings

import numpy as np

from aelearn.estimator import Estimator
from aelearn.layers import ACTIVATIONS, INITIALIZERS
from aelearn.model_file import read_model, write_model
from aelearn.network import (EVALUATION_ROWS, LOSSES, Architecture, Workspace, autoencoder_widths, backward, forward,
                             loss_and_gradients, mean_loss, parameter_views)
from aelearn.optim import OPTIMIZERS
from aelearn.validation import (ConvergenceWarning, check_array, check_backend, check_choice, check_float_dtype,
                                check_integer, check_number, generator, peer_class)


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
        self._check_settings()
        X = self._check_images(X, fitting=True)
        validation = None if validation is None else self._check_images(validation)
        self._set_architecture()
        # One seed rules the run. Each epoch's order is drawn from (seed, epoch): nothing random needs to be saved.
        self.seed_ = int(generator(self.random_state).integers(2**63))
        rng = np.random.default_rng(self.seed_)
        self._vector = np.empty(self._architecture.n_parameters, self.dtype)
        self.params_ = parameter_views(self._vector, self._architecture.widths)
        for layer in range(1, self._architecture.n_layers + 1):
            INITIALIZERS[self.weight_init](rng, self.params_[f"W{layer}"], self.params_[f"b{layer}"])
        self._optimizer = OPTIMIZERS[self.optimizer](self._vector, self.learning_rate)
        self.history_ = []
        return self._train(X, validation)

    def resume(self, X, *, validation=None):
        """Go on with a training that was interrupted or loaded from a checkpoint, until `epochs` are done.

        X must be the images that `fit` was given. The result has the same bits as that of one uninterrupted `fit`
        with the same number of BLAS threads. To train for longer, raise `epochs` first. Returns self.
        """
        self._check_fitted("params_")
        self._check_settings()
        wanted = autoencoder_widths(self.n_features_in_, self.hidden_layer_sizes)
        if wanted != self._architecture.widths:
            raise ValueError(f"this network is {'-'.join(map(str, self._architecture.widths))}, the settings now ask "
                             f"for {'-'.join(map(str, wanted))}: call fit to start anew")
        X = self._check_images(X)
        validation = None if validation is None else self._check_images(validation)
        self._optimizer.learning_rate = self.learning_rate
        return self._train(X, validation)

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
                    if any([callback(self, row) for callback in self.callbacks]):
                        break
        except KeyboardInterrupt:
            self._restore(good)
            self.interrupted_ = True
            warning = peer_class("sklearn.exceptions", "ConvergenceWarning", ConvergenceWarning)
            warnings.warn(f"Training interrupted after {len(self.history_)} of {self.epochs} epochs; "
                          "what was learnt is kept, resume(X) goes on.", warning, stacklevel=3)
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
        return self._run(X, first=1, last=len(self._hidden()))

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
        return self._evaluate(self._as_dtype(codes), first=len(self._hidden()) + 1, last=self._architecture.n_layers)

    def reconstruct(self, X):
        """Each image of X (N, D) as the network gives it back, (N, D)."""
        return self._run(X, first=1, last=2 * len(self._hidden()))

    def score(self, X, y=None):
        """Minus the loss on X (N, D): higher is better."""
        self._check_fitted("params_")
        X = self._check_images(X)
        work = Workspace(self._architecture, EVALUATION_ROWS, self._vector.dtype)
        return -mean_loss(self.params_, X, self._architecture, work)

    def loss_and_gradients(self, X):
        """The loss on X (N, D), a float, and its derivative by every parameter, a dict like `params_`."""
        self._check_fitted("params_")
        return loss_and_gradients(self.params_, self._check_images(X), self._architecture)

    def save(self, path):
        """Write everything that `load` and `resume` need to one .npz file, whole or not at all.

        Callbacks are not saved, nor is a random_state that is not a number.
        """
        self._check_fitted("params_")
        settings = self.get_params()
        settings.pop("callbacks")
        settings["dtype"] = np.dtype(self.dtype).name
        settings["hidden_layer_sizes"] = self._hidden()
        if not isinstance(self.random_state, (int, np.integer, type(None))):
            settings["random_state"] = None
        write_model(path, settings=settings, seed=self.seed_, n_features=self.n_features_in_, history=self.history_,
                    interrupted=self.interrupted_, params=self.params_, memory=self._optimizer.state())

    @classmethod
    def load(cls, path):
        """The autoencoder that `save` wrote to `path`; loading runs no code from the file.

        Raises FileNotFoundError if there is none, ValueError if it is not a whole file of that kind.
        """
        return read_model(path, cls._from_file)

    @classmethod
    def _from_file(cls, settings, seed, n_features, history, interrupted, params, memory):
        model = cls(**{**settings, "dtype": np.dtype(settings["dtype"]).type,
                       "hidden_layer_sizes": tuple(settings["hidden_layer_sizes"])})
        model._check_settings()
        model.seed_, model.n_features_in_ = seed, n_features
        model.history_, model.interrupted_ = history, interrupted
        model._set_architecture()
        model._vector = np.empty(model._architecture.n_parameters, model.dtype)
        model.params_ = parameter_views(model._vector, model._architecture.widths)
        model._optimizer = OPTIMIZERS[model.optimizer](model._vector, model.learning_rate)
        for arrays, saved in ((model.params_, params), (model._optimizer.state(), memory)):
            if {name: array.shape for name, array in arrays.items()} != {n: a.shape for n, a in saved.items()}:
                raise ValueError("its arrays do not fit its settings")
            for name, array in arrays.items():
                array[...] = saved[name]
        return model

    def _hidden(self):
        return [int(size) for size in self.hidden_layer_sizes]

    def _set_architecture(self):
        widths = autoencoder_widths(self.n_features_in_, self._hidden())
        self._architecture = Architecture(widths, self.activation, self.output_activation, self.loss)
        self._n_features_out = widths[len(self._hidden())]

    def _check_settings(self):
        """Refuse impossible settings, each with a sentence."""
        sizes = self.hidden_layer_sizes
        if isinstance(sizes, (str, bytes)) or not np.iterable(sizes) or len(sizes) == 0:
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

    def _check_images(self, X, *, fitting=False):
        """X (N, D) as a C-ordered array of the network's dtype."""
        X = self._as_dtype(self._check_X(X, fitting=fitting))
        if self.loss == "bce" and (X.min() < 0 or X.max() > 1):
            raise ValueError("loss 'bce' reads X as probabilities, from 0 to 1; "
                             f"X goes from {X.min():.3g} to {X.max():.3g}: scale it, or use loss='mse'")
        return X

    def _as_dtype(self, X):
        if X.dtype == np.float64 and np.dtype(self.dtype) == np.float32:
            largest = np.abs(X).max()
            if largest > np.finfo(np.float32).max:
                raise ValueError(f"X holds {largest:.3g}, which float32 cannot: scale X, or use dtype=np.float64")
        return np.ascontiguousarray(X, dtype=self.dtype)

    def _run(self, X, first, last):
        self._check_fitted("params_")
        return self._evaluate(self._check_images(X), first, last)

    def _evaluate(self, X, first, last):
        """Layers `first` to `last` applied to all rows of X, block by block."""
        work = Workspace(self._architecture, EVALUATION_ROWS, self._vector.dtype)
        outputs = np.empty((len(X), self._architecture.widths[last]), self._vector.dtype)
        with np.errstate(over="ignore", under="ignore"):
            for start in range(0, len(X), EVALUATION_ROWS):
                x = X[start:start + EVALUATION_ROWS]
                outputs[start:start + len(x)] = forward(self.params_, x, self._architecture, work, first=first,
                                                        last=last)
        return outputs

    def _dtypes_kept(self):
        return [np.dtype(self.dtype).name]
