"""How much will be wanted? Products by week, campaigns by day: statistics without a database."""
