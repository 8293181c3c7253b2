"""Errors of the agent.

AgentError            what stops the agent, or a command: one sentence for people
  RingRefused         a file in the ring folder that is not (yet) a readable ring
  SpoolFailed         the spool could not be written; the rows stay in the rings
"""

__all__ = ["AgentError", "RingRefused", "SpoolFailed"]


class AgentError(Exception):
    """Says what, where, and how to mend it."""


class RingRefused(AgentError):
    """A ring that cannot be read; tried again at the next drain."""


class SpoolFailed(AgentError):
    """The disk refused a spool file; nothing was committed."""
