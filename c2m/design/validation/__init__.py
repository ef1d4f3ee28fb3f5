"""Does anyone want it? Exposure, demand and the decision, as statistics without a database."""
