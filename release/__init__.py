"""Everything that is published: distributions, a bundle and hosts' manifests, all made from one description."""
