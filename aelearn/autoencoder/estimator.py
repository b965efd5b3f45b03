"""The autoencoder: a network that learns to reconstruct its input from a short code.

    x (N, 784) -> 128 -> code (N, 3) -> 128 -> reconstruction (N, 784)

The code keeps what the network found most useful for the reconstruction. This module is the estimator, which users
call. The arithmetic is in network.py, the training loop in training.py, the file format in model_file.py.

Shapes: N samples, D features, C code size.

Source: Hinton and Salakhutdinov, "Reducing the dimensionality of data with neural networks" (2006).
"""

import zlib
from contextlib import contextmanager

import numpy as np

from aelearn.autoencoder.evaluation import dead_outputs, layer_outputs, mean_loss, network_functions
from aelearn.autoencoder.model_file import read_model, write_model
from aelearn.autoencoder.network import Architecture, autoencoder_widths
from aelearn.autoencoder.settings import as_dtype, check_settings, check_validation
from aelearn.autoencoder.training import Training
from aelearn.core.base import Transformer, all_or_nothing
from aelearn.core.progress import progress, unwatched
from aelearn.core.validation import ConvergenceWarning, check_array, generator, load_backend, warn


class Autoencoder(Transformer):
    """An autoencoder of dense layers, trained by hand-derived backpropagation.

    hidden_layer_sizes  units of the encoder's layers, the code's last: (128, 3) makes 784-128-3-128-784
    activation          of the hidden layers: "sigmoid", "tanh", "relu" or "identity"
    code_activation     of the code, the same choice; None: as the other hidden layers
    output_activation   of the last layer, the same choice
    loss                "mse" (mean squared error) or "bce" (binary cross-entropy: X in [0, 1], sigmoid output)
    optimizer           "adam", "momentum" or "sgd"
    learning_rate       size of its steps
    epochs              passes over the data
    batch_size          images per step; the last batch of an epoch may be smaller and is used
    backend             "numpy"; "numba": compiled, on all cores; "cuda": an NVIDIA GPU; "auto": "numba" if it runs here
    dtype               np.float32 or np.float64: what the network computes in and returns
    callbacks           functions callback(autoencoder, row), called after each epoch; True stops the training. See
                        callbacks.py for those that there are, and for what else a callback can do
    weight_init         "truncated_normal" (the original script's) or "glorot": see layers.py
    augment             None, or a function augment(images, generator), called for each batch (B, D) in each epoch, that
                        returns the images to reconstruct instead: aelearn.data.moved_images shifts and turns them.
                        For the same seed to give the same bits, it must draw from that generator alone
    random_state        None, an int, a np.random.Generator or RandomState: initial weights, order of batches, and what
                        `augment` draws
    verbose             if not 0, `fit` and `resume` show a progress bar: epochs, and the loss

    After `fit`:

    params_         {"W1": (D, H), "b1": (H,), ...}
    history_        a dict for each epoch: "epoch" (from 1), "loss" and "validation_loss" (over the whole set, after
                    the epoch; the latter None without validation data), "seconds"
    widths_         units of each layer, from the images through the code and back: (784, 128, 3, 128, 784)
    interrupted_    True if Ctrl-C ended the training early; `resume` continues it
    n_features_in_  D
    """

    _estimator_type = "transformer"

    def __init__(self, hidden_layer_sizes=(128, 3), *, activation="sigmoid", code_activation=None,
                 output_activation="sigmoid", loss="mse", optimizer="adam", learning_rate=3e-3, epochs=150,
                 batch_size=48, backend="auto", dtype=np.float32, callbacks=(), weight_init="truncated_normal",
                 augment=None, random_state=None, verbose=0):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.code_activation = code_activation
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
        self.augment = augment
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y=None, *, validation=None):
        """Learn from X (N, D), starting anew; y is ignored. Returns self.

        validation  images (M, D) whose loss is recorded after each epoch

        Ctrl-C ends the training with a warning and keeps what was learnt up to the last whole epoch, if there is one.

        Raises ValueError or TypeError for invalid data or settings, and ValueError if the loss is no longer finite.
        Whatever it raises, a network that was already fitted stays unchanged; otherwise what was learnt up to the last
        whole epoch is kept, and `resume` can continue from there. Warns (ConvergenceWarning) of outputs whose gradient
        is 0 because of ReLU, see `dead_outputs` in evaluation.py.
        """
        self.check_settings()
        X = as_dtype(self._check_training_data(X), self.dtype, self.loss)
        if validation is not None:
            validation = check_validation(validation, getattr(self, "feature_names_in_", None), X, self.loss)
        self._start(self._structure(), seed=int(generator(self.random_state).integers(2**63)))
        self._training.initialize(self.weight_init)
        self._fingerprint, self._was_augmented = zlib.crc32(X), self.augment is not None
        return self._train(X, validation)

    @all_or_nothing
    def resume(self, X, *, validation=None):
        """Continue a training that was interrupted or loaded from a checkpoint, until `epochs` are done. Returns self.

        X must be the images that `fit` was given. The result has the same bits as that of one uninterrupted `fit`
        on the same back end (with NumPy's, also on the same number of BLAS threads). To train for longer, increase
        `epochs` first. The callbacks are called once more for the last epoch, so that a training which one of them
        stopped remains stopped. Whatever it raises, the state is that of the last whole epoch.

        Raises ValueError if X, or a setting that determines the network's structure, is not that of `fit`.
        """
        self._check_fitted("_training")
        self.check_settings()
        for name, value in self._structure().items():
            if value != self._fitted_structure[name]:
                raise ValueError(f"this network was fitted with {name}={self._fitted_structure[name]!r}, "
                                 f"not {value!r}: call fit to start anew")
        if not self.was_fitted_to(X):
            raise ValueError("X is not the data that this network was fitted to: call fit to start anew")
        self._check_augment()
        X, validation = self._images(X), None if validation is None else self._images(validation)
        self._training.optimizer.learning_rate = float(self.learning_rate)
        return self._train(X, validation)

    def train_jointly(self, X, order, code_gradient, *, rng, reconstruction=True):
        """Train on with another loss of the codes, on chosen images: what deep clustering does after `fit`.

        X               images (N, D)
        order           (M,) rows of X, which are taken in batches of `batch_size` in this order
        code_gradient   a function of a batch's codes (B, C) and its rows of X (B,) that returns the derivative of the
                        other loss with respect to the codes, (B, C)
        rng             the np.random.Generator that `augment` draws from
        reconstruction  False: the other loss is the only one, and the decoder stays as it is

        Returns the mean loss of the reconstruction, of the batches before their steps, a float, or None. `history_`
        does not change. Raises ValueError if a parameter is no longer finite. Whatever it raises, Ctrl-C included, the
        network stays as it was.
        """
        X = self._images(X)
        self._check_augment()
        self._training.optimizer.learning_rate = float(self.learning_rate)
        return self._training.run_joint(X, order, rng, batch_size=int(self.batch_size), augment=self.augment,
                                        backend=load_backend(self.backend), code_gradient=code_gradient,
                                        reconstruction=reconstruction)

    def reset_optimizer(self):
        """Let the optimiser forget the gradients so far, those of another loss."""
        self._check_fitted("_training")
        self._training.reset_optimizer(self.learning_rate)

    def _train(self, X, validation):
        """Train until `epochs` are done, or a callback stops it. Returns self."""
        self.interrupted_ = False
        try:
            with self._callbacks_at_work():
                if self.history_ and self._call_back():
                    return self
                with progress(self.verbose, unit="epoch", total=self.epochs, done=len(self.history_)) as bar:
                    self._training.run(X, validation, epochs=self.epochs, batch_size=int(self.batch_size),
                                       backend=load_backend(self.backend), augment=self.augment,
                                       after_epoch=lambda: self._after_epoch(X, bar))
        except KeyboardInterrupt:
            if not self.history_:
                raise  # there is nothing to keep
            self.interrupted_ = True
            warn(f"Training interrupted after {len(self.history_)} of {self.epochs} epochs; "
                 "what was learnt is kept, resume(X) continues.", ConvergenceWarning)
        return self

    def _go_back_to(self, before):
        """As in any estimator, but the whole epochs of a first training are kept."""
        if "_training" not in before and "_training" in vars(self) and self.history_:
            before = {**vars(self), **before}  # the settings from before, and what was learnt since
        super()._go_back_to(before)

    def _after_epoch(self, X, bar):
        """Advance the bar, call the callbacks, and warn of dead outputs; True if training should stop."""
        bar.advance(loss=self.history_[-1]["loss"])
        stop, n_epochs = self._call_back(), len(self.history_)
        is_last = stop or n_epochs == self.epochs
        if self._architecture.output_activation == "relu" and (n_epochs == 2 or n_epochs == 1 and is_last):
            self._warn_of_dead_outputs(X)
        return stop

    def _warn_of_dead_outputs(self, X):
        """Warn of outputs that stay 0. A few revive in the first epoch, so this is checked after the second."""
        n_dead = np.count_nonzero(dead_outputs(self._functions(), self.params_, X, self._architecture))
        if n_dead:
            warn(f"{n_dead} of {X.shape[1]} outputs are 0 for each row of X, although X is not: with "
                 "output_activation='relu' their gradient is 0, and they are likely to stay 0. Use "
                 "output_activation='sigmoid' or 'identity', a lower learning_rate or another weight_init; or, after "
                 f"fit with epochs=0, increase the biases params_['b{self._architecture.n_layers}'], and resume.",
                 ConvergenceWarning)

    @contextmanager
    def _callbacks_at_work(self):
        """Call `begin` of the callbacks that have it, and at the end of the block, however it ends, `finish`."""
        try:
            for callback in self.callbacks:
                getattr(callback, "begin", unwatched)(self)
            yield
        finally:
            for callback in self.callbacks:
                getattr(callback, "finish", unwatched)(self)

    def _call_back(self):
        """Call every callback with the row of the last epoch; True if one of them returns True."""
        answers = [callback(self, self.history_[-1]) for callback in self.callbacks]
        return any(isinstance(answer, (bool, np.bool_)) and answer for answer in answers)

    @property
    def params_(self):
        """The parameters, {"W1": (D, H), "b1": (H,), ...}: the network's own arrays, not copies.

        (While it is trained on a GPU, they are copies.)
        """
        self._check_fitted("_training")
        return self._training.params

    @property
    def history_(self):
        """A dict for each epoch of the training."""
        self._check_fitted("_training")
        return self._training.history

    def was_fitted_to(self, X):
        """True if X is the data that `fit` was given, by its checksum."""
        return zlib.crc32(self._images(X)) == self._fingerprint

    def _check_augment(self):
        """Raise ValueError unless `augment` is set if and only if it was set for `fit`."""
        if self._was_augmented != (self.augment is not None):
            raise ValueError("this network was fitted "
                             f"{'with' if self._was_augmented else 'without'} augment, which no file contains: "
                             "set_params(augment=...) to the same, or call fit to start anew")

    def _structure(self):
        """The settings that determine the network's structure, which cannot change after `fit`."""
        return {"hidden_layer_sizes": [int(size) for size in self.hidden_layer_sizes], "activation": self.activation,
                "code_activation": self.code_activation, "output_activation": self.output_activation,
                "loss": self.loss, "optimizer": self.optimizer, "dtype": np.dtype(self.dtype).name}

    def _start(self, structure, seed):
        """A network of this structure and the state of its training, with parameters that are not set yet."""
        self.widths_ = autoencoder_widths(self.n_features_in_, structure["hidden_layer_sizes"])
        self._fitted_structure = structure
        self._architecture = Architecture(self.widths_, structure["activation"], structure["output_activation"],
                                          structure["loss"], structure["code_activation"])
        self._n_encoder_layers = self._architecture.n_layers // 2
        self._n_features_out = self.widths_[self._n_encoder_layers]
        self._training = Training(self._architecture, structure["optimizer"], self.learning_rate, structure["dtype"],
                                  seed)

    def transform(self, X):
        """The codes (N, C) of images X (N, D)."""
        return self._evaluate(self._images(X), last=self._n_encoder_layers)

    def inverse_transform(self, X):
        """The images (N, D) that codes X (N, C) are decoded to."""
        self._check_fitted("_training")
        codes = check_array(X, estimator=type(self).__name__)
        if codes.shape[1] != self._n_features_out:
            raise ValueError(f"X has {codes.shape[1]} features, but {type(self).__name__} "
                             f"is expecting codes of {self._n_features_out} features as input")
        return self._evaluate(as_dtype(codes, self._training.vector.dtype), first=self._n_encoder_layers + 1)

    def reconstruct(self, X):
        """The network's reconstruction of each image of X (N, D), (N, D)."""
        return self._evaluate(self._images(X))

    def score(self, X, y=None):
        """Minus the loss on X (N, D): higher is better."""
        X = self._images(X)
        with np.errstate(over="ignore", under="ignore"):
            return -mean_loss(self._functions(), self.params_, X, self._architecture)

    def loss_and_gradients(self, X):
        """The loss on X (N, D), a float, and its derivative with respect to every parameter, a dict like `params_`."""
        X = self._images(X)
        with np.errstate(over="ignore", under="ignore"):
            return self._functions().loss_and_gradients(self.params_, X, self._architecture)

    def save(self, path):
        """Write everything that `load` and `resume` need to one .npz file, completely or not at all.

        Callbacks, augment and verbose are not saved, nor is a random_state that is not a number: the loaded model has
        (), None, 0 and None there. (A model that was fitted with augment is resumed with augment only.)
        """
        self._check_fitted("_training")
        write_model(path, self)

    @classmethod
    def load(cls, path):
        """The autoencoder that `save` wrote to `path`; loading runs no code from the file.

        Raises FileNotFoundError if there is none, ValueError if it is not a complete file of that kind.
        """
        return read_model(path, cls)

    def check_settings(self):
        """Raise ValueError or TypeError for an invalid setting; `fit` does this first."""
        check_settings(self)

    def _images(self, X):
        """Images X (N, D), checked against the fitted network, C-ordered and in its dtype."""
        self._check_fitted("_training")
        return as_dtype(self._check_X(X), self._training.vector.dtype, self._architecture.loss)

    def _evaluate(self, X, first=1, last=None):
        """Layers `first` to `last` (all by default) applied to all rows of X."""
        width = self.widths_[last or self._architecture.n_layers]
        outputs = np.empty((len(X), width), self._training.vector.dtype)  # (N, width of layer `last`)
        with np.errstate(over="ignore", under="ignore"):
            for rows, output in layer_outputs(self._functions(), self.params_, X, self._architecture, first=first,
                                              last=last):
                outputs[rows] = output
        return outputs

    def _functions(self):
        """The network's functions, from the back end that this estimator runs on."""
        return network_functions(load_backend(self.backend))

    def _dtypes_kept(self):
        return [np.dtype(self.dtype).name]
