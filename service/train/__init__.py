"""corpora/ -> models/: weights, manifest, scores. The only part that needs the libraries of training."""
