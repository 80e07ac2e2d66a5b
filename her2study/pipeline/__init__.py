"""The chain: notebooks in the order of their graph, each run only when something it depends on changed.

:mod:`~her2study.pipeline.graph` says what needs what, :mod:`~her2study.pipeline.fingerprint` and
:mod:`~her2study.pipeline.records` whether a step is up to date, :mod:`~her2study.pipeline.node` runs
one step, :mod:`~her2study.pipeline.chain` runs all.
"""

from her2study.pipeline.chain import reproduce, step_command
from her2study.pipeline.graph import Chain, Node, find_node, open_chain
from her2study.pipeline.node import StepFailed, run_node

__all__ = ["Chain", "Node", "StepFailed", "find_node", "open_chain", "reproduce", "run_node", "step_command"]
