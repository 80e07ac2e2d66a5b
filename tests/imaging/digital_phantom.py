"""The IBSI digital phantom and its published values.

Phantom and values: IBSI reference manual, arXiv 1612.07003 (CC-BY 4.0), rows "dig. phantom" of its tables, texture as
"3D, merged". Numbers have the manual's three significant digits, and its tolerance where one is stated (shape).
"""

import numpy as np

SLICES = """
1 4 4 1 1   1 4 4 1 1   1 4 4 0 0   1 4 4 0 0
1 4 6 1 1   1 1 6 1 1   1 1 1 1 1   1 1 1 1 1
4 1 6 4 1   0 1 3 1 1   1 1 0 1 1   1 1 1 1 1
4 4 6 4 1   4 4 6 1 1   1 1 6 1 1   1 1 6 1 1
"""
"""Four slices of 4 x 5 voxels side by side; 0 is outside the region of interest."""

SPACING_MM = (2.0, 2.0, 2.0)

PHANTOM = np.array(SLICES.split(), np.float32).reshape(4, 4, 5).transpose(1, 0, 2)
"""``(z, y, x)``."""

REGION = PHANTOM > 0

SHAPE = {  # feature: published value, tolerance, in the units of the manual (mm)
    "shape_volume_ml": (556e-3, 4e-3),
    "shape_surface_mm2": (388, 3),
    "shape_surface_to_volume_per_mm": (0.698, 0.004),
    "shape_sphericity": (0.843, 0.005),
    "shape_maximum_diameter_mm": (13.1, 0.1),
    "shape_major_axis_mm": (11.4, 0.1),
    "shape_minor_axis_mm": (9.31, 0.06),
    "shape_least_axis_mm": (8.54, 0.05),
    "shape_elongation": (0.816, 0.005),
    "shape_flatness": (0.749, 0.005),
    "shape_box_volume_density": (0.869, 0.005),
    "shape_convex_volume_density": (0.961, 0.006),
}

TEXTURE = {
    "statistics": """
        mean 2.15, var 3.05, skew 1.08, kurt -0.355, median 1, min 1, p10 1, p90 4, max 6, iqr 3, range 5, mad 1.55,
        rmad 1.11, medad 1.15, energy 567, rms 2.77""",
    "intensity_histogram": """
        mean 2.15, var 3.05, skew 1.08, kurt -0.355, median 1, p10 1, p90 4, mode 1, iqr 3, mad 1.55, rmad 1.11,
        medad 1.15, cov 0.812, qcod 0.6, entropy 1.27, uniformity 0.512, max_grad 8, max_grad_g 3""",
    "cooccurrence_matrix": """
        joint_max 0.509, joint_avg 2.15, joint_var 3.13, joint_entr 2.57, diff_avg 1.38, diff_var 3.21, diff_entr 1.64,
        sum_avg 4.3, sum_var 7.41, sum_entr 2.11, energy 0.291, contrast 5.12, dissimilarity 1.38, inv_diff 0.688,
        inv_diff_norm 0.856, inv_diff_mom 0.631, inv_diff_mom_norm 0.902, inv_var 0.0574, corr 0.183, auto_corr 5.19,
        clust_tend 7.41, clust_shade 17.4, clust_prom 147, info_corr1 -0.0288, info_corr2 0.269""",
    "run_length_matrix": """
        sre 0.729, lre 2.76, lgre 0.607, hgre 9.64, srlge 0.372, srhge 8.67, lrlge 2.16, lrhge 15.6, glnu 281,
        glnu_norm 0.43, rlnu 328, rlnu_norm 0.501, r_perc 0.68, gl_var 3.48, rl_var 0.598, rl_entr 2.62""",
    "size_zone_matrix": """
        sze 0.255, lze 550, lgze 0.253, hgze 15.6, szlge 0.0256, szhge 2.76, lzlge 503, lzhge 1490, glnu 1.4,
        glnu_norm 0.28, zsnu 1, zsnu_norm 0.2, z_perc 0.0676, gl_var 2.64, zs_var 331, zs_entr 2.32""",
    "distance_zone_matrix": """
        sde 1, lde 1, lgze 0.253, hgze 15.6, sdlge 0.253, sdhge 15.6, ldlge 0.253, ldhge 15.6, glnu 1.4, glnu_norm 0.28,
        zdnu 5, zdnu_norm 1, z_perc 0.0676, gl_var 2.64, zd_var 0, zd_entr 1.92""",
    "grey_tone_difference_matrix": "coarseness 0.0296, contrast 0.584, busyness 6.54, complexity 13.5, strength 0.763",
    "grey_level_dependence_matrix": """
        lde 0.045, hde 109, lgce 0.693, hgce 7.66, ldlge 0.00963, ldhge 0.736, hdlge 102, hdhge 235, glnu 37.9,
        glnu_norm 0.512, dcnu 4.86, dcnu_norm 0.0657, dc_perc 1, gl_var 3.05, dc_var 22.1, dc_entr 4.4,
        dc_energy 0.0533""",
}
"""Every family but the intensity-volume histogram, which MIRP sorts into 1,000 bins of its own."""
