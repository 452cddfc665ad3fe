"""A renderer that stands on its own: a prompt in, a drawn film out."""
