"""Picture files, part by part: what a decoder needs of them, and what notes say beside it."""
