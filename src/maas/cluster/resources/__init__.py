"""The objects of our own, as pure functions: what is wanted in, manifests out."""
