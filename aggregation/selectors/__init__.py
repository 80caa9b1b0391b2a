"""What may be read of the centre: by nodes (``duties``, ``evidence``) and people (``progress``)."""
