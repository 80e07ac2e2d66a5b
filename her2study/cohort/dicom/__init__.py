"""DICOM folders as scanners and archives export them, into the MAMA-MIA layout, without anything that identifies.

``headers`` reads what the files say, ``series`` and ``phases`` find the dynamic series in it, ``geometry`` and
``pixels`` build volumes, ``masks`` puts lesion masks on their grid, ``patient`` does one patient from start to end,
``pseudonyms`` keeps the key, and ``report`` says what was chosen, why, and what was left behind.
"""
