"""A model server of our own that needs no model: OpenAI's and Anthropic's APIs, on any CPU.

It stands in for vLLM where there is no GPU, and in tests, where its request log is the independent count of what
really reached a model. Flags, endpoints and metrics are named as llm-d-inference-sim and vLLM name theirs.
"""
