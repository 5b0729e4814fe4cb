"""What is known of a cluster, read once: from its API server, or from a folder of exported objects."""
