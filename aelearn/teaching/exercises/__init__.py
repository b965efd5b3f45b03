"""The exercises of the lessons, a module for each lesson. checks.py compares.

Inputs are random, and their sizes are uneven: no wrong product fits by accident, and no mistake hides behind ones and
zeros.
"""

from importlib import import_module

LESSONS = ("the_job", "backprop_by_hand", "gradient_checking", "training_the_autoencoder", "kmeans_by_hand",
           "clustering_the_codes", "matmul_to_the_metal", "kmeans_on_all_cores", "on_a_gpu",
           "pca_and_the_linear_autoencoder", "sparse_coding", "densities", "spectral_clustering")
EXERCISES = {name: exercise for lesson in LESSONS
             for name, exercise in import_module(f"aelearn.teaching.exercises.{lesson}").EXERCISES.items()}
