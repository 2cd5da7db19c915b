"""The HTTP service: a Starlette app over one bundle, mounted in a BentoML service."""
