"""The documentation: its pages, those of them that are made from the product, and the site."""
