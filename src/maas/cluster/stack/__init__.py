"""What of a cluster belongs to the model platform, whoever installed it, and how its policies are to be read."""
