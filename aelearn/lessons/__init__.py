"""A place for the lessons: when aelearn is installed, setup.cfg puts the notebooks of lessons/ here."""
