"""What an installation has to do: wanted state minus facts, as ordered steps that can be shown before they are done."""
