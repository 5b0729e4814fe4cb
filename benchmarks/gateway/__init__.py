"""MaaS beside bare Envoy and LiteLLM's proxy, on one machine in one run. README.md says how to read it."""
