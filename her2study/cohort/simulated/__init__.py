"""The parts of the simulator; its door is :func:`her2study.cohort.simulate.simulate_cohort`.

``assumptions`` reads every planted number (``planted`` types it), ``patients`` draws people, lesions and HER2,
``readings`` is what two readers, pathology and the registry write down, ``phantom`` turns a lesion
into tissue maps, ``physics`` turns maps into signal, ``scanner`` into NIfTI files.
"""
