"""What all estimators share.

    base               scikit-learn's conventions, without scikit-learn
    output_containers  data frames as output: set_output
    metadata_routing   requests for sample weights and the like, for scikit-learn's tools
    validation         input validation
    arrays             blocks of rows, squared distances, rounding, the unit in which data are measured
    files              files that are replaced whole or not at all
"""
