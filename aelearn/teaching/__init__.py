"""What the lessons need.

    checks     what an exercise's last line calls: random inputs, a verdict in one line
    exercises  what goes into each exercise and what must come out, a module for each lesson
    notebooks  figures, sliders, measurements, a GPU or its simulator
"""
