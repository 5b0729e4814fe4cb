"""The paths of OpenAI's API that lead to models: those whose answers say what they have cost, and the catalogue."""

METERED = ("/v1/chat/completions", "/v1/completions", "/v1/embeddings")
CATALOGUE = "/v1/models"
