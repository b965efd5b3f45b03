"""A place for MNIST: when aelearn is installed, setup.cfg puts the files of data/mnist here."""
