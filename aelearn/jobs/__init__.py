"""What the command line runs.

    main_job  aelearn: images -> codes -> clusters -> report
    results   the pictures and tables that the main job leaves behind
    compare   aelearn map: every method on the same images
"""
