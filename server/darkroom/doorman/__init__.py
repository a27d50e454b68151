"""A doorman who stands in while the server is still being imported, and says only what the server is sure to say.

Nothing here may import anything that takes time: it is there before everything else.
"""
