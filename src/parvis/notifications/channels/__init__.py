"""How somebody is reached who is not looking: one file for each way."""
