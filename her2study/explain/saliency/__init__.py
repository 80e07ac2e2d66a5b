"""Where the D-score looks: Grad-CAM and occlusion maps of the fold networks, and how far to trust them.

A map looks convincing whether or not it means anything (Adebayo et al. 2018, arXiv:1810.03292; Arun et al. 2021,
10.1148/ryai.2021200267), so none is shown without :mod:`~her2study.explain.saliency.checks`.

Every map is signed: above 0 a voxel speaks for HER2-positive, below 0 against. The ensemble's score is the mean of
the networks' log odds, so its map is the mean of their maps, each as it is: scaling each to its own maximum first,
as is often done, gives a network that sees nothing the same voice as one that does.
"""
