"""Making a solofile again from what its manifest tells, to see whether the same bytes come out."""
