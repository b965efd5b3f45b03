"""What the lessons need.

    checks     the last line of an exercise calls `check`: random inputs for the learner's function
    comparing  the result of the function, compared with the correct one
    verdict    what is wrong, as data; and the words for it, one line
    exercises  inputs and correct outputs of each exercise, a module for each lesson
    notebooks  figures, sliders, measurements, a GPU or its simulator
"""
