"""A market of our own making: it lives through its days by the same use cases as the web."""
