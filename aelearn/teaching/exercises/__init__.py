"""The exercises of the lessons, a module for each lesson, which lists them in its EXERCISES.

Inputs are random, and their sizes are different: no wrong product has the right shape by accident, and no mistake is
hidden by ones and zeros. CONTRIBUTING.md says how to add an exercise; exercise.py says what one consists of.
"""

from importlib import import_module

LESSONS = ("the_job", "backprop_by_hand", "gradient_checking", "training_the_autoencoder", "kmeans_by_hand",
           "clustering_the_codes", "matmul_to_the_metal", "kmeans_on_all_cores", "on_a_gpu",
           "pca_and_the_linear_autoencoder", "sparse_coding", "densities", "spectral_clustering")


def merged(lessons):
    """{lesson: {name: Exercise}} as one dict {name: Exercise}. Raises ValueError if two lessons have the same name."""
    exercises, lesson_of = {}, {}
    for lesson, own in lessons.items():
        for name, exercise in own.items():
            if name in exercises:
                raise ValueError(f"two lessons have an exercise {name}: {lesson_of[name]} and {lesson}; check finds an "
                                 "exercise by its name, so rename one of them")
            exercises[name], lesson_of[name] = exercise, lesson
    return exercises


BY_LESSON = {lesson: import_module(f"aelearn.teaching.exercises.{lesson}").EXERCISES for lesson in LESSONS}
EXERCISES = merged(BY_LESSON)
