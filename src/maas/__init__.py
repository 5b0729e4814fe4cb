"""Models as a Service: OpenAI-compatible endpoints behind API keys, limited per tier and metered."""

__version__ = "0.1.0"
