"""The checks themselves. What they need to call a gateway is imported by who calls it: the catalogue must load fast."""
