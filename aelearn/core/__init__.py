"""What all estimators share.

    base               scikit-learn's conventions, without scikit-learn
    output_containers  data frames as output: set_output
    metadata_routing   requests for sample weights and the like, for scikit-learn's tools
    validation         input validation, in one place
    arrays             blocks of rows, squared distances, rounding errors, and units for very large or small data
    progress           progress bars: what `verbose` shows
    files              files that are written completely or not at all
    model_files        what the files of models have in common
"""
