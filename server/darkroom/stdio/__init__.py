"""JSON-RPC over two pipes: a message a line, every line answered or rightly passed over, and memory bounded.

The SDK's own reader passes over what it cannot read, so that a client waits without end, and takes in a line of any
length; its writer lets responses that nobody reads pile up, and does not end while one is stuck.
"""
