"""What the lessons need.

    checks      the last line of an exercise calls `check`: inputs for the learner's function; `yours` goes on with it
    comparing   the result of the function, compared with the correct one
    costs       lines of Python, memory and time that a right answer may take
    verdict     what is wrong, as data; and the words for it, one line
    time_limit  ends what never ends
    exercises   inputs and correct outputs of each exercise, a module for each lesson
    progress    which exercises are solved, and how many minutes are left
    copies      the lessons in a folder of the learner, opened in JupyterLab
    notebooks   figures, sliders, progress bars, measurements, a GPU or its simulator
"""
