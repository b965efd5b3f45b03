"""What the command line runs.

    main_job  aelearn: images -> codes -> clusters -> report
    results   the pictures and tables that the main job writes
    compare   aelearn map: every method on the same images
    deep_job  aelearn deep: all digits, by deep clustering
"""
