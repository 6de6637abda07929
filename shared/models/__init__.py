"""Model families, each declared once; models as files: where their parts lie, what they are, what is missing."""
