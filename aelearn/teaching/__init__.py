"""What the lessons need.

    checks     what an exercise's last line calls: random inputs for the learner's function
    comparing  what the function returned, compared with what is right
    verdict    what is wrong, as data; and the words for it, one line
    exercises  what goes into each exercise and what must come out, a module for each lesson
    notebooks  figures, sliders, measurements, a GPU or its simulator
"""
