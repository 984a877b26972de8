"""The contract in Python: messages in both directions, error details, the client."""
