"""The report: a folder of pages that opens from a file path, without a server or a network.

:mod:`~her2study.reporting.site.content` is what it is made from, :mod:`~her2study.reporting.site.build` writes it;
``templates/`` holds the pages, ``assets/`` their style and their scripts.
"""

from her2study.reporting.site.build import build_site
from her2study.reporting.site.content import Content, Step

__all__ = ["Content", "Step", "build_site"]
